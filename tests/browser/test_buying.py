"""The money's story: a card is asked about by its bank, a key comes, the money goes back."""

import re
import secrets

import pytest
from playwright.sync_api import expect

BUYER, STAFF = 4, 10
ASKED_ABOUT_BY_ITS_BANK = "4000002760003184"
DECLINED = "4000000000009995"
MONEY_MS_MAX = 30_000


@pytest.fixture
def licensed(visit):
    """A product with a price that comes with a licence key, for each test another one."""
    page = visit().get("/v1/products?category=tools&limit=100")
    fitting = [
        one for one in page["items"] if one["price"]["amount_minor"] > 0 and one["stock"] is None
    ]
    return secrets.choice(fitting)


@pytest.fixture
def buyer(visit):
    visitor = visit()
    visitor.sign_in(BUYER)
    return visitor


@pytest.fixture
def staff(visit):
    visitor = visit()
    visitor.sign_in(STAFF)
    return visitor


def order(buyer, product):
    """Fill the cart, go through the checkout; return the tab, which is at the stand-in's page."""
    page = buyer.tab(f"/p/{product['slug']}")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to the cart").click()
    page.get_by_role("button", name="Go to checkout").click()
    repeat = page.locator("#confirm-repeat")
    confirm = page.get_by_role("button", name="Order and pay")
    expect(page.locator("#quote-total")).not_to_have_text("…")
    if repeat.is_visible():
        repeat.check()
    confirm.click()
    page.wait_for_url(re.compile("/pay/pi_"))
    return page


def pay(page, card):
    page.get_by_label("or type a test card's number").fill(card)
    page.get_by_role("button", name=re.compile("^Pay")).click()


def newest_order(visitor):
    return visitor.get("/v1/orders?limit=1")["items"][0]


class TestABuyerWhoseBankAsks:
    def test_pays_gets_a_key_in_both_tabs_and_gives_it_back_for_the_money(
        self, buyer, staff, licensed
    ):
        paying = order(buyer, licensed)
        bought = newest_order(buyer)
        watching = buyer.tab(f"/orders/{bought['id']}")
        expect(watching.locator(".order-state").first).to_have_text("Waiting for payment")

        pay(paying, ASKED_ABOUT_BY_ITS_BANK)
        paying.get_by_role("button", name="Complete").click()
        paying.wait_for_url(re.compile(f"/orders/{bought['id']}"))

        keys = []
        for page in (paying, watching):
            state = page.locator(".order-state").first
            expect(state).to_have_text("Ready", timeout=MONEY_MS_MAX)
            expect(page.locator("[data-step=order_paid]")).to_have_class(re.compile("done"))
            key = page.locator(".license-key")
            expect(key).to_have_text(re.compile(r"^TKT"), timeout=MONEY_MS_MAX)
            keys.append(key.inner_text())
        assert keys[0] == keys[1]

        paying.get_by_text("Ask for a refund").click()
        paying.get_by_label("Why").fill("It does not run here")
        paying.get_by_role("button", name="Ask for the money back").click()
        expect(paying.locator("[data-refunds] li").first).to_contain_text("Asked for")
        grant(staff, bought)

        for page in (paying, watching):
            expect(page.locator(".order-state").first).to_have_text(
                re.compile("Refunded"), timeout=MONEY_MS_MAX
            )
            expect(page.locator("[data-refunds] li").first).to_contain_text(
                "With your bank", timeout=MONEY_MS_MAX
            )
            expect(page.locator("[data-licenses]")).to_contain_text("Revoked", timeout=MONEY_MS_MAX)

    def test_whose_card_is_declined_pays_with_another(self, buyer, licensed):
        page = order(buyer, licensed)
        bought = newest_order(buyer)

        pay(page, DECLINED)
        expect(page.get_by_role("alert")).to_be_visible()
        pay(page, "4242 4242 4242 4242")
        page.wait_for_url(re.compile(f"/orders/{bought['id']}"))

        expect(page.locator(".order-state").first).to_have_text("Ready", timeout=MONEY_MS_MAX)
        buyer.forgive("status of 402")


def grant(staff, bought):
    """Grant what was asked for, as the staff does."""
    asked = staff.get("/v1/admin/refund-requests?state=asked&limit=100")["items"]
    request = next(one for one in asked if one["order"] == bought["id"])
    answer = staff.context.request.post(
        f"{staff.url}/v1/admin/refund-requests/{request['id']}/approve",
        data={"answer": "Of course."},
        headers={"origin": staff.url, "idempotency-key": secrets.token_hex(16)},
    )
    assert answer.ok, answer.text()
