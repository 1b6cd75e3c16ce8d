"""What every page owes to everybody, whatever their browser, screen, hands or eyes."""

import re
import secrets

import pytest
from playwright.sync_api import expect

PUBLIC = ("/", "/?q=font", "/c/fonts", "/p/brass-tack", "/cart", "/signin", "/register")
PRIVATE = (
    "/",
    "/p/brass-tack",
    "/cart",
    "/checkout",
    "/orders",
    "/rooms",
    "/payment-methods",
    "/subscriptions",
)
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
CONTRAST_MIN = 4.5

CONTRASTS = """() => {
  const parts = (colour) => {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const linear = [r, g, b].map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] === 255) return parts(colour);
    }
    return parts(getComputedStyle(document.body).backgroundColor);
  };
  return [...document.querySelectorAll("main *, header *, footer *")]
    .filter((element) => [...element.childNodes].some((one) => one.data?.trim()))
    .filter((element) => element.checkVisibility() && !element.closest(".sending, :disabled"))
    .map((element) => {
      const [one, other] = [light(parts(getComputedStyle(element).color)), light(ground(element))];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      return [ratio, element.textContent.trim().slice(0, 40)];
    });
}"""


def widths(page):
    return page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")


class TestEveryPage:
    @pytest.mark.parametrize("path", PUBLIC)
    def test_shows_visitors_something_without_a_complaint(self, visit, path):
        page = visit().tab(path)

        expect(page.get_by_role("heading", level=1)).to_be_visible()

    @pytest.mark.parametrize("path", PRIVATE)
    def test_shows_users_something_without_a_complaint(self, visit, path):
        visitor = visit()
        visitor.sign_in(4)

        page = visitor.tab(path)

        expect(page.get_by_role("heading", level=1)).to_be_visible()

    @pytest.mark.parametrize("path", [*PUBLIC, *PRIVATE[3:]])
    def test_fits_a_phone_of_360_pixels(self, visit, path):
        visitor = visit(**PHONE)
        visitor.sign_in(5)

        scrolled, shown = widths(visitor.tab(path))

        assert scrolled <= shown

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/p/brass-tack",
            "/orders",
            "/rooms",
            "/signin",
            "/payment-methods",
            "/subscriptions",
        ],
    )
    def test_can_be_read(self, visit, path, scheme):
        visitor = visit(color_scheme=scheme)
        visitor.sign_in(6)

        contrasts = visitor.tab(path).evaluate(CONTRASTS)

        assert [(ratio, text) for ratio, text in contrasts if ratio < CONTRAST_MIN] == []

    def test_forbids_inline_scripts_and_styles(self, visit):
        visitor = visit()

        policy = visitor.context.request.get(visitor.url).headers["content-security-policy"]

        assert "unsafe" not in policy
        assert "script-src 'self'" in policy


class TestAnAddressWithNothingBehindIt:
    def test_is_a_page_that_leads_back(self, visit):
        visitor = visit()
        page = visitor.context.new_page()

        answer = page.goto(f"{visitor.url}/nothing-here")

        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
        expect(page.get_by_role("link", name="To the catalogue")).to_be_visible()

    def test_leads_to_the_sign_in_where_one_must_be_known(self, visit):
        page = visit().tab("/orders")

        expect(page).to_have_url(re.compile(r"/signin\?next=/orders$"))


class TestABrowserWithoutScripts:
    def test_browses_and_searches(self, visit):
        visitor = visit(java_script_enabled=False)
        page = visitor.context.new_page()
        page.goto(visitor.url)

        page.get_by_label("Search products").fill("slab")
        page.get_by_label("Search products").press("Enter")
        page.get_by_role("link", name="Brass Tack").click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Brass Tack")

    def test_pages_through_the_catalogue(self, visit):
        visitor = visit(java_script_enabled=False)
        page = visitor.context.new_page()
        page.goto(visitor.url)
        first = page.locator(".card h3").all_inner_texts()

        page.get_by_role("link", name="More products").click()

        second = page.locator(".card h3").all_inner_texts()
        assert len(first) == len(second) == 24
        assert not set(first) & set(second)


class TestSomebodyWithOnlyAKeyboard:
    def test_signs_in_and_says_something(self, visit):
        page = visit().tab("/p/brass-tack")
        text = f"By keyboard {secrets.token_hex(4)}"

        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        self.tab_to(page, "Sign in")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/signin"))
        page.locator("[data-demo-user='7']").wait_for()
        self.tab_to(page, page.locator("[data-demo-user='7']").inner_text().split("\n")[-1])
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/p/brass-tack"))
        page.locator("html[data-live=open]").wait_for(state="attached")
        self.tab_to(page, "Message")
        page.keyboard.type(text)
        page.keyboard.press("Enter")

        expect(page.get_by_role("log")).to_contain_text(text)

    @staticmethod
    def tab_to(page, name):
        """Press Tab until something of this name has the focus, which must be visible."""
        for _ in range(120):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                """() => {
                  const at = document.activeElement;
                  const label = at.labels?.[0]?.textContent ?? at.ariaLabel ?? at.innerText ?? "";
                  return [label.trim().split("\\n").at(-1), getComputedStyle(at).outlineStyle];
                }"""
            )
            if focused[0] == name:
                assert focused[1] != "none"
                return
        pytest.fail(f"Tab never reaches {name}")


class TestNotifications:
    def test_of_an_order_reach_the_bell(self, visit):
        visitor = visit()
        visitor.sign_in(8)
        page = visitor.tab("/")

        page.get_by_role("button", name=re.compile("Notifications")).click()

        expect(page.get_by_role("heading", name="Notifications")).to_be_visible()
        expect(page.locator("#bell-list .skeleton")).to_have_count(0)
