"""What a subscription is, and what it is charged. Pure."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from commerce.subscriptions.model.periods import Interval, IntervalUnit, boundary
from commerce.subscriptions.model.proration import split_at
from protocol.ids import (
    DiscountId,
    OrderId,
    PlanId,
    ProductId,
    SubscriptionId,
    UserId,
)
from protocol.views import SubscriptionState

ChargeKind = Literal["start", "renewal", "change"]
ChargeState = Literal["open", "paid", "void", "returned"]
"""`returned`: its money came after it was void, and was given back or is owed."""

ENTITLED: Final[frozenset[SubscriptionState]] = frozenset({"trialing", "active", "past_due"})
"""States in which a subscriber has what the plan entitles to."""

OVER: Final[frozenset[SubscriptionState]] = frozenset({"incomplete_expired", "canceled"})
"""States that nothing leads out of."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A plan somebody pays for, and where it stands. `version` is the number of its last step.

    Period 0 is the trial, or the time before the first payment; the `anchor_number`-th begins at
    `anchor_at`. `value_minor` is what was paid for the time from `value_from` to the period's end,
    `credit_minor` what is owed to the subscriber and taken off later charges. `failures` counts the
    tries of this dunning that failed, `customer_tries` those the subscriber asked for.
    """

    id: SubscriptionId
    user_id: UserId
    product_id: ProductId
    plan_id: PlanId
    title: str
    state: SubscriptionState
    version: int
    currency: str
    country: str
    price_minor: int
    interval_unit: IntervalUnit
    interval_count: int
    time_zone: str
    anchor_at: datetime
    anchor_number: int
    period_number: int
    period_starts_at: datetime
    period_ends_at: datetime
    value_minor: int
    value_from: datetime
    credit_minor: int
    created_at: datetime
    next_plan_id: PlanId | None = None
    cancels_at_period_end: bool = False
    discount_id: DiscountId | None = None
    discount_periods_left: int | None = 0
    method_id: str | None = None
    failures: int = 0
    customer_tries: int = 0
    next_try_at: datetime | None = None
    paused_at: datetime | None = None
    resumes_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def interval(self) -> Interval:
        """How long a period is."""
        return Interval(unit=self.interval_unit, count=self.interval_count)

    @property
    def due_at(self) -> datetime | None:
        """When the clock has something to do with it; None: never."""
        match self.state:
            case "incomplete" | "trialing" | "active":
                return self.period_ends_at
            case "past_due" | "unpaid":
                return self.next_try_at
            case "paused":
                return self.resumes_at
            case "incomplete_expired" | "canceled":
                return None

    @property
    def is_entitled(self) -> bool:
        """Whether the subscriber has what the plan entitles to."""
        return self.state in ENTITLED

    @property
    def is_over(self) -> bool:
        """Whether it ended for good."""
        return self.state in OVER

    def begins_at(self, number: int) -> datetime:
        """Return when a period begins."""
        return boundary(
            self.anchor_at, self.interval, number - self.anchor_number, time_zone=self.time_zone
        )

    def unused_minor(self, at: datetime) -> int:
        """Return what is left of what was paid for this period."""
        return split_at(self.value_minor, self.value_from, at, self.period_ends_at)[1]


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a subscription, and what it is for.

    `value_minor` is what the time it pays for is worth when it is paid: what is due and the credit
    taken for it. `credit_delta_minor` is what paying it does to the credit. `number` is the period
    it belongs to. `failed_seq` is the number of the order's last event of a failure that was
    followed; `try_at`, when to charge the stored method, if that is to be done.
    """

    id: str
    subscription_id: SubscriptionId
    kind: ChargeKind
    number: int
    order_id: OrderId
    state: ChargeState
    plan_id: PlanId
    from_plan_id: PlanId
    price_minor: int
    due_minor: int
    value_minor: int
    credit_delta_minor: int
    takes_coupon: bool
    created_at: datetime
    failed_seq: int = 0
    try_at: datetime | None = None
    settled_at: datetime | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a subscription."""

    before: Subscription
    after: Subscription
    fact: str
    detail: str = ""
