"""What two people do in a room besides talking: answer, react, name, point, find, keep order."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import CONTRAST_MIN, CONTRASTS, PHONE, widths
from tests.browser.test_the_story import choose, message, say

ADA, BEN = 11, 12
MAKE_ROOM = """async (guest) => {
  const answer = await fetch("/v1/rooms", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kind: "group", title: "Type lovers", members: [guest] }),
  });
  return (await answer.json()).id;
}"""


ORDER_ONE = """async (variant) => {
  const ask = async (method, path, body) => {
    const headers = { "content-type": "application/json" };
    return (await fetch(path, { method, headers, body: JSON.stringify(body) })).json();
  };
  const cart = await ask("PUT", `/v1/cart/lines/${variant}`, { quantity: 1 });
  return (await ask("POST", "/v1/orders", { cart_version: cart.version })).state;
}"""


class Group:
    """A new group of two: its owner's page, the member's page, and who they are."""

    def __init__(self, visit):
        owner, member = visit(), visit()
        self.owner, self.member = owner.sign_in(ADA), member.sign_in(BEN)
        self.path = f"/rooms/{owner.tab('/').evaluate(MAKE_ROOM, self.member['id'])}"
        self.hers, self.his = owner.tab(self.path), member.tab(self.path)
        self.member_visitor = member


@pytest.fixture
def group(visit):
    return Group(visit)


class TestAMessageInARoom:
    def test_is_answered_with_the_name_of_who_is_meant(self, group):
        say(group.hers, "Is it hinted?")
        row = message(group.his, "Is it hinted?")
        row.hover()
        row.get_by_role("button", name="Answer", exact=True).click()
        field = group.his.get_by_label("Message", exact=True)
        field.press_sequentially(f"Yes @{group.owner['name'][:2]}")
        expect(group.his.get_by_role("option", name=group.owner["name"])).to_be_visible()
        field.press("Enter")
        field.press("Enter")

        answer = message(group.hers, "Yes")
        expect(answer.locator(".quote")).to_contain_text("Is it hinted?")
        expect(answer.locator(".mention.me")).to_have_text(f"@{group.owner['name']}")
        expect(answer).to_have_class(re.compile("calls-me"))

    def test_is_reacted_to_by_keyboard_and_by_hand(self, group):
        say(group.his, "Done!")
        expect(message(group.hers, "Done!")).to_be_visible()

        group.hers.get_by_role("log").focus()
        group.hers.keyboard.press("ArrowUp")
        expect(message(group.hers, "Done!")).to_be_focused()
        group.hers.keyboard.press("Enter")
        expect(group.hers.get_by_role("button", name="React with 👍")).to_be_focused()
        group.hers.keyboard.press("Enter")
        his = message(group.his, "Done!").locator(".reaction")
        expect(his).to_have_attribute("aria-label", "👍, 1 person")
        his.click()

        expect(his).to_have_attribute("aria-pressed", "true")
        expect(message(group.hers, "Done!").locator(".reaction b")).to_have_text("2")

    def test_points_at_a_product_with_its_price(self, group):
        group.hers.get_by_role("button", name="Point at a product or an order").click()
        group.hers.get_by_placeholder("Name of a product").fill("brass tack")
        group.hers.locator(".part-picker").get_by_role("button", name="Brass Tack").click()
        say(group.hers, "This one")

        for page in (group.hers, group.his):
            card = message(page, "This one").get_by_role("link", name=re.compile("Brass Tack"))
            expect(card.locator(".part-price")).to_have_text(re.compile("€|Free"))
            expect(card).to_have_attribute("href", "/p/brass-tack")

    def test_points_at_a_product_whose_stock_is_todays(self, group):
        products = group.member_visitor.get("/v1/products?limit=100")["items"]
        scarce = next(one for one in products if one["stock"] and one["variants_count"] == 1)
        variant = group.member_visitor.get(f"/v1/products/{scarce['slug']}")["variants"][0]
        group.hers.get_by_role("button", name="Point at a product or an order").click()
        group.hers.get_by_placeholder("Name of a product").fill(scarce["title"])
        group.hers.locator(".part-picker").get_by_role("button", name=scarce["title"]).click()
        say(group.hers, "Only a few")
        card = message(group.hers, "Only a few").locator(".part")
        expect(card).to_contain_text(f"{scarce['stock']} left")

        assert group.his.evaluate(ORDER_ONE, variant["id"]) == "awaiting_payment"

        left = scarce["stock"] - 1
        expect(card).to_contain_text(f"{left} left" if left else "Sold out")

    def test_is_found_again(self, group):
        word = f"heron{secrets.token_hex(3)}"
        say(group.hers, f"A {word} at the river")
        expect(message(group.his, word)).to_be_visible()

        group.his.get_by_role("button", name="Search this room").click()
        group.his.get_by_role("searchbox", name="Search this room").fill(word[:7])
        group.his.locator(".found", has_text=word).click()

        expect(message(group.his, word)).to_be_focused()

    def test_is_edited_and_taken_back_before_everyones_eyes(self, group):
        say(group.hers, "helo")
        choose(group.hers, "helo", "Edit")
        field = group.hers.get_by_label("Message", exact=True)
        expect(field).to_have_value("helo")
        field.fill("hello there")
        field.press("Enter")
        expect(message(group.his, "hello there")).to_contain_text("edited")

        choose(group.hers, "hello there", "Take back")

        expect(group.his.locator("li.message.deleted")).to_have_text(re.compile("taken back"))


class TestTheOwnerOfARoom:
    def test_slows_it_and_bans_from_it(self, group):
        say(group.his, "Buy my things")
        group.hers.get_by_role("button", name="Keep order").click()
        group.hers.get_by_label(re.compile("Slow mode")).select_option("300")
        group.hers.keyboard.press("Escape")
        say(group.his, "Buy them now")
        expect(group.his.locator(".hint")).to_have_text(re.compile("Slow mode"))
        expect(group.his.get_by_role("button", name="Send")).to_be_disabled()

        choose(group.hers, "Buy my things", "Ban from this room")

        expect(group.his.locator(".closed-note")).to_be_visible()
        expect(group.his.get_by_label("Message", exact=True)).to_be_hidden()
        group.member_visitor.forgive("404")


class TestTheRoomsPage:
    def test_fits_a_phone_and_can_be_read_in_the_dark(self, group, visit):
        say(group.hers, "@" + group.member["name"] + " " + "long words " * 20)
        phone = visit(**PHONE, color_scheme="dark")
        phone.sign_in(BEN)
        page = phone.tab(group.path)
        expect(message(page, "long words")).to_be_visible()

        scrolled, shown = widths(page)
        contrasts = page.evaluate(CONTRASTS)

        assert scrolled <= shown
        assert [(ratio, text) for ratio, text in contrasts if ratio < CONTRAST_MIN] == []
