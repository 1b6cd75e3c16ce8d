"""From an event to a paid order, whatever order events come in and however often."""

import asyncio
import random

import pytest

from commerce.settlement import service as settlement
from tests.commerce.settlement.till import kind_of, raw_of
from tests.contracts.stripe.account import RETURN_URL

pytestmark = pytest.mark.usefixtures("in_order")


class TestAnEvent:
    async def test_makes_an_order_paid_that_nobody_recorded(self, till):
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)  # And whoever did it was killed.

        await till.hear(*await till.events_about(attempt))
        await till.settle()

        assert (await till.attempt(order)).state == "succeeded"
        assert await till.state(order) in {"paid", "fulfilled"}
        assert await till.count("pending") == 0

    async def test_counts_once_however_often_and_in_whatever_order_it_comes(self, till):
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)
        events = await till.events_about(attempt)
        shuffled = random.Random(4).sample(events * 3, len(events) * 3)  # noqa: S311 - an order of events

        for event in shuffled:
            await till.hear(event)
            await till.settle()

        assert (await till.steps(order)).count("paid") == 1

    async def test_is_a_hint_and_what_is_so_now_counts(self, till):
        order = await till.order()
        attempt = await till.open(order, method=None)
        await till.record(attempt, await till.submit(attempt))
        created = await till.events_about(attempt)
        paid = await till.account.api.payment_intents.confirm_async(
            (await till.attempt(order)).intent_id,
            {"payment_method": "pm_card_visa", "return_url": RETURN_URL},
        )
        assert [kind_of(each) for each in created] == ["payment_intent.created"]
        assert paid.status == "succeeded"

        await till.hear(*created)
        await till.settle()

        assert await till.state(order) in {"paid", "fulfilled"}

    async def test_about_an_intent_that_was_made_elsewhere_is_ignored(self, till, account):
        intent = await account.paid()
        found = await account.api.events.list_async({"limit": 100})
        about = [e for e in found.data if getattr(e.data.object, "id", "") == intent.id]

        await till.hear(*(raw_of(each) for each in about))
        await till.settle()

        assert await till.count("pending") == 0
        assert await till.count("ignored") == len(about)


class TestMoneyThatGoesBack:
    async def test_is_taken_in_though_nobody_here_asked_for_the_refund(self, till, account):
        order = await till.paid()
        intent = (await till.attempt(order)).intent_id

        refund = await account.api.refunds.create_async({"payment_intent": intent})
        await till.hear(*await till.events_of(refund.id))
        await till.settle()

        assert await till.state(order) == "refunded"

    async def test_is_disputed_and_won_back(self, till, account):
        order = await till.paid()
        charge = (await till.attempt(order)).charge_id
        dispute = await account.control(f"charges/{charge}/dispute", reason="fraudulent")
        await till.hear(*await till.events_of(dispute["id"]))
        await till.settle()
        disputed = await till.now(order)
        await account.control(f"disputes/{dispute['id']}/decide", verdict="won")
        await till.hear(*await till.events_of(dispute["id"]))
        await till.settle()

        assert disputed.dispute == "open"
        assert (await till.now(order)).dispute == "won"

    async def test_is_warned_of(self, till, account):
        order = await till.paid()
        warning = await account.control(f"charges/{(await till.attempt(order)).charge_id}/warn")
        await till.hear(*await till.events_of(warning["id"]))
        await till.settle()

        assert await till.count("pending") == 0

    async def test_of_a_payment_that_was_never_ours_is_let_go_after_some_tries(self, till, account):
        intent = await account.paid()
        refund = await account.api.refunds.create_async({"payment_intent": intent.id})
        events = await till.events_of(refund.id)
        await till.hear(*events)

        for _ in range(5):
            await till.settle()
            await make_due(till.database)

        assert await till.count("ignored") == len(events)


class TestWhenStripeDoesNotAnswer:
    async def test_an_event_waits_and_is_taken_up_again(self, till, account):
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)
        event = (await till.events_about(attempt))[-1]
        await till.hear(event)
        await account.control("faults", kind="overload", count=20, method="GET")

        await till.settle()
        waiting = await till.count("pending")
        await account.control("faults", verb="DELETE")
        await make_due(till.database)
        await till.settle()

        assert waiting == 1
        assert await till.state(order) in {"paid", "fulfilled"}

    async def test_an_event_is_given_up_in_the_end_and_can_be_replayed(self, till, account):
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)
        await till.hear((await till.events_about(attempt))[-1])
        await account.control("faults", kind="overload", count=200, method="GET")
        async with till.database.transaction() as tx:
            await tx.execute("update stripe_events set attempts = 8")

        await till.settle()
        dead = await till.count("dead")
        await account.control("faults", verb="DELETE")
        async with till.database.transaction() as tx:
            again = await settlement.replay(tx, only_dead=True)
        await till.settle()

        assert (dead, again) == (1, 1)
        assert await till.state(order) in {"paid", "fulfilled"}


class TestManyWorkers:
    async def test_share_the_events_and_none_is_settled_twice_at_once(self, till):
        orders = [await till.order() for _ in range(3)]
        attempts = [await till.open(order) for order in orders]
        for attempt in attempts:
            await till.submit(attempt)
            await till.hear(*await till.events_about(attempt))
        pending = await till.count("pending")

        taken = await asyncio.gather(*(till.settle() for _ in range(4)))

        assert sum(taken) == pending
        assert {(await till.steps(order)).count("paid") for order in orders} == {1}

    async def test_take_up_what_a_killed_one_had_taken(self, till):
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)
        await till.hear((await till.events_about(attempt))[-1])
        async with till.database.transaction() as tx:
            await tx.execute(
                "update stripe_events set attempts = 1, due_at = now() + interval '60 s'"
            )

        early = await till.settle()
        await make_due(till.database)

        assert (early, await till.settle()) == (0, 1)
        assert await till.state(order) in {"paid", "fulfilled"}


async def make_due(database):
    """Let the time until every retry and every lease have passed."""
    async with database.transaction() as tx:
        await tx.execute("update stripe_events set due_at = now() - interval '1 s'")
