"""The shop's first story: two people talk about a product, and one of them takes it."""

import re
import secrets

import pytest
from playwright.sync_api import expect

ADA, BEN = 1, 2
STAFF = 10
AWAY_MS_MAX = 60_000


@pytest.fixture
def free_product(shop, visit):
    """A product that costs nothing."""
    page = visit().get("/v1/products?limit=100")
    return next(one for one in page["items"] if one["price"]["amount_minor"] == 0)


@pytest.fixture
def two_people(visit, free_product):
    """Two visitors, each with the product's page open, and who they are."""
    people = []
    for number in (ADA, BEN):
        visitor = visit()
        user = visitor.sign_in(number)
        people.append((visitor, user, visitor.tab(f"/p/{free_product['slug']}")))
    return people


def say(page, text):
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send").click()


def choose(page, text, what):
    """Choose something from a message's menu."""
    row = message(page, text)
    row.hover()
    row.get_by_role("button", name="More").click()
    page.locator(".message-menu").get_by_role("button", name=what).click()


def message(page, text):
    return page.get_by_role("log").locator("li.message").filter(has_text=text)


class TestTwoPeopleInAProductsRoom:
    def test_hear_each_other_at_once(self, two_people):
        (_, ada, her_page), (_, ben, his_page) = two_people
        question, answer = f"Is it good? {secrets.token_hex(4)}", f"Very. {secrets.token_hex(4)}"

        say(her_page, question)
        expect(message(his_page, question)).to_contain_text(ada["name"])
        say(his_page, answer)
        expect(message(her_page, answer)).to_contain_text(ben["name"])

        for page in (her_page, his_page):
            for text in (question, answer):
                expect(message(page, text)).to_have_count(1)
                expect(message(page, text)).not_to_have_class(re.compile("sending|failed"))

    def test_see_each_other_writing_until_it_is_sent(self, two_people):
        (_, ada, her_page), (_, _, his_page) = two_people

        her_page.get_by_label("Message", exact=True).press_sequentially("Hel")
        expect(his_page.locator(".typing")).to_contain_text(f"{ada['name']} is writing")
        expect(her_page.locator(".typing.on")).to_have_count(0)
        her_page.get_by_role("button", name="Send").click()

        expect(his_page.locator(".typing.on")).to_have_count(0)

    def test_see_who_is_here_and_who_has_left(self, two_people):
        (_, ada, her_page), (ben_visitor, ben, _) = two_people
        people = her_page.get_by_role("button", name=re.compile("here"))

        expect(people).to_contain_text("2 here")
        people.click()
        expect(her_page.locator(".people")).to_contain_text(ada["name"])
        expect(her_page.locator(".people")).to_contain_text(ben["name"])
        for page in ben_visitor.context.pages:
            page.close()

        expect(people).to_contain_text("1 here", timeout=AWAY_MS_MAX)

    def test_change_and_take_back_what_they_said(self, two_people):
        (_, _, her_page), (_, _, his_page) = two_people
        first, second = f"First {secrets.token_hex(4)}", f"Second {secrets.token_hex(4)}"
        say(her_page, first)
        expect(message(his_page, first)).to_have_count(1)

        choose(her_page, first, "Edit")
        say(her_page, second)
        expect(message(his_page, second)).to_contain_text("edited")
        expect(message(his_page, first)).to_have_count(0)
        choose(her_page, second, "Take back")

        expect(message(his_page, second)).to_have_count(0)
        expect(message(his_page, "Message taken back").last).to_be_visible()


class TestSomebodyInTheRoom:
    def test_can_be_talked_to_alone(self, two_people):
        (_, ada, her_page), (ben_visitor, ben, _) = two_people
        his_rooms = ben_visitor.tab("/rooms")
        text = f"Between us {secrets.token_hex(4)}"

        her_page.get_by_role("button", name=re.compile("here")).click()
        row = her_page.locator(".people li").filter(has_text=ben["name"])
        row.get_by_role("button", name="Message").click()
        her_page.wait_for_url(re.compile("/rooms/rom_"))
        say(her_page, text)

        expect(message(her_page, text)).not_to_have_class(re.compile("sending|failed"))
        newest = his_rooms.locator("[data-rooms] > li").first
        expect(newest).to_contain_text(ada["name"])
        expect(newest).to_contain_text(text)
        expect(newest.locator(".badge")).to_have_text(re.compile(r"^[1-9]"))


class TestABuyerWithTwoTabs:
    def test_sees_the_cart_and_the_orders_events_in_both(self, visit, free_product):
        buyer = visit()
        buyer.sign_in(BEN)
        shopping, watching = buyer.tab(f"/p/{free_product['slug']}"), buyer.tab("/orders")
        before = watching.locator("[data-orders] > li").count()

        shopping.get_by_role("button", name="Get it free").click()
        expect(watching.get_by_role("link", name="Cart, 1 item")).to_be_visible()
        shopping.get_by_role("link", name="Go to the cart").click()
        shopping.get_by_role("button", name="Get it free").click()

        shopping.wait_for_url(re.compile("/orders/ord_"))
        expect(shopping.locator(".order-state[role=status]")).to_have_text("Ready")
        expect(shopping.locator(".timeline .done")).to_have_count(3)
        expect(watching.locator("[data-orders] > li")).to_have_count(before + 1)
        newest = watching.locator("[data-orders] > li").first
        expect(newest).to_contain_text(free_product["title"])
        expect(newest.locator(".order-state")).to_have_text("Ready")
        expect(watching.get_by_role("link", name="Cart, 0 items")).to_be_visible()

    def test_has_a_second_look_at_an_order_that_is_not_paid(self, visit):
        buyer = visit()
        buyer.sign_in(3)
        paid = next(
            one
            for one in buyer.get("/v1/products?limit=100")["items"]
            if one["price"]["amount_minor"] > 0 and one["stock"] is None
        )
        page = buyer.tab(f"/p/{paid['slug']}")

        page.get_by_role("button", name="Add to cart").click()
        page.get_by_role("link", name="Go to the cart").click()
        page.get_by_role("button", name="Go to checkout").click()
        page.get_by_role("button", name="Order and pay").click()
        page.wait_for_url(re.compile("/(orders/ord_|pay/)"))
        newest = buyer.get("/v1/orders?limit=1")["items"][0]
        page.goto(f"{buyer.url}/orders/{newest['id']}")
        expect(page.locator(".order-state[role=status]")).to_have_text("Waiting for payment")
        other_tab = buyer.tab(page.url.removeprefix(buyer.url))
        page.get_by_role("button", name="Cancel this order").click()

        expect(page.locator(".order-state[role=status]")).to_have_text("Canceled")
        expect(other_tab.locator(".order-state[role=status]")).to_have_text("Canceled")


class TestAPriceThatChanges:
    def test_is_seen_on_every_open_page(self, visit):
        buyer, staff = visit(), visit()
        buyer.sign_in(6)
        staff.sign_in(STAFF)
        product = next(
            one
            for one in buyer.get("/v1/products?limit=24")["items"]
            if one["price"]["amount_minor"] > 0 and one["variants_count"] == 1
        )
        variant = buyer.get(f"/v1/products/{product['slug']}")["variants"][0]
        catalogue, page = buyer.tab("/"), buyer.tab(f"/p/{product['slug']}")
        page.get_by_role("button", name="Add to cart").click()
        cart = buyer.tab("/cart")
        card = catalogue.locator(f'.card[data-product="{product["id"]}"]')
        card.scroll_into_view_if_needed()

        for minor, stock, said in ((1234, 3, "Only 3 left"), (2345, 0, "Sold out")):
            price = {"amount_minor": minor, "currency": variant["price"]["currency"]}
            staff.patch(
                f"/v1/admin/products/{product['id']}",
                {"variants": [{"id": variant["id"], "price": price, "stock": stock}]},
            )

            told = re.compile(re.escape(f"{minor / 100:.2f}"))
            expect(card.locator(".card-price")).to_have_text(told)
            expect(card.locator(".card-stock")).to_have_text(said)
            expect(page.locator(".buy .price")).to_have_text(told)
            expect(page.locator(".buy .stock")).to_have_text(said)
            expect(cart.locator(".cart-sum")).to_have_text(told)
            expect(cart.locator(".cart-what")).to_contain_text(said)
        expect(cart.get_by_role("button", name="Go to checkout")).to_be_disabled()


class TestAPageWhoseGatewayGoesAway:
    def test_loses_nothing(self, shop, two_people):
        (ada_visitor, _, her_page), (ben_visitor, _, his_page) = two_people
        texts = [f"Number {number} {secrets.token_hex(4)}" for number in range(3)]

        say(her_page, texts[0])
        for gateway in ("gateway-1", "gateway-2"):
            assert shop.rialto("restart", gateway).returncode == 0
        say(her_page, texts[1])
        say(her_page, texts[2])

        for page in (her_page, his_page):
            for text in texts:
                expect(message(page, text)).to_have_count(1, timeout=AWAY_MS_MAX)
                expect(message(page, text)).not_to_have_class(
                    re.compile("sending|failed"), timeout=AWAY_MS_MAX
                )
        shop.wait_ready()
        for visitor in (ada_visitor, ben_visitor):
            visitor.forgive("WebSocket connection to")
