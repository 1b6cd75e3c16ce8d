"""What operators do, as the people whose pages are open see it."""

from playwright.sync_api import expect


class TestAnOperator:
    def test_shows_a_sentence_on_every_page_as_plain_text(self, visit, shop):
        visitor = visit()
        visitor.sign_in(5)
        page = visitor.tab("/orders")

        told = shop.rialto("broadcast", "Closing <b>at noon</b>.", "--level", "warning")

        assert told.returncode == 0, told.stderr
        expect(page.locator("#problems .toast")).to_have_text("Closing <b>at noon</b>.")
