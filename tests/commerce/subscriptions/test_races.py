"""Whoever is quicker: one period is charged once, one trial is had once, no money is lost.

The numbers are those of the list of races that the money path must survive.
"""

import random
from contextlib import suppress

import pytest

from commerce.orders import service as orders
from commerce.orders.model import show
from commerce.payments import service as payments
from commerce.refunds import service as refunds
from commerce.subscriptions import service
from commerce.subscriptions.errors import ChargePendingError, TrialUsedError
from commerce.subscriptions.reactions import REACTIONS
from shared.errors import ExpectedError
from tests.commerce.racing import lost, race, won
from tests.commerce.shop import ADA, BEN
from tests.commerce.subscriptions.bank import KilledError
from tests.commerce.subscriptions.conftest import CARD


async def past_due(shop, bank):
    """Return a subscription whose renewal was declined once."""
    sub = await shop.subscribe(await shop.plan())
    bank.answers = ["card_declined"]
    await shop.until(sub.period_ends_at)
    return await shop.of(sub.id)


async def paid_periods(shop, sub):
    return [
        charge.number
        for charge in await shop.charges(sub)
        if charge.state == "paid" and charge.kind != "change"
    ]


class TestR5LateEvents:
    async def test_that_come_twice_and_in_another_order_change_nothing(self, shop, bank, database):
        sub = await past_due(shop, bank)
        await shop.days(2)
        [first, renewal] = await shop.charges(sub)
        before = await shop.of(sub.id)
        assert before.state == "active"

        for order_id in (renewal.order_id, first.order_id, renewal.order_id):
            order = await shop.order(order_id)
            for reaction in reversed(REACTIONS):
                async with database.transaction() as tx:
                    shown = next(iter(await orders.visible(tx, ADA, [order.id])))
                    event = reaction.event(order=show(shown), at_ms=0)
                    await reaction.run(tx, event)

        assert await shop.of(sub.id) == before

    async def test_that_are_lost_are_made_up_for(self, shop):
        started = await shop.start(await shop.plan())
        await shop.pay(started.order.id)

        await shop.work()

        assert (await shop.of(started.subscription.id)).state == "active"


class TestR17DunningPayingAndCanceling:
    async def test_a_try_that_is_paid_while_the_subscriber_cancels_is_given_back(
        self, shop, bank, database
    ):
        sub = await past_due(shop, bank)
        [*_, renewal] = await shop.charges(sub)

        async def cancel():
            await shop.act(service.cancel_now, sub)

        bank.meanwhile = cancel
        await shop.until(sub.next_try_at)

        assert (await shop.of(sub.id)).state == "canceled"
        assert [each.state for each in await shop.charges(sub)] == ["paid", "returned"]
        async with database.transaction() as tx:
            [refund] = await refunds.refunds_of_order(tx, renewal.order_id)
        assert refund.amount_minor == 1000

    async def test_a_try_while_the_subscriber_pays_is_one_charge(self, shop, bank):
        sub = await past_due(shop, bank)
        [*_, renewal] = await shop.charges(sub)

        async def pay():
            attempt = await shop.attempt(renewal.order_id)
            bank.pay(attempt)

        bank.meanwhile = pay
        await shop.until(sub.next_try_at)
        await shop.work()

        assert (await shop.of(sub.id)).state == "active"
        assert len(bank.charged) == 2

    async def test_trying_canceling_and_asking_at_once_ends_in_order(self, shop, bank, database):
        sub = await past_due(shop, bank)
        shop.clock.advance(days=2)

        await race(
            database,
            service.turn,
            lambda tx: service.retry(tx, ADA, sub.id),
            lambda tx: service.cancel_now(tx, ADA, sub.id),
        )
        await shop.work()

        assert (await shop.of(sub.id)).state == "canceled"
        assert len(bank.charged) == 1


class TestR19ChangingAtTheBoundary:
    async def test_charges_the_next_period_once_and_nothing_else(self, shop, bank, database):
        sub = await shop.subscribe(await shop.plan())
        pro = await shop.plan("Pro", price=3000)
        shop.clock.advance(seconds=(sub.period_ends_at - shop.clock.now()).total_seconds())

        outcomes = await race(
            database,
            service.turn,
            lambda tx: service.change(tx, ADA, sub.id, pro.id, when="now"),
            service.turn,
        )
        assert set(lost(outcomes)) <= {ChargePendingError}
        await shop.work()

        after = await shop.of(sub.id)
        assert after.period_number == 2
        assert sorted(await paid_periods(shop, sub)) == [1, 2]
        paid = sum(amount for _, amount in bank.charged)
        assert paid == 1000 + {"Basic": 1000, "Pro": 3000}[after.title]  # whoever was first
        assert after.value_minor + after.credit_minor <= paid

    async def test_a_change_that_is_paid_after_the_period_is_owed(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        pro = await shop.plan("Pro", price=3000)
        shop.clock.advance(days=10)
        _, order = await shop.act(service.change, sub, pro.id, when="now")
        attempt = await shop.attempt(order)
        await shop.turn_at(sub.period_ends_at)
        due = (await shop.order(order)).total_minor

        seen = bank.pay(attempt)
        async with shop.database.transaction() as tx:
            await orders.settle(tx, await payments.record(tx, attempt.id, seen))
        await shop.follow(order)

        after = await shop.of(sub.id)
        assert after.title == "Basic"
        assert after.credit_minor == due


class TestR20OneTrial:
    async def test_of_one_card_is_had_once_however_many_ask(self, shop, database):
        plan = await shop.plan(trial_days=14)
        for user in (ADA, BEN):
            await payments.customer_for(database, shop.bank, user)
        wanted = service.Wanted(plan=plan.id, method=CARD, trial=True)

        outcomes = await race(
            database,
            lambda tx: service.start(tx, ADA, wanted),
            lambda tx: service.start(tx, BEN, wanted),
        )

        assert len(won(outcomes)) == 1
        assert lost(outcomes) == [TrialUsedError]

    async def test_of_one_account_is_one_subscription(self, shop, database):
        plan = await shop.plan(trial_days=14)
        outcomes = await race(
            database,
            *(
                lambda tx, card=card: service.start(
                    tx,
                    ADA,
                    service.Wanted(
                        plan=plan.id,
                        method=service.Method(id=card, fingerprint=card),
                        trial=True,
                    ),
                )
                for card in ("pm_1", "pm_2", "pm_3")
            ),
        )

        assert len(won(outcomes)) == 1


class TestAWorkerThatIsKilled:
    """Each step commits before the next begins; whatever is left out is taken up again."""

    async def test_before_the_bank_is_asked_charges_afterwards(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.kills_before = True
        with pytest.raises(KilledError):
            await shop.until(sub.period_ends_at)
        bank.kills_before = False

        await shop.work()

        assert (await shop.of(sub.id)).state == "active"
        assert await paid_periods(shop, sub) == [1, 2]
        assert len(bank.charged) == 2

    async def test_before_the_banks_answer_is_written_down_charges_once(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.kills_after = True
        with pytest.raises(KilledError):
            await shop.until(sub.period_ends_at)
        bank.kills_after = False

        await shop.work()

        assert await paid_periods(shop, sub) == [1, 2]
        assert len(bank.charged) == 2

    async def test_after_a_decline_was_not_written_down_counts_it_once(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.answers = ["card_declined"]
        bank.kills_after = True
        with pytest.raises(KilledError):
            await shop.until(sub.period_ends_at)
        bank.kills_after = False

        await shop.work()
        await shop.work()

        after = await shop.of(sub.id)
        assert (after.state, after.failures) == ("past_due", 1)

    async def test_that_hears_no_answer_asks_after_it(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.is_deaf = True
        await shop.until(sub.period_ends_at)
        assert await paid_periods(shop, sub) == [1]
        bank.is_deaf = False

        await shop.work()

        assert await paid_periods(shop, sub) == [1, 2]
        assert len(bank.charged) == 2

    async def test_between_the_money_and_the_subscription_makes_up_for_it(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        await shop.turn_at(sub.period_ends_at)
        [*_, renewal] = await shop.charges(sub)
        await shop.pay(renewal.order_id)

        await shop.work()

        assert await paid_periods(shop, sub) == [1, 2]
        assert len(bank.charged) == 2


class TestAChargeThatBreaks:
    async def test_does_not_keep_the_others_from_being_tried(self, shop, bank):
        plan = await shop.plan()
        subs = [await shop.subscribe(plan, user=user) for user in (ADA, BEN)]

        async def explode():
            raise RuntimeError("boom")

        bank.meanwhile = explode
        await shop.until(subs[1].period_ends_at)
        assert len(bank.charged) == 3

        shop.clock.advance(minutes=10)
        await shop.work()

        assert len(bank.charged) == 4


class TestRandomHistories:
    @pytest.mark.parametrize("seed", range(6))
    async def test_charge_no_period_twice_and_lose_no_money(self, shop, bank, seed):
        dice = random.Random(seed)  # noqa: S311 - a history that can be told again
        plans = [
            await shop.plan(),
            await shop.plan("Pro", price=3000),
            await shop.plan("Yearly", price=9000, unit="year"),
        ]
        sub = await shop.subscribe(plans[0])
        acts = (
            lambda: shop.act(service.pause, sub),
            lambda: shop.act(service.resume, sub),
            lambda: shop.act(service.retry, sub),
            lambda: shop.act(service.change, sub, dice.choice(plans).id, when="now"),
            lambda: shop.act(service.change, sub, dice.choice(plans).id, when="at_period_end"),
            lambda: shop.act(service.set_cancel, sub, cancels=False),
        )
        for _ in range(40):
            bank.answers = ["card_declined"] * dice.choice((0, 0, 0, 1))
            if dice.random() < 0.5:
                with suppress(ExpectedError):
                    await dice.choice(acts)()
            shop.clock.advance(hours=dice.randint(1, 400))
            await shop.work()

        periods = await paid_periods(shop, sub)
        assert len(periods) == len(set(periods))
        settled = [each for each in await shop.charges(sub) if each.state in {"paid", "returned"}]
        assert sum(each.due_minor for each in settled) == sum(paid for _, paid in bank.charged)
        after = await shop.of(sub.id)
        assert after.value_minor + after.credit_minor <= sum(paid for _, paid in bank.charged)
