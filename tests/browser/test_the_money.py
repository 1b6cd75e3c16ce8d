"""The shop's second story: somebody pays with a card whose bank asks, and has it in every tab."""

import re

import pytest
from playwright.sync_api import expect

BUYER, ANOTHER = 7, 8
BANK_MS_MAX = 20_000
THREE_D_SECURE, DECLINED = "3-D Secure 2", "Declined"


@pytest.fixture
def product(visit):
    """A product that costs something and cannot run out."""
    return next(
        one
        for one in visit().get("/v1/products?limit=100")["items"]
        if one["price"]["amount_minor"] > 0 and one["stock"] is None
    )


def put_into_cart(visitor, product):
    """Put a product into the cart, as a guest does, and wait until the shop has it."""
    page = visitor.tab(f"/p/{product['slug']}")
    with page.expect_response(re.compile("/v1/cart/lines/")):
        page.get_by_role("button", name="Add to cart").click()
    return page


def order(visitor):
    """Order what is in the cart; return the tab, which is at the page that takes the money."""
    page = visitor.tab("/checkout")
    repeat = page.get_by_label(re.compile("Buy again"))
    expect(page.locator("#quote-total")).not_to_have_text("…")
    if repeat.is_visible():
        repeat.check()
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url(re.compile("/pay/"))
    return page


def pay_with(page, card):
    page.get_by_text(card, exact=True).click()
    page.get_by_role("button", name=re.compile("^Pay ")).click()


class TestAGuestWhoSignsIn:
    def test_pays_by_a_bank_that_asks_and_sees_it_in_both_tabs(self, visit, product):
        buyer = visit()
        put_into_cart(buyer, product)
        buyer.sign_in(BUYER)
        page = order(buyer)
        newest = buyer.get("/v1/orders?limit=1")["items"][0]
        other = buyer.tab(f"/orders/{newest['id']}")
        expect(other.locator(".order-state").first).to_have_text("Waiting for payment")

        pay_with(page, THREE_D_SECURE)
        page.get_by_role("button", name="Complete").click()
        page.wait_for_url(re.compile("/orders/ord_"))

        for tab in (page, other):
            expect(tab.locator(".order-state").first).to_have_text("Ready", timeout=BANK_MS_MAX)
            expect(tab.locator(".timeline [data-step=order_paid]")).to_have_count(1)
            expect(tab.get_by_role("link", name=re.compile("^Invoice "))).to_be_visible()
        expect(page.get_by_role("heading", name="Pay", exact=True)).to_be_hidden()


class TestACardThatIsDeclined:
    def test_takes_nothing_and_leaves_the_order_to_be_paid(self, visit, product):
        buyer = visit()
        buyer.sign_in(ANOTHER)
        put_into_cart_of_user(buyer, product)
        page = order(buyer)

        pay_with(page, DECLINED)
        expect(page.get_by_role("alert")).to_be_visible()
        buyer.forgive("status of 402")
        newest = buyer.get("/v1/orders?limit=1")["items"][0]
        again = buyer.tab(f"/orders/{newest['id']}")
        expect(again.locator(".order-state").first).to_have_text("Waiting for payment")
        again.get_by_role("button", name="Pay", exact=True).click()
        again.wait_for_url(re.compile("/pay/"))


def put_into_cart_of_user(visitor, product):
    page = visitor.tab(f"/p/{product['slug']}")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Go to the cart").click()
    expect(page.get_by_role("button", name="Go to checkout")).to_be_enabled()
