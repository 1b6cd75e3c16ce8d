"""The staff at work: an order is found, held, and let go on, and the audit says so."""

from playwright.sync_api import expect

STAFF = 10
PHONE = {"width": 360, "height": 760}


class TestTheStaff:
    def test_holds_an_order_and_lets_it_go_on(self, visit):
        staff = visit()
        staff.sign_in(STAFF)
        page = staff.tab("/admin?state=fulfilled")
        page.locator(".rows .row-link").first.click()
        page.wait_for_url("**/admin/orders/*")

        page.get_by_text("Hold it", exact=True).first.click()
        page.get_by_label("Why").first.fill("The address is odd")
        page.get_by_role("button", name="Hold it").click()
        expect(page.get_by_text("On hold: The address is odd")).to_be_visible()
        page.get_by_text("Let it go on", exact=True).first.click()
        page.get_by_label("Why").first.fill("It is fine")
        page.get_by_role("button", name="Let it go on").click()
        expect(page.get_by_text("On hold: The address is odd")).to_be_hidden()

        audit = staff.tab("/admin/audit")
        expect(audit.get_by_text("order.hold").first).to_be_visible()
        expect(audit.get_by_text("order.release").first).to_be_visible()

    def test_can_do_so_on_a_phone_in_the_dark(self, visit):
        staff = visit(viewport=PHONE, color_scheme="dark")
        staff.sign_in(STAFF)
        for path in ("/admin", "/admin/refunds", "/admin/disputes", "/admin/audit"):
            page = staff.tab(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
