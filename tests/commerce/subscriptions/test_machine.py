"""The ways of a subscription: what is in no table cannot happen."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from commerce.subscriptions.errors import IllegalSubscriptionStepError, TooManyTriesError
from commerce.subscriptions.model import (
    DUNNING_DAYS,
    ENTITLED,
    OVER,
    STATES,
    STAYS,
    TRANSITIONS,
    Interval,
    machine,
)
from commerce.subscriptions.model.periods import boundary
from tests.commerce.subscriptions.builders import (
    MONTH,
    MORNING,
    YEAR,
    a_charge,
    a_plan,
    a_subscription,
)

LATER = MORNING + timedelta(days=10)
PRO = a_plan("pro")

ACTS = {
    "start_trial": lambda sub, at: machine.start_trial(sub, at + timedelta(days=14)),
    "activate": lambda sub, at: machine.activate(sub, a_charge(sub, kind="start"), at),
    "begin_renewal": lambda sub, at: machine.begin_renewal(sub, a_plan(), 1000, at),
    "pay": lambda sub, at: machine.pay(sub, a_charge(sub), at),
    "fail": lambda sub, at: machine.fail(sub, at, "card_declined"),
    "ask_for_try": lambda sub, _: machine.ask_for_try(sub),
    "change": lambda sub, at: machine.change(sub, a_charge(sub), PRO, at),
    "plan_change": lambda sub, _: machine.plan_change(sub, PRO.id),
    "plan_cancel": lambda sub, _: machine.plan_cancel(sub, cancels=True),
    "cancel": machine.cancel,
    "give_up": machine.give_up,
    "pause": lambda sub, at: machine.pause(sub, at, None),
    "resume": machine.resume,
    "credit": lambda sub, _: machine.credit(sub, 5, "paid twice"),
}

ALLOWED = {
    "start_trial": {"incomplete"},
    "activate": {"incomplete"},
    "begin_renewal": {"trialing", "active"},
    "pay": {"active", "past_due", "unpaid"},
    "fail": {"active", "past_due", "unpaid"},
    "ask_for_try": {"past_due", "unpaid"},
    "change": {"trialing", "active"},
    "plan_change": {"trialing", "active"},
    "plan_cancel": {"trialing", "active", "past_due"},
    "cancel": {"incomplete", "trialing", "active", "past_due", "unpaid", "paused"},
    "give_up": {"incomplete"},
    "pause": {"active"},
    "resume": {"paused"},
    "credit": set(STATES),
}


class TestTheTable:
    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("act", ACTS)
    def test_allows_each_act_in_some_states_and_no_others(self, act, state):
        sub = a_subscription(state)
        if state in ALLOWED[act]:
            ACTS[act](sub, LATER)
        else:
            with pytest.raises(IllegalSubscriptionStepError):
                ACTS[act](sub, LATER)

    def test_leads_out_of_every_state_that_is_not_over(self):
        assert {state for state in STATES if not TRANSITIONS[state]} == OVER

    @settings(max_examples=300, deadline=None)
    @given(
        acts=st.lists(
            st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 40)), min_size=5, max_size=60
        )
    )
    def test_is_never_left_whatever_happens_in_whatever_order(self, acts):
        sub, at = a_subscription("incomplete"), MORNING
        for act, days in acts:
            at += timedelta(days=days)
            try:
                step = ACTS[act](sub, at)
            except (IllegalSubscriptionStepError, TooManyTriesError):
                continue
            if step is None:
                continue
            after = step.after
            assert after.version == sub.version + 1
            moved = TRANSITIONS[sub.state].get(after.state) == step.fact
            assert moved or (after.state == sub.state and sub.state in STAYS[step.fact])
            assert after.period_starts_at < after.period_ends_at
            assert (after.due_at is None) == (
                after.is_over or (after.state == "paused" and after.resumes_at is None)
            )
            sub = after


class TestAYear:
    def test_is_renewed_on_the_last_of_each_month(self):
        sub, days = a_subscription(), []
        for _ in range(12):
            at = sub.period_ends_at
            sub = machine.begin_renewal(sub, a_plan(), 1000, at).after
            sub = machine.pay(sub, a_charge(sub), at).after
            days.append(sub.period_starts_at.day)

        assert days == [28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]
        assert sub.period_number == 13

    def test_of_a_shop_that_stood_still_is_not_charged_for(self):
        sub = a_subscription()
        at = boundary(MORNING, MONTH, 5, time_zone="UTC") + timedelta(days=3)

        sub = machine.begin_renewal(sub, a_plan(), 1000, at).after

        assert sub.period_number == 6
        assert sub.period_starts_at <= at < sub.period_ends_at


class TestDunning:
    def test_tries_again_after_2_5_7_and_7_days_and_then_no_more(self):
        sub, at, waits = a_subscription(), MORNING, []
        for _ in DUNNING_DAYS:
            sub = machine.fail(sub, at, "card_declined").after
            waits.append((sub.next_try_at - at).days)
            at = sub.next_try_at
            assert sub.state == "past_due"
            assert sub.state in ENTITLED

        sub = machine.fail(sub, at, "card_declined").after

        assert waits == [2, 5, 7, 7]
        assert sub.state == "unpaid"
        assert not sub.is_entitled
        assert machine.fail(sub, at, "card_declined") is None

    def test_is_not_hurried_by_tries_the_subscriber_asks_for(self):
        sub = machine.fail(a_subscription(), MORNING, "card_declined").after
        asked = machine.ask_for_try(sub).after

        failed = machine.fail(asked, MORNING + timedelta(hours=1), "card_declined").after

        assert (failed.failures, failed.next_try_at) == (1, sub.next_try_at)

    def test_allows_five_tries_that_the_subscriber_asks_for(self):
        sub = a_subscription("past_due")
        for _ in range(5):
            sub = machine.ask_for_try(sub).after
        with pytest.raises(TooManyTriesError):
            machine.ask_for_try(sub)

    def test_that_ends_well_keeps_the_period(self):
        sub = machine.fail(a_subscription(), MORNING, "card_declined").after

        paid = machine.pay(sub, a_charge(sub), MORNING + timedelta(days=2)).after

        assert (paid.state, paid.failures, paid.next_try_at) == ("active", 0, None)
        assert paid.period_ends_at == sub.period_ends_at

    def test_that_ends_well_after_the_period_begins_it_anew(self):
        week = a_plan(interval=Interval(unit="week", count=1))
        sub = machine.fail(a_subscription(plan=week), MORNING, "card_declined").after
        at = MORNING + timedelta(days=14)

        paid = machine.pay(sub, a_charge(sub), at).after

        assert paid.period_starts_at == at
        assert paid.period_ends_at == at + timedelta(days=7)
        assert paid.period_number == sub.period_number


class TestAPause:
    @given(
        before=st.integers(0, 28 * 86_400 - 1),
        length=st.integers(0, 10**8),
        price=st.integers(0, 10**9),
    )
    def test_keeps_what_is_left_of_the_period_and_its_worth(self, before, length, price):
        sub = a_subscription(price=price)
        at = MORNING + timedelta(seconds=before)
        again = at + timedelta(seconds=length)

        resumed = machine.resume(machine.pause(sub, at, None).after, again).after

        assert resumed.period_ends_at - again == sub.period_ends_at - at
        assert resumed.unused_minor(again) == sub.unused_minor(at)
        assert resumed.begins_at(resumed.period_number + 1) == resumed.period_ends_at

    def test_is_over_by_itself_if_that_was_said(self):
        paused = machine.pause(a_subscription(), MORNING, LATER).after

        assert paused.due_at == LATER


class TestAChange:
    def test_within_the_same_length_keeps_the_period(self):
        sub = a_subscription()
        changed = machine.change(
            sub, a_charge(sub, kind="change", price=3000, value=2000), PRO, LATER
        ).after

        assert (changed.plan_id, changed.price_minor) == (PRO.id, 3000)
        assert changed.period_ends_at == sub.period_ends_at
        assert (changed.value_minor, changed.value_from) == (2000, LATER)

    def test_to_another_length_begins_a_period(self):
        sub = a_subscription()
        yearly = a_plan("yearly", interval=YEAR)

        changed = machine.change(sub, a_charge(sub, kind="change"), yearly, LATER).after

        assert changed.period_starts_at == LATER
        assert changed.period_ends_at == boundary(LATER, YEAR, 1, time_zone="UTC")
        assert changed.period_number == sub.period_number + 1

    def test_for_the_next_period_holds_from_its_beginning(self):
        sub = machine.plan_change(a_subscription(), PRO.id).after
        yearly = msgspec.structs.replace(PRO, interval_unit="year")
        at = sub.period_ends_at + timedelta(minutes=1)

        renewed = machine.begin_renewal(sub, yearly, 9000, at).after

        assert renewed.plan_id == PRO.id
        assert renewed.next_plan_id is None
        assert renewed.period_starts_at == sub.period_ends_at
        assert renewed.period_ends_at == boundary(sub.period_ends_at, YEAR, 1, time_zone="UTC")

    def test_during_a_trial_costs_nothing_and_keeps_its_end(self):
        sub = machine.start_trial(a_subscription("incomplete"), LATER).after

        changed = machine.change(sub, a_charge(sub, kind="change"), PRO, MORNING).after

        assert changed.state == "trialing"
        assert changed.period_ends_at == LATER


class TestATrial:
    def test_is_followed_by_the_first_period(self):
        sub = machine.start_trial(a_subscription("incomplete", period_number=0), LATER).after

        begun = machine.begin_renewal(sub, a_plan(), 1000, LATER).after

        assert (begun.state, begun.period_number) == ("active", 1)
        assert begun.period_starts_at == LATER
        assert begun.period_ends_at == boundary(LATER, MONTH, 1, time_zone="UTC")
