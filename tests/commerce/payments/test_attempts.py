"""Attempts from the row to Stripe and back, whatever breaks in between."""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from commerce.payments import service as payments
from commerce.payments.errors import LiveAttemptExistsError, PaymentNotOpenError
from commerce.payments.model import AWAITS_ANSWER, Charge, Refused, Snapshot, Unheard
from protocol.ids import OrderId, UserId
from protocol.money import Money
from shared.clock import SystemClock
from tests.commerce.racing import lost, race, won

BUYER = UserId("usr_01JD00000000000000000000A1")


@pytest.fixture
def clock():
    """Stripe's time is the wall's, and so is ours where they meet."""
    return SystemClock()


class Till:
    """Each act is a transaction of its own, or a call outside of any."""

    def __init__(self, database, gateway):
        self.database = database
        self.gateway = gateway
        self.customer = None

    async def open(self, order=None, *, amount=1250, currency="EUR", **facts):
        async with self.database.transaction() as tx:
            charge = Charge(
                order=order or OrderId(tx.mint("ord")),
                buyer=BUYER,
                amount=Money(amount_minor=amount, currency=currency),
                created_by_run="test",
                **facts,
            )
            return await payments.open_attempt(tx, charge)

    async def submit(self, attempt):
        return await payments.submit(self.gateway, attempt, customer=self.customer)

    async def record(self, attempt, outcome):
        async with self.database.transaction() as tx:
            return await payments.record(tx, attempt.id, outcome)

    async def pay(self, order=None, **facts):
        attempt = await self.open(order, **facts)
        return await self.record(attempt, await self.submit(attempt))

    async def again(self, attempt, method):
        async with self.database.transaction() as tx:
            attempt = await payments.try_again(tx, attempt.id, method)
        return await self.record(attempt, await self.submit(attempt))

    async def ask_after(self, attempt, *, now=None):
        outcome = await payments.ask_after(
            self.gateway, attempt, customer=self.customer, now=now or self.database.clock.now()
        )
        return await self.record(attempt, outcome)

    async def give_up(self, attempt):
        outcome = await payments.cancel(self.gateway, attempt)
        async with self.database.transaction() as tx:
            return await payments.give_up(tx, attempt.id, outcome)


@pytest_asyncio.fixture
async def till(database, gateway):
    return Till(database, gateway)


async def charges_of(account, intent_id):
    listed = await account.api.charges.list_async({"payment_intent": intent_id, "limit": 100})
    return [each for each in listed.data if each.status == "succeeded"]


class TestAnAttempt:
    async def test_without_a_method_waits_for_the_browser(self, till):
        attempt = await till.pay()

        assert attempt.state == "requires_method"
        assert attempt.client_secret.startswith(f"{attempt.intent_id}_secret_")

    async def test_with_a_good_card_is_paid_at_once(self, till, account):
        attempt = await till.pay(method="pm_card_visa")

        assert (attempt.state, attempt.captured_minor) == ("succeeded", 1250)
        assert attempt.charge_id.startswith(("ch_", "py_"))
        intent = await account.api.payment_intents.retrieve_async(attempt.intent_id)
        assert intent.metadata["rialto_payment"] == attempt.id

    async def test_that_is_declined_may_be_paid_with_another_card(self, till, account):
        declined = await till.pay(method="pm_card_visa_chargeDeclinedInsufficientFunds")

        paid = await till.again(declined, "pm_card_visa")

        assert (declined.state, declined.failure) == ("requires_method", "insufficient_funds")
        assert paid.state == "succeeded"
        assert len(await charges_of(account, paid.intent_id)) == 1

    async def test_that_the_bank_asks_about_waits_for_the_buyer(self, till, account):
        waiting = await till.pay(method="pm_card_threeDSecure2Required")

        await account.control(f"payment_intents/{waiting.intent_id}/challenge", succeeds=True)
        paid = await till.ask_after(waiting)

        assert (waiting.state, paid.state) == ("requires_action", "succeeded")

    async def test_of_a_sum_that_stripe_does_not_take_is_over(self, till):
        attempt = await till.pay(amount=1, method="pm_card_visa")

        assert (attempt.state, attempt.failure) == ("failed", "amount_too_small")

    @pytest.mark.parametrize(("amount", "currency"), [(500, "JPY"), (12340, "KWD"), (900, "ISK")])
    async def test_is_over_the_same_sum_in_every_kind_of_currency(self, till, amount, currency):
        attempt = await till.pay(amount=amount, currency=currency, method="pm_card_visa")

        assert (attempt.state, attempt.captured_minor) == ("succeeded", amount)

    async def test_that_was_given_up_takes_no_money(self, till):
        waiting = await till.pay()

        canceled = await till.give_up(waiting)

        assert canceled.state == "canceled"

    async def test_that_was_paid_meanwhile_cannot_be_given_up(self, till, account):
        waiting = await till.pay()
        await account.api.payment_intents.confirm_async(
            waiting.intent_id,
            {"payment_method": "pm_card_visa", "return_url": "https://shop.example/orders/1"},
        )

        assert (await till.give_up(waiting)).state == "succeeded"

    async def test_that_never_came_to_stripe_is_over_when_given_up(self, till):
        attempt = await till.open()

        assert (await till.give_up(attempt)).state == "failed"

    async def test_cannot_be_tried_again_while_it_is_under_way(self, till):
        attempt = await till.open()

        with pytest.raises(PaymentNotOpenError):
            await till.again(attempt, "pm_card_visa")


class TestTwoAttempts:
    async def test_at_once_for_one_order_cannot_be(self, till, database):
        order = OrderId("ord_01JD00000000000000000000R1")

        def open_one(tx):
            charge = Charge(
                order=order,
                buyer=BUYER,
                amount=Money(amount_minor=1250, currency="EUR"),
                created_by_run="test",
            )
            return payments.open_attempt(tx, charge)

        outcomes = await race(database, open_one, open_one, open_one)

        assert len(won(outcomes)) == 1
        assert lost(outcomes) == [LiveAttemptExistsError] * 2

    async def test_follow_one_another_when_the_first_is_over(self, till):
        first = await till.pay()
        await till.give_up(first)

        second = await till.pay(first.order_id, method="pm_card_visa")

        assert second.state == "succeeded"


class TestAnAnswerNobodyHeard:
    """R9 and R10: the call has its effect, and nobody here knows."""

    async def test_is_asked_for_again_and_charges_once(self, till, account):
        attempt = await till.open(method="pm_card_visa")
        await account.control("faults", kind="cut_after", count=3, path="/v1/payment_intents")
        unknown = await till.record(attempt, await till.submit(attempt))
        await account.control("faults", verb="DELETE")

        paid = await till.ask_after(unknown)

        assert (unknown.state, paid.state) == ("unknown", "succeeded")
        assert len(await charges_of(account, paid.intent_id)) == 1

    async def test_is_looked_up_when_stripe_may_have_forgotten_the_key(self, till, account):
        attempt = await till.open(method="pm_card_visa")
        await account.control("faults", kind="cut_after", count=3, path="/v1/payment_intents")
        unknown = await till.record(attempt, await till.submit(attempt))
        await account.control("faults", verb="DELETE")
        old = msgspec.structs.replace(unknown, submitted_at=unknown.submitted_at.replace(year=2025))

        paid = await till.ask_after(old)

        assert paid.state == "succeeded"
        assert len(await charges_of(account, paid.intent_id)) == 1

    async def test_of_a_call_that_never_arrived_is_repeated(self, till, account):
        attempt = await till.open(method="pm_card_visa")
        await account.control("faults", kind="cut_before", count=3, path="/v1/payment_intents")
        outcome = await till.submit(attempt)
        unknown = await till.record(attempt, outcome)

        assert isinstance(outcome, Unheard)
        assert (await till.ask_after(unknown)).state == "succeeded"

    async def test_by_a_process_that_died_before_it_recorded_is_found(self, till, database):
        attempt = await till.open(method="pm_card_visa")
        lost_answer = await till.submit(attempt)  # and then it was killed

        async with database.transaction() as tx:
            (found,) = await payments.unsettled(tx, AWAITS_ANSWER, for_seconds=-60)
        paid = await till.ask_after(found)

        assert isinstance(lost_answer, Snapshot)
        assert paid.state == "succeeded"
        assert paid.intent_id == lost_answer.intent_id

    async def test_by_two_who_ask_at_once_charges_once(self, till, account):
        attempt = await till.open(method="pm_card_visa")

        outcomes = await asyncio.gather(*(till.submit(attempt) for _ in range(4)))
        for outcome in outcomes:
            paid = await till.record(attempt, outcome)

        assert paid.state == "succeeded"
        assert len(await charges_of(account, paid.intent_id)) == 1

    async def test_of_a_look_up_says_when_there_never_was_an_intent(self, till, gateway):
        attempt = await till.open()

        assert await gateway.look_up(attempt) == Refused("never_submitted")


class TestWhoABuyerIsAtStripe:
    """R21: nobody is made twice."""

    async def test_is_one_customer_however_many_ask_at_once(self, database, gateway):
        found = await asyncio.gather(
            *(payments.customer_for(database, gateway, BUYER) for _ in range(5))
        )

        assert len(set(found)) == 1
