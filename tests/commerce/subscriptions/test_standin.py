"""Charging stored cards at the stand-in for Stripe, by Stripe's own client."""

import pytest
import pytest_asyncio

from commerce.payments import service as payments
from commerce.subscriptions import service
from shared.clock import SystemClock
from tests.commerce.payments.conftest import account, gateway, standin_url, stripe_api
from tests.commerce.shop import ADA
from tests.commerce.subscriptions.conftest import SubscriptionShop

__all__ = ["account", "gateway", "standin_url", "stripe_api"]


@pytest.fixture
def clock():
    """Stripe's time is the wall's, and so is ours where they meet."""
    return SystemClock()


@pytest_asyncio.fixture
async def shop(database, clock, gateway):
    made = SubscriptionShop(database, clock, gateway)
    await made.open()
    return made


async def upgrade(shop, account, card):
    """Have somebody with a stored card go from a free plan to one that is charged at once."""
    customer = await payments.customer_for(shop.database, shop.bank, ADA)
    for kept in await shop.bank.methods(customer):  # the same customer in every test of this run
        await shop.bank.detach(kept.id)
    await account.api.payment_methods.attach_async(card, {"customer": customer})
    free, pro = await shop.plan("Free", price=0), await shop.plan("Pro", price=3000)
    sub = (await shop.start(free)).subscription
    _, order = await shop.act(service.change, sub, pro.id, when="now")
    await service.collect(shop.database, shop.bank)
    return await shop.of(sub.id), await shop.order(order)


class TestAStoredCard:
    async def test_is_charged_while_nobody_is_there(self, shop, account):
        sub, order = await upgrade(shop, account, "pm_card_visa")

        assert (sub.title, sub.value_minor) == ("Pro", order.total_minor)
        assert order.captured_minor == order.total_minor

    @pytest.mark.parametrize(
        "card", ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"]
    )
    async def test_that_the_bank_refuses_leaves_the_plan_and_the_order_to_be_paid(
        self, shop, account, card
    ):
        sub, order = await upgrade(shop, account, card)

        assert sub.title == "Free"
        assert order.state == "awaiting_payment"
        async with shop.database.transaction() as tx:
            attempt = await payments.attempt_of_order(tx, order.id)
        assert attempt.state == "requires_method"
        assert attempt.failure is not None
