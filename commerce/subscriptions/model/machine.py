"""The ways a subscription may go: every edge there is, and what happens without one.

A step is worked out here, without clock or database, and taken by the service: the subscription's
row, one row in its log, one event. What is in neither table cannot happen.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from commerce.subscriptions.errors import IllegalSubscriptionStepError, TooManyTriesError
from commerce.subscriptions.model.dunning import CUSTOMER_TRIES_MAX, given_up_at, next_try
from commerce.subscriptions.model.periods import boundary
from commerce.subscriptions.model.plan import Plan
from commerce.subscriptions.model.subscription import Charge, Step, Subscription
from protocol.ids import PlanId
from protocol.views import SubscriptionState

Fact = Literal[
    "activated",
    "trial_started",
    "renewal_begun",
    "paid",
    "recovered",
    "payment_failed",
    "dunning_over",
    "try_asked_for",
    "changed",
    "change_planned",
    "change_dropped",
    "cancel_planned",
    "cancel_withdrawn",
    "canceled",
    "given_up",
    "paused",
    "resumed",
    "credited",
    "method_changed",
]

STATES: Final[tuple[SubscriptionState, ...]] = (
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "unpaid",
    "paused",
    "canceled",
)

TRANSITIONS: Final[Mapping[SubscriptionState, Mapping[SubscriptionState, Fact]]] = {
    "incomplete": {
        "trialing": "trial_started",
        "active": "activated",
        "incomplete_expired": "given_up",
        "canceled": "canceled",
    },
    "trialing": {"active": "renewal_begun", "canceled": "canceled"},
    "active": {"past_due": "payment_failed", "paused": "paused", "canceled": "canceled"},
    "past_due": {"active": "recovered", "unpaid": "dunning_over", "canceled": "canceled"},
    "unpaid": {"active": "recovered", "canceled": "canceled"},
    "paused": {"active": "resumed", "canceled": "canceled"},
    "incomplete_expired": {},
    "canceled": {},
}
"""Every edge there is, and what it is called in the log."""

_GOING_ON: Final = frozenset[SubscriptionState]({"trialing", "active"})
_ALIVE: Final = frozenset[SubscriptionState](
    {"incomplete", "trialing", "active", "past_due", "unpaid", "paused"}
)

STAYS: Final[Mapping[Fact, frozenset[SubscriptionState]]] = {
    "renewal_begun": frozenset({"active"}),
    "paid": frozenset({"active"}),
    "payment_failed": frozenset({"past_due"}),
    "try_asked_for": frozenset({"past_due", "unpaid"}),
    "changed": _GOING_ON,
    "change_planned": _GOING_ON,
    "change_dropped": _ALIVE,
    "cancel_planned": _GOING_ON | {"past_due"},
    "cancel_withdrawn": _GOING_ON | {"past_due"},
    "credited": frozenset(STATES),
    "method_changed": _ALIVE,
}
"""What may happen to a subscription without its state becoming another, and in which states."""


def start_trial(sub: Subscription, ends_at: datetime) -> Step:
    """Let a trial begin now: period 0, which costs nothing."""
    return _edge(sub, "trialing", "trial_started", period_ends_at=ends_at, anchor_at=ends_at)


def activate(sub: Subscription, charge: Charge, at: datetime) -> Step:
    """Have the first payment: the first period begins now."""
    anchored = msgspec.structs.replace(sub, anchor_at=at, anchor_number=1)
    return _edge(sub, "active", "activated", **_period(anchored, 1), **_paid_for(sub, charge, at))


def begin_renewal(sub: Subscription, plan: Plan, price_minor: int, at: datetime) -> Step:
    """Go over to the period that is now, on the plan that was chosen for it. It is not paid yet.

    Periods that passed while nobody looked are not charged: the clock of the shop stood still.
    """
    number = sub.period_number + 1
    begins_at = sub.period_ends_at
    turned = msgspec.structs.replace(
        sub,
        plan_id=plan.id,
        title=plan.title,
        price_minor=price_minor,
        interval_unit=plan.interval_unit,
        interval_count=plan.interval_count,
    )
    if turned.interval != sub.interval:
        turned = msgspec.structs.replace(turned, anchor_at=begins_at, anchor_number=number)
    while turned.begins_at(number + 1) <= at:
        number += 1
    known = {
        **_plan_of(turned),
        **_period(turned, number),
        "value_minor": 0,
        "value_from": turned.begins_at(number),
        "next_plan_id": None,
    }
    if sub.state == "trialing":
        return _edge(sub, "active", "renewal_begun", **known)
    return _stay(sub, "renewal_begun", **known)


def pay(sub: Subscription, charge: Charge, at: datetime) -> Step:
    """Have the money of the period that is now, be it at once or after tries that failed."""
    if sub.state == "active":
        return _stay(sub, "paid", **_paid_for(sub, charge, sub.period_starts_at))
    if at < sub.period_ends_at:
        return _edge(sub, "active", "recovered", **_paid_for(sub, charge, sub.period_starts_at))
    anchored = msgspec.structs.replace(sub, anchor_at=at, anchor_number=sub.period_number)
    return _edge(
        sub,
        "active",
        "recovered",
        **_period(anchored, sub.period_number),
        **_paid_for(sub, charge, at),
    )


def fail(sub: Subscription, at: datetime, reason: str) -> Step | None:
    """Have a try to be paid fail; None once nothing is tried any more.

    One that fails before its time was asked for by the subscriber, and leaves the schedule alone.
    """
    if sub.state == "unpaid":
        return None
    if sub.state == "past_due" and sub.next_try_at is not None and at < sub.next_try_at:
        return _stay(sub, "payment_failed", reason)
    failures = sub.failures + 1
    again = next_try(failures, at)
    if again is None:
        return _edge(
            sub, "unpaid", "dunning_over", reason, failures=failures, next_try_at=given_up_at(at)
        )
    if sub.state == "past_due":
        return _stay(sub, "payment_failed", reason, failures=failures, next_try_at=again)
    return _edge(sub, "past_due", "payment_failed", reason, failures=failures, next_try_at=again)


def ask_for_try(sub: Subscription) -> Step:
    """Let the subscriber have a try made now.

    Raises:
        TooManyTriesError: if that was asked for too often.
    """
    tries = sub.customer_tries + 1
    step = _stay(sub, "try_asked_for", customer_tries=tries)
    if tries > CUSTOMER_TRIES_MAX:
        raise TooManyTriesError
    return step


def change(sub: Subscription, charge: Charge, plan: Plan, at: datetime) -> Step:
    """Go over to another plan now. With another length of period, one begins now."""
    turned = msgspec.structs.replace(
        sub,
        plan_id=plan.id,
        title=plan.title,
        price_minor=charge.price_minor,
        interval_unit=plan.interval_unit,
        interval_count=plan.interval_count,
    )
    if sub.state == "trialing":
        return _stay(sub, "changed", **_plan_of(turned), next_plan_id=None)
    known = {**_plan_of(turned), **_worth(sub, charge, at), "next_plan_id": None}
    if turned.interval != sub.interval:
        number = sub.period_number + 1
        anchored = msgspec.structs.replace(turned, anchor_at=at, anchor_number=number)
        known = {**known, **_period(anchored, number)}
    return _stay(sub, "changed", **known)


def plan_change(sub: Subscription, plan: PlanId | None) -> Step:
    """Choose the plan of the next period; None goes back to the present one."""
    return _stay(sub, "change_planned" if plan else "change_dropped", next_plan_id=plan)


def plan_cancel(sub: Subscription, *, cancels: bool) -> Step | None:
    """Let it end with the period, or go on after all; None if that is known."""
    if sub.cancels_at_period_end == cancels:
        return None
    return _stay(
        sub,
        "cancel_planned" if cancels else "cancel_withdrawn",
        cancels_at_period_end=cancels,
    )


def cancel(sub: Subscription, at: datetime, reason: str = "") -> Step:
    """End it now."""
    return _edge(sub, "canceled", "canceled", reason, **_ended(at))


def give_up(sub: Subscription, at: datetime) -> Step:
    """End what was never paid."""
    return _edge(sub, "incomplete_expired", "given_up", **_ended(at))


def pause(sub: Subscription, at: datetime, resumes_at: datetime | None) -> Step:
    """Stop the clock of a subscription: what is left of its period is kept."""
    return _edge(sub, "paused", "paused", paused_at=at, resumes_at=resumes_at)


def resume(sub: Subscription, at: datetime) -> Step:
    """Let the clock go on: the period ends as much later as the pause was long."""
    assert sub.paused_at is not None or sub.state != "paused"
    paused: timedelta = at - (sub.paused_at or at)
    ends_at = sub.period_ends_at + paused
    return _edge(
        sub,
        "active",
        "resumed",
        paused_at=None,
        resumes_at=None,
        period_starts_at=sub.period_starts_at + paused,
        period_ends_at=ends_at,
        value_from=sub.value_from + paused,
        anchor_at=ends_at,
        anchor_number=sub.period_number + 1,
    )


def credit(sub: Subscription, amount_minor: int, reason: str) -> Step:
    """Owe the subscriber something, which is taken off later charges."""
    return _stay(sub, "credited", reason, credit_minor=sub.credit_minor + amount_minor)


def pay_with(sub: Subscription, method: str | None) -> Step | None:
    """Charge another stored method from now on; None if that is known."""
    if sub.method_id == method:
        return None
    return _stay(sub, "method_changed", method_id=method)


def trial_ends_at(plan: Plan, at: datetime, *, time_zone: str) -> datetime:
    """Return when a trial ends that begins now."""
    days = msgspec.structs.replace(plan.interval, unit="day", count=1)
    return boundary(at, days, plan.trial_days, time_zone=time_zone)


def first_end(plan: Plan, at: datetime, *, time_zone: str) -> datetime:
    """Return when a period of a plan ends that begins now."""
    return boundary(at, plan.interval, 1, time_zone=time_zone)


def _plan_of(sub: Subscription) -> dict[str, object]:
    return {
        "plan_id": sub.plan_id,
        "title": sub.title,
        "price_minor": sub.price_minor,
        "interval_unit": sub.interval_unit,
        "interval_count": sub.interval_count,
    }


def _period(sub: Subscription, number: int) -> dict[str, object]:
    return {
        "anchor_at": sub.anchor_at,
        "anchor_number": sub.anchor_number,
        "period_number": number,
        "period_starts_at": sub.begins_at(number),
        "period_ends_at": sub.begins_at(number + 1),
    }


def _worth(sub: Subscription, charge: Charge, at: datetime) -> dict[str, object]:
    left = sub.discount_periods_left
    return {
        "value_minor": charge.value_minor,
        "value_from": at,
        "credit_minor": sub.credit_minor + charge.credit_delta_minor,
        "discount_periods_left": left - 1 if charge.takes_coupon and left else left,
    }


def _paid_for(sub: Subscription, charge: Charge, at: datetime) -> dict[str, object]:
    return {
        **_worth(sub, charge, at),
        "failures": 0,
        "customer_tries": 0,
        "next_try_at": None,
    }


def _ended(at: datetime) -> dict[str, object]:
    return {
        "ended_at": at,
        "next_try_at": None,
        "resumes_at": None,
        "next_plan_id": None,
        "cancels_at_period_end": False,
    }


def _edge(
    sub: Subscription, state: SubscriptionState, fact: Fact, detail: str = "", /, **known: object
) -> Step:
    if TRANSITIONS[sub.state].get(state) != fact:
        raise IllegalSubscriptionStepError(state=sub.state, wanted=_spoken(fact))
    after = msgspec.structs.replace(sub, state=state, version=sub.version + 1, **known)
    return Step(before=sub, after=after, fact=fact, detail=detail)


def _stay(sub: Subscription, fact: Fact, detail: str = "", /, **known: object) -> Step:
    if sub.state not in STAYS[fact]:
        raise IllegalSubscriptionStepError(state=sub.state, wanted=_spoken(fact))
    after = msgspec.structs.replace(sub, version=sub.version + 1, **known)
    return Step(before=sub, after=after, fact=fact, detail=detail)


_SPOKEN: Final[Mapping[Fact, str]] = {
    "renewal_begun": "renewed",
    "payment_failed": "past due",
    "dunning_over": "unpaid",
    "try_asked_for": "tried again",
    "change_planned": "changed",
    "change_dropped": "changed",
    "cancel_planned": "canceled",
    "cancel_withdrawn": "kept",
    "trial_started": "tried out",
    "method_changed": "paid otherwise",
}


def _spoken(fact: Fact) -> str:
    return _SPOKEN.get(fact, fact.replace("_", " "))
