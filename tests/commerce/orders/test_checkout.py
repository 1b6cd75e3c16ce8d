"""From an order to its money and away from it, with the gateway held, deaf, or too fast.

The races are named as in the brief: R1 to R26.
"""

import asyncio

import pytest
import pytest_asyncio

from commerce.foundation.errors import PaymentsClosedError
from commerce.foundation.invariants import look_at
from commerce.invariants import INVARIANTS
from commerce.orders import service as orders
from commerce.orders.errors import (
    AlreadyOwnedError,
    IllegalTransitionError,
    NotPayableError,
    OrderNotFoundError,
    PaymentUnderWayError,
)
from commerce.payments import service as payments
from commerce.payments.errors import LiveAttemptExistsError
from commerce.payments.model import Charge
from protocol.events import OrderCanceled, OrderExpired, OrderPaid
from protocol.topics import order_topic
from tests.commerce.orders.gateways import NoGateway, ScriptedGateway
from tests.commerce.outbox import events_told
from tests.commerce.shop import ADA, BEN


class Checkout:
    """A shop whose money goes by a gateway that the test holds in its hand."""

    def __init__(self, shop, gateway):
        self.shop = shop
        self.database = shop.database
        self.gateway = gateway

    async def pay(self, order, *, buyer=ADA, run="run-1", **more):
        asked = orders.PayRequest(buyer=buyer, order=order.id, run=run, **more)
        return await orders.pay(self.database, self.gateway, asked)

    async def cancel(self, order, *, buyer=ADA):
        return await orders.call_off(self.database, self.gateway, order.id, buyer=buyer)

    async def expire(self):
        return await orders.expire_due(self.database, self.gateway)

    async def webhook(self, attempt):
        """Hear of an attempt as settlement does: look, record, settle."""
        outcome = self.gateway.seen(attempt)
        async with self.database.transaction() as tx:
            recorded = await payments.record(tx, attempt.id, outcome)
            return await orders.settle(tx, recorded)

    async def live(self, order):
        async with self.database.transaction() as tx:
            return await payments.attempt_of_order(tx, order.id)

    async def order(self, order):
        async with self.database.transaction() as tx:
            return await orders.of(tx, order.id)

    async def told(self, order):
        return [type(event) for event in await events_told(self.database, order_topic(order.id))]


@pytest_asyncio.fixture
async def checkout(shop, clock):
    yield Checkout(shop, ScriptedGateway(clock))
    verdicts = await look_at(shop.database, INVARIANTS)
    assert [verdict for verdict in verdicts if not verdict.holds] == []


@pytest_asyncio.fixture
async def variant(shop):
    return await shop.add(price=1900, stock=5)


@pytest_asyncio.fixture
async def order(shop, variant):
    return await shop.buy(variant, 2)


class TestPaying:
    async def test_opens_one_attempt_and_gives_the_browser_what_it_needs(self, checkout, order):
        begun = await checkout.pay(order)

        assert (begun.attempt.state, begun.attempt.amount_minor) == ("requires_method", 3800)
        assert begun.attempt.client_secret
        assert begun.order.state == "awaiting_payment"

    async def test_goes_on_with_the_attempt_there_is(self, checkout, order):
        first = await checkout.pay(order)
        again = await checkout.pay(order, run="run-2")

        assert again.attempt.id == first.attempt.id
        assert len(checkout.gateway.intents) == 1

    async def test_settles_at_once_when_the_answer_is_final(self, checkout, order):
        checkout.gateway.answer = "succeeded"

        assert (await checkout.pay(order)).order.state == "paid"

    async def test_is_refused_for_others_and_for_what_is_not_to_be_paid(
        self, checkout, order, shop
    ):
        with pytest.raises(OrderNotFoundError):
            await checkout.pay(order, buyer=BEN)
        await shop.cancel(order.id)
        with pytest.raises(NotPayableError):
            await checkout.pay(order)
        assert await checkout.live(order) is None
        assert checkout.gateway.calls == []

    async def test_leaves_nothing_behind_in_a_shop_without_an_account(self, checkout, order):
        deaf = Checkout(checkout.shop, NoGateway())
        with pytest.raises(PaymentsClosedError):
            await deaf.pay(order)

        assert (await checkout.cancel(order)).state == "canceled"


class TestGoingOnWithWhatWasBrokenOff:
    async def test_tries_no_method_again_that_was_declined(self, checkout, order):
        begun = await checkout.pay(order)
        checkout.gateway.move(begun.attempt.id, "requires_method", "card_declined")
        await checkout.webhook(begun.attempt)

        gone_on = await checkout.pay(order, method="pm_declined", opened=begun.attempt.id)

        assert (gone_on.attempt.id, gone_on.attempt.submissions) == (begun.attempt.id, 1)
        assert [call for call, _ in checkout.gateway.calls].count("submit") == 1

    async def test_opens_no_other_attempt_when_its_own_is_over(self, checkout, order):
        begun = await checkout.pay(order)
        checkout.gateway.move(begun.attempt.id, "canceled")
        await checkout.webhook(begun.attempt)

        gone_on = await checkout.pay(order, opened=begun.attempt.id)

        assert gone_on.attempt.state == "canceled"
        assert len(checkout.gateway.intents) == 1

    async def test_has_the_payment_that_was_made_meanwhile(self, checkout, order):
        begun = await checkout.pay(order)
        checkout.gateway.move(begun.attempt.id, "succeeded")

        assert (await checkout.pay(order, opened=begun.attempt.id)).order.state == "paid"
        assert (await checkout.pay(order, opened=begun.attempt.id)).order.state == "paid"


class TestCanceling:
    async def test_cancels_at_the_gateway_first(self, checkout, order, shop, variant):
        begun = await checkout.pay(order)

        canceled = await checkout.cancel(order)

        assert canceled.state == "canceled"
        assert checkout.gateway.intents[begun.attempt.id]["state"] == "canceled"
        assert await shop.stock(variant) == 5

    async def test_asks_after_a_payment_nobody_heard_of_first(self, checkout, order):
        checkout.gateway.lose("submit")
        assert (await checkout.pay(order)).attempt.state == "unknown"
        checkout.gateway.lost.clear()

        assert (await checkout.cancel(order)).state == "canceled"
        assert len(checkout.gateway.intents) == 1

    async def test_waits_while_nobody_knows(self, checkout, order):
        checkout.gateway.lose("submit")
        await checkout.pay(order)

        with pytest.raises(PaymentUnderWayError):
            await checkout.cancel(order)
        assert (await checkout.order(order)).state == "awaiting_payment"

    async def test_is_not_for_others_nor_for_the_staffless(self, checkout, order):
        with pytest.raises(OrderNotFoundError):
            await checkout.cancel(order, buyer=BEN)
        assert (await checkout.cancel(order, buyer=None)).state == "canceled"
        with pytest.raises(IllegalTransitionError):
            await checkout.cancel(order)

    async def test_by_command_leaves_a_payment_alone(self, checkout, order, shop):
        await checkout.pay(order)

        with pytest.raises(PaymentUnderWayError):
            await shop.cancel(order.id)


class TestR6CancelMeetsSuccess:
    async def test_money_that_was_faster_pays_the_order(self, checkout, order, shop, variant):
        begun = await checkout.pay(order)
        reached, go = checkout.gateway.hold("cancel")
        canceling = asyncio.create_task(checkout.cancel(order))
        await reached.wait()
        checkout.gateway.move(begun.attempt.id, "succeeded")
        await checkout.webhook(begun.attempt)
        go.set()

        assert (await canceling).state == "paid"
        assert (await checkout.told(order)).count(OrderPaid) == 1
        assert await shop.stock(variant) == 3

    async def test_money_told_after_a_lost_race_pays_it_by_the_cancels_own_answer(
        self, checkout, order
    ):
        begun = await checkout.pay(order)
        checkout.gateway.move(begun.attempt.id, "succeeded")

        assert (await checkout.cancel(order)).state == "paid"
        assert (await checkout.webhook(begun.attempt)).version == 2

    async def test_a_cancel_that_was_faster_stands(self, checkout, order, shop, variant):
        begun = await checkout.pay(order)
        await checkout.cancel(order)

        await checkout.webhook(begun.attempt)

        assert (await checkout.order(order)).state == "canceled"
        assert await shop.stock(variant) == 5


class TestR7ExpiryMeetsTheBanksQuestion:
    async def test_a_buyer_who_answers_in_time_keeps_the_order(self, checkout, order, clock):
        checkout.gateway.answer = "requires_action"
        begun = await checkout.pay(order)
        clock.advance(hours=25)
        reached, go = checkout.gateway.hold("cancel")
        expiring = asyncio.create_task(checkout.expire())
        await reached.wait()
        checkout.gateway.move(begun.attempt.id, "succeeded")
        go.set()

        assert await expiring == 0
        assert (await checkout.order(order)).state == "paid"

    async def test_a_buyer_who_answers_too_late_is_told_so_by_the_bank(
        self, checkout, order, clock, shop, variant
    ):
        checkout.gateway.answer = "requires_action"
        begun = await checkout.pay(order)
        clock.advance(hours=25)

        assert await checkout.expire() == 1
        assert checkout.gateway.intents[begun.attempt.id]["state"] == "canceled"
        assert (await checkout.told(order)).count(OrderExpired) == 1
        assert await shop.stock(variant) == 5

    async def test_money_on_its_way_is_never_expired(self, checkout, order, clock):
        checkout.gateway.answer = "requires_action"
        begun = await checkout.pay(order)
        clock.advance(hours=25)
        checkout.gateway.move(begun.attempt.id, "processing")

        assert await checkout.expire() == 0
        assert (await checkout.order(order)).state == "processing"

    async def test_what_nobody_knows_of_is_left_for_the_next_time(self, checkout, order, clock):
        checkout.gateway.lose("submit")
        await checkout.pay(order)
        clock.advance(hours=25)
        checkout.gateway.lose("look_up")

        assert await checkout.expire() == 0
        checkout.gateway.lost.clear()
        assert await checkout.expire() == 1

    async def test_an_order_that_was_given_more_time_meanwhile_keeps_its_payment(
        self, checkout, order, clock
    ):
        begun = await checkout.pay(order)
        checkout.gateway.move(begun.attempt.id, "processing")
        await checkout.webhook(begun.attempt)
        clock.advance(hours=25)
        checkout.gateway.move(begun.attempt.id, "requires_method", "insufficient_funds")
        await checkout.webhook(begun.attempt)

        assert await checkout.expire() == 0
        assert ("cancel", begun.attempt.id) not in checkout.gateway.calls


class TestR8TwoTabs:
    async def test_that_pay_at_once_share_one_attempt(self, checkout, order):
        outcomes = await asyncio.gather(
            *(checkout.pay(order, run=f"tab-{number}") for number in range(4))
        )

        assert len({each.attempt.id for each in outcomes}) == 1
        assert len(checkout.gateway.intents) == 1

    async def test_one_of_which_retries_after_a_timeout_charge_once(self, checkout, order):
        checkout.gateway.answer = "succeeded"
        checkout.gateway.lose("submit")
        assert (await checkout.pay(order)).attempt.state == "unknown"
        checkout.gateway.lost.clear()

        assert (await checkout.pay(order, run="again")).order.state == "paid"
        assert len(checkout.gateway.intents) == 1


class TestR24ARunThatCameTooLate:
    async def test_undoes_nothing_of_the_run_that_won(self, checkout, order, shop, variant):
        reached, go = checkout.gateway.hold("submit", "after")
        checkout.gateway.answer = "succeeded"
        winning = asyncio.create_task(checkout.pay(order, run="winner"))
        await reached.wait()
        with pytest.raises(LiveAttemptExistsError):
            await self.open_another(checkout, order)
        go.set()

        assert (await winning).order.state == "paid"
        live = await checkout.live(order)
        assert (live.state, live.created_by_run) == ("succeeded", "winner")
        assert await shop.stock(variant) == 3
        assert not [call for call, _ in checkout.gateway.calls if call == "cancel"]

    async def open_another(self, checkout, order):
        live = await checkout.live(order)
        charge = Charge(
            order=order.id,
            buyer=ADA,
            amount=live.amount,
            created_by_run="loser",
        )
        async with checkout.database.transaction() as tx:
            await payments.open_attempt(tx, charge)


class TestR25MoneyThatIsOnlyOnItsWay:
    async def test_completes_nothing(self, checkout, order):
        checkout.gateway.answer = "processing"

        begun = await checkout.pay(order)

        assert (begun.order.state, begun.order.captured_minor) == ("processing", 0)
        assert OrderPaid not in await checkout.told(order)
        with pytest.raises(IllegalTransitionError):
            async with checkout.database.transaction() as tx:
                await orders.fulfil(tx, order.id)


class TestR26ABankDebitThatTakesFiveDays:
    async def test_pays_the_order_and_blocks_a_second_one_meanwhile(
        self, checkout, order, shop, variant, clock
    ):
        checkout.gateway.answer = "processing"
        begun = await checkout.pay(order)
        clock.advance(hours=48)
        await checkout.expire()
        cart = await shop.put(variant)
        with pytest.raises(AlreadyOwnedError):
            async with shop.database.transaction() as tx:
                await orders.place(tx, ADA, cart_version=cart.version, confirm_repeat=False)
        clock.advance(hours=72)
        checkout.gateway.move(begun.attempt.id, "succeeded")

        assert (await checkout.webhook(begun.attempt)).state == "paid"

    async def test_cannot_be_canceled_meanwhile(self, checkout, order):
        checkout.gateway.answer = "processing"
        await checkout.pay(order)

        with pytest.raises(IllegalTransitionError):
            await checkout.cancel(order)
        assert OrderCanceled not in await checkout.told(order)


class TestAnAttemptThatFails:
    async def test_leaves_the_order_to_be_paid_by_the_same_intent(self, checkout, order):
        begun = await checkout.pay(order)
        checkout.gateway.move(begun.attempt.id, "requires_method", "card_declined")
        await checkout.webhook(begun.attempt)
        checkout.gateway.move(begun.attempt.id, "succeeded")

        again = await checkout.pay(order)

        assert (again.order.state, again.attempt.id) == ("paid", begun.attempt.id)
