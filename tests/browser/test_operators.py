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

    def test_ends_a_connection_for_good_and_the_page_says_so(self, visit, shop):
        visitor = visit()
        user = visitor.sign_in(6)
        page = visitor.tab("/orders")

        assert shop.rialto("kick", user["id"]).returncode == 0
        page.locator("html:not([data-live=open])").wait_for(state="attached")
        page.locator("html[data-live=open]").wait_for(state="attached")
        assert shop.rialto("kick", user["id"], "--for-good").returncode == 0

        expect(page.locator("#connection")).to_contain_text("has ended this connection")
