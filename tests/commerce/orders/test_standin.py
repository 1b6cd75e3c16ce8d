"""A checkout on the Stripe stand-in, by Stripe's own client."""

import pytest

from commerce.orders import service as orders
from commerce.payments import service as payments
from shared.clock import SystemClock
from tests.commerce.in_order import assert_in_order
from tests.commerce.payments.conftest import account, gateway, standin_url, stripe_api
from tests.commerce.shop import ADA

__all__ = ["account", "gateway", "standin_url", "stripe_api"]


@pytest.fixture
def clock():
    """Stripe's time is the wall's, and so is ours where they meet."""
    return SystemClock()


async def settled(database, gateway, attempt):
    """Hear of an attempt as a webhook has it: asked after, recorded, settled."""
    outcome = await gateway.look_up(attempt)
    async with database.transaction() as tx:
        return await orders.settle(tx, await payments.record(tx, attempt.id, outcome))


class TestACheckoutOnTheStandIn:
    async def test_is_paid_by_a_card_after_one_was_declined(self, shop, database, gateway, account):
        order = await shop.buy(await shop.add(price=1900, stock=2))
        asked = orders.PayRequest(buyer=ADA, order=order.id, run="standin")
        begun = await orders.pay(database, gateway, asked)
        intents = account.api.payment_intents
        with pytest.raises(Exception, match="declined"):
            await intents.confirm_async(
                begun.attempt.intent_id,
                {"payment_method": "pm_card_chargeDeclined", "return_url": "https://shop.example"},
            )
        waiting = await settled(database, gateway, begun.attempt)
        await intents.confirm_async(
            begun.attempt.intent_id,
            {"payment_method": "pm_card_visa", "return_url": "https://shop.example"},
        )

        again = await orders.pay(database, gateway, asked)

        assert (waiting.state, again.order.state) == ("awaiting_payment", "paid")
        assert again.attempt.id == begun.attempt.id
        await assert_in_order(database)

    async def test_is_called_off_and_can_be_paid_no_more(self, shop, database, gateway, account):
        order = await shop.buy(await shop.add(price=1900))
        asked = orders.PayRequest(buyer=ADA, order=order.id, run="standin")
        begun = await orders.pay(database, gateway, asked)

        canceled = await orders.call_off(database, gateway, order.id, buyer=ADA)

        assert canceled.state == "canceled"
        intent = await account.api.payment_intents.retrieve_async(begun.attempt.intent_id)
        assert intent.status == "canceled"
