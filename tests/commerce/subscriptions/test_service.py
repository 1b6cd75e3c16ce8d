"""Subscribing, renewing, changing, pausing, ending: with real orders, and a clock that is set."""

from datetime import UTC, datetime, timedelta

import pytest

from commerce.accounts import service as accounts
from commerce.accounts.model import NewUser
from commerce.discounts import service as discounts
from commerce.discounts.model import NewDiscount
from commerce.notifications import service as notifications
from commerce.notifications.reactions import tell_of_subscription
from commerce.subscriptions import service
from commerce.subscriptions.errors import (
    AlreadySubscribedError,
    ChargePendingError,
    IllegalSubscriptionStepError,
    PlanNotSoldInCurrencyError,
    SamePlanError,
    SubscriptionNotFoundError,
    TrialMethodNeededError,
    TrialUsedError,
)
from protocol.events import SubscriptionChanged
from protocol.ids import UserId
from protocol.topics import user_topic
from tests.commerce.outbox import events_told
from tests.commerce.shop import ADA, BEN
from tests.commerce.subscriptions.conftest import CARD


async def a_code(database, **facts):
    async with database.transaction() as tx:
        return await discounts.create(tx, NewDiscount(code="HALF", percent_ppm=500_000, **facts))


class TestSubscribing:
    async def test_begins_when_the_first_order_is_paid(self, shop, clock):
        started = await shop.start(await shop.plan())
        assert started.subscription.state == "incomplete"
        assert await shop.entitlements() == []

        clock.advance(minutes=5)
        await shop.pay(started.order.id)
        await shop.follow(started.order.id)

        sub = await shop.of(started.subscription.id)
        assert sub.state == "active"
        assert sub.period_starts_at == clock.now()
        assert sub.value_minor == 1000
        assert await shop.entitlements() == ["basic"]

    async def test_tells_every_step_on_the_subscribers_topic(self, shop, database):
        sub = await shop.subscribe(await shop.plan())

        told = [
            each.subscription
            for each in await events_told(database, user_topic(ADA))
            if isinstance(each, SubscriptionChanged)
        ]
        assert [each.state for each in told] == ["incomplete", "active"]
        assert told[-1].version == sub.version
        assert await shop.facts(sub) == ["started", "activated"]

    async def test_is_once_for_each_thing_there_is_to_subscribe_to(self, shop):
        plan = await shop.plan()
        await shop.subscribe(plan)

        with pytest.raises(AlreadySubscribedError):
            await shop.start(plan)
        await shop.subscribe(plan, user=BEN)

    async def test_is_given_up_if_nobody_pays(self, shop, clock):
        started = await shop.start(await shop.plan())

        await shop.until(clock.now() + timedelta(hours=24))

        assert (await shop.of(started.subscription.id)).state == "incomplete_expired"
        assert (await shop.order(started.order.id)).state == "canceled"
        await shop.subscribe(await shop.plan())

    async def test_to_a_plan_that_costs_nothing_begins_at_once(self, shop):
        started = await shop.start(await shop.plan(price=0))

        assert started.subscription.state == "active"

    async def test_is_refused_in_a_currency_the_plan_is_not_sold_in(self, shop):
        plan = await shop.plan()
        with pytest.raises(PlanNotSoldInCurrencyError):
            await shop.start(plan, currency="JPY")

    async def test_is_seen_by_its_subscriber_only(self, shop):
        sub = await shop.subscribe(await shop.plan())
        with pytest.raises(SubscriptionNotFoundError):
            await shop.of(sub.id, user=BEN)


class TestAYear:
    async def test_is_charged_twelve_times_on_the_last_of_the_month(self, shop, clock, bank):
        clock.advance(days=(datetime(2027, 1, 31, tzinfo=UTC) - clock.now()).days)
        sub = await shop.subscribe(await shop.plan())

        days = []
        for _ in range(11):
            sub = await shop.of(sub.id)
            await shop.until(sub.period_ends_at)
            days.append(clock.now().day)

        assert days == [28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30] or days[0] == 28
        assert len(bank.charged) == 12
        charges = await shop.charges(sub)
        assert [each.number for each in charges] == list(range(1, 13))
        assert {each.state for each in charges} == {"paid"}

    async def test_goes_on_at_the_price_it_was_begun_at(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())

        await shop.until(sub.period_ends_at)

        assert [amount for _, amount in bank.charged] == [1000, 1000]

    async def test_of_a_worker_that_stood_still_is_not_charged_afterwards(self, shop, clock, bank):
        sub = await shop.subscribe(await shop.plan())

        await shop.until(sub.begins_at(6) + timedelta(days=1))

        sub = await shop.of(sub.id)
        assert len(bank.charged) == 2
        assert sub.period_number == 6
        assert sub.period_starts_at <= clock.now() < sub.period_ends_at


class TestATrial:
    async def test_costs_nothing_and_is_followed_by_the_first_period(self, shop, clock, bank):
        plan = await shop.plan(trial_days=14)
        started = await shop.start(plan, method=CARD, trial=True)
        assert (started.subscription.state, started.order) == ("trialing", None)
        assert await shop.entitlements() == ["basic"]

        await shop.days(13)
        assert bank.charged == []
        await shop.days(1)

        sub = await shop.of(started.subscription.id)
        assert (sub.state, sub.period_number) == ("active", 1)
        assert len(bank.charged) == 1

    async def test_is_once_for_an_account_and_once_for_a_card(self, shop):
        plan = await shop.plan(trial_days=14)
        first = (await shop.start(plan, method=CARD, trial=True)).subscription
        await shop.act(service.cancel_now, first)
        other = service.Method(id="pm_2", fingerprint="fp_2")

        with pytest.raises(TrialUsedError):
            await shop.start(plan, method=other, trial=True)
        with pytest.raises(TrialUsedError):
            await shop.start(plan, method=CARD, trial=True, user=BEN)
        await shop.start(plan, method=other, trial=True, user=BEN)

    async def test_needs_a_stored_method(self, shop):
        plan = await shop.plan(trial_days=14)
        with pytest.raises(TrialMethodNeededError):
            await shop.start(plan, trial=True)

    async def test_that_is_canceled_ends_without_a_charge(self, shop, bank):
        plan = await shop.plan(trial_days=14)
        sub = (await shop.start(plan, method=CARD, trial=True)).subscription
        await shop.act(service.set_cancel, sub, cancels=True)

        await shop.days(15)

        assert (await shop.of(sub.id)).state == "canceled"
        assert bank.charged == []


class TestDunning:
    async def test_tries_after_2_5_7_and_7_days_and_then_waits_for_30(self, shop, bank, clock):
        sub = await shop.subscribe(await shop.plan())
        bank.answers = ["card_declined"] * 5
        await shop.until(sub.period_ends_at)
        begun = clock.now()
        assert (await shop.of(sub.id)).state == "past_due"
        assert await shop.entitlements() == ["basic"]

        tried = []
        for _ in range(21 * 2):
            left = len(bank.answers)
            await shop.days(1)
            if len(bank.answers) < left:
                tried.append((clock.now() - begun).days)
            if not bank.answers:
                break

        assert tried == [2, 7, 14, 21]
        assert (await shop.of(sub.id)).state == "unpaid"
        assert await shop.entitlements() == []
        await shop.days(31)
        assert (await shop.of(sub.id)).state == "canceled"
        assert len(bank.charged) == 1

    async def test_ends_with_the_first_try_that_is_paid(self, shop, bank, clock):
        sub = await shop.subscribe(await shop.plan())
        bank.answers = ["card_declined", "insufficient_funds"]
        await shop.until(sub.period_ends_at)

        await shop.days(8)

        sub = await shop.of(sub.id)
        assert (sub.state, sub.failures) == ("active", 0)
        assert len(bank.charged) == 2
        assert (await shop.facts(sub))[-4:] == [
            "renewal_begun",
            "payment_failed",
            "payment_failed",
            "recovered",
        ]

    async def test_ends_when_the_subscriber_pays_the_order(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.answers = ["card_declined"]
        await shop.until(sub.period_ends_at)
        [*_, renewal] = await shop.charges(sub)

        await shop.pay(renewal.order_id)
        await shop.follow(renewal.order_id)

        assert (await shop.of(sub.id)).state == "active"
        await shop.days(10)
        assert len(bank.charged) == 2

    async def test_is_tried_when_the_subscriber_asks_for_it(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.answers = ["card_declined"]
        await shop.until(sub.period_ends_at)

        await shop.act(service.retry, sub)
        await shop.work()

        assert (await shop.of(sub.id)).state == "active"

    async def test_begins_where_no_method_is_stored(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.stored = []

        await shop.until(sub.period_ends_at)

        assert (await shop.of(sub.id)).state == "past_due"

    async def test_is_the_same_however_often_its_orders_are_looked_at(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.answers = ["card_declined"]
        await shop.until(sub.period_ends_at)
        [*_, renewal] = await shop.charges(sub)
        before = await shop.of(sub.id)

        for _ in range(3):
            await shop.follow(renewal.order_id)

        assert await shop.of(sub.id) == before


class TestAChangeOfPlan:
    async def test_upward_is_charged_for_the_rest_of_the_period_and_holds_when_paid(
        self, shop, clock, bank
    ):
        basic, pro = await shop.plan(), await shop.plan("Pro", price=3000)
        sub = await shop.subscribe(basic)
        half = (sub.period_ends_at - sub.period_starts_at) / 2
        clock.advance(seconds=half.total_seconds())

        found = await shop.act(service.preview, sub, pro.id, when="now")
        changed, order = await shop.act(service.change, sub, pro.id, when="now")
        assert changed.plan_id == basic.id
        await shop.work()

        after = await shop.of(sub.id)
        assert found.proration.due_minor == found.total_minor == 1000
        assert (await shop.order(order)).total_minor == 1000
        assert (after.plan_id, after.value_minor, after.credit_minor) == (pro.id, 1500, 0)
        assert after.period_ends_at == sub.period_ends_at
        assert await shop.entitlements() == ["pro"]

    async def test_downward_now_keeps_the_rest_as_credit_for_the_next_period(
        self, shop, clock, bank
    ):
        pro, basic = await shop.plan("Pro", price=3000), await shop.plan()
        sub = await shop.subscribe(pro)
        half = (sub.period_ends_at - sub.period_starts_at) / 2
        clock.advance(seconds=half.total_seconds())

        changed, order = await shop.act(service.change, sub, basic.id, when="now")
        assert order is None
        assert (changed.plan_id, changed.credit_minor) == (basic.id, 1000)
        await shop.until(sub.period_ends_at)

        after = await shop.of(sub.id)
        assert (after.state, after.credit_minor, after.value_minor) == ("active", 0, 1000)
        assert [amount for _, amount in bank.charged] == [3000]

    async def test_for_the_next_period_costs_nothing_now(self, shop, bank):
        pro, basic = await shop.plan("Pro", price=3000), await shop.plan()
        sub = await shop.subscribe(pro)

        changed, order = await shop.act(service.change, sub, basic.id, when="at_period_end")
        assert (changed.plan_id, changed.next_plan_id, order) == (pro.id, basic.id, None)
        await shop.until(sub.period_ends_at)

        assert (await shop.of(sub.id)).plan_id == basic.id
        assert [amount for _, amount in bank.charged] == [3000, 1000]

    async def test_for_the_next_period_is_taken_back_by_choosing_the_present_plan(self, shop):
        pro, basic = await shop.plan("Pro", price=3000), await shop.plan()
        sub = await shop.subscribe(pro)
        await shop.act(service.change, sub, basic.id, when="at_period_end")

        changed, _ = await shop.act(service.change, sub, pro.id, when="at_period_end")

        assert changed.next_plan_id is None
        with pytest.raises(SamePlanError):
            await shop.act(service.change, sub, pro.id, when="at_period_end")

    async def test_to_another_length_begins_a_period(self, shop, clock, bank):
        monthly = await shop.plan()
        yearly = await shop.plan("Yearly", price=10_000, unit="year")
        sub = await shop.subscribe(monthly)
        half = (sub.period_ends_at - sub.period_starts_at) / 2
        clock.advance(seconds=half.total_seconds())

        await shop.act(service.change, sub, yearly.id, when="now")
        await shop.work()

        after = await shop.of(sub.id)
        assert [amount for _, amount in bank.charged] == [1000, 9500]
        assert after.period_starts_at == clock.now()
        assert (after.period_ends_at - after.period_starts_at).days == 365

    async def test_that_is_not_paid_leaves_the_plan_as_it_was(self, shop, bank):
        basic, pro = await shop.plan(), await shop.plan("Pro", price=3000)
        sub = await shop.subscribe(basic)
        bank.answers = ["card_declined"]
        await shop.act(service.change, sub, pro.id, when="now")
        await shop.work()
        assert (await shop.of(sub.id)).plan_id == basic.id

        await shop.until(sub.period_ends_at)

        after = await shop.of(sub.id)
        assert (after.plan_id, after.state) == (basic.id, "active")
        assert [amount for _, amount in bank.charged] == [1000, 1000]

    async def test_waits_for_a_period_that_is_not_paid(self, shop, bank):
        basic, pro = await shop.plan(), await shop.plan("Pro", price=3000)
        sub = await shop.subscribe(basic)
        bank.answers = ["card_declined"]
        await shop.until(sub.period_ends_at)

        with pytest.raises(IllegalSubscriptionStepError):
            await shop.act(service.change, sub, pro.id, when="now")


class TestACode:
    async def test_is_taken_off_the_first_charge_and_counted_once(self, shop, database, bank):
        code = await a_code(database, redemptions_max=1, once_a_customer=True)
        sub = await shop.subscribe(await shop.plan(), code="half")

        await shop.until(sub.period_ends_at)

        assert [amount for _, amount in bank.charged] == [500, 1000]
        async with database.transaction() as tx:
            assert (await discounts.of(tx, code.id)).redeemed == 1

    async def test_may_hold_for_ever(self, shop, database, bank):
        await a_code(database, redemptions_max=1, once_a_customer=True)
        sub = await shop.subscribe(await shop.plan(coupon_periods=None), code="HALF")

        for _ in range(3):
            sub = await shop.of(sub.id)
            await shop.until(sub.period_ends_at)

        assert [amount for _, amount in bank.charged] == [500] * 4


class TestAPause:
    async def test_keeps_the_rest_of_the_period(self, shop, clock, bank):
        sub = await shop.subscribe(await shop.plan())
        await shop.days(10)
        await shop.act(service.pause, sub)
        assert await shop.entitlements() == []
        await shop.days(90)
        assert len(bank.charged) == 1

        resumed = await shop.act(service.resume, sub)

        assert resumed.period_ends_at == sub.period_ends_at + timedelta(days=90)
        await shop.until(resumed.period_ends_at)
        assert len(bank.charged) == 2

    async def test_may_end_by_itself(self, shop, clock):
        sub = await shop.subscribe(await shop.plan())
        await shop.act(service.pause, sub, resumes_at=clock.now() + timedelta(days=7))

        await shop.days(7)

        assert (await shop.of(sub.id)).state == "active"

    async def test_waits_for_what_is_to_be_paid(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        pro = await shop.plan("Pro", price=3000)
        await shop.act(service.change, sub, pro.id, when="now")

        with pytest.raises(ChargePendingError):
            await shop.act(service.pause, sub)


class TestAnEnd:
    async def test_with_the_period_can_be_taken_back(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        await shop.act(service.set_cancel, sub, cancels=True)
        await shop.act(service.set_cancel, sub, cancels=False)
        await shop.until(sub.period_ends_at)
        assert (await shop.of(sub.id)).state == "active"

        await shop.act(service.set_cancel, sub, cancels=True)
        sub = await shop.of(sub.id)
        assert await shop.entitlements() == ["basic"]
        await shop.until(sub.period_ends_at)

        assert (await shop.of(sub.id)).state == "canceled"
        assert await shop.entitlements() == []
        assert len(bank.charged) == 2

    async def test_now_cancels_the_order_that_waits(self, shop, bank):
        sub = await shop.subscribe(await shop.plan())
        bank.answers = ["card_declined"]
        await shop.until(sub.period_ends_at)
        [*_, renewal] = await shop.charges(sub)

        await shop.act(service.cancel_now, sub)
        await shop.work()

        assert (await shop.order(renewal.order_id)).state == "canceled"
        assert (await shop.of(sub.id)).state == "canceled"


class TestASubscriberIsTold:
    async def test_of_each_try_that_failed_and_of_the_end(self, shop, bank, database):
        user = await a_user(database)
        sub = await shop.subscribe(await shop.plan(), user=user)
        bank.answers = ["card_declined"] * 2
        await shop.until(sub.period_ends_at)
        await shop.days(2)
        await shop.act(service.cancel_now, sub, user=user)

        for event in await events_told(database, user_topic(user)):
            if isinstance(event, SubscriptionChanged):
                async with database.transaction() as tx:
                    await tell_of_subscription(tx, event)
        async with database.transaction() as tx:
            listed = await notifications.newest(tx, user, before=None, limit=10)

        assert [each.title for each in reversed(listed.notifications)] == [
            "Basic could not be charged",
            "Basic could not be charged",
            "Basic has ended",
        ]


async def a_user(database):
    async with database.transaction() as tx:
        user = UserId(tx.mint("usr"))
        await accounts.import_user(tx, NewUser(id=user, email="ada@example.org", name="Ada"))
        return user
