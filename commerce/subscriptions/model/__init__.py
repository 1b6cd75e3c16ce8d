"""What a plan and a subscription are, when periods end, and what is charged. Pure."""

from commerce.subscriptions.model.dunning import (
    CUSTOMER_TRIES_MAX,
    DUNNING_DAYS,
    UNPAID_DAYS_MAX,
)
from commerce.subscriptions.model.machine import STATES, STAYS, TRANSITIONS, Fact
from commerce.subscriptions.model.periods import Interval, IntervalUnit, boundary
from commerce.subscriptions.model.plan import NewPlan, Plan, PlanPrice, PricedPlan
from commerce.subscriptions.model.proration import Proration, prorate, split_at
from commerce.subscriptions.model.showing import show
from commerce.subscriptions.model.subscription import (
    ENTITLED,
    OVER,
    Charge,
    ChargeKind,
    ChargeState,
    Step,
    Subscription,
)

__all__ = [
    "CUSTOMER_TRIES_MAX",
    "DUNNING_DAYS",
    "ENTITLED",
    "OVER",
    "STATES",
    "STAYS",
    "TRANSITIONS",
    "UNPAID_DAYS_MAX",
    "Charge",
    "ChargeKind",
    "ChargeState",
    "Fact",
    "Interval",
    "IntervalUnit",
    "NewPlan",
    "Plan",
    "PlanPrice",
    "PricedPlan",
    "Proration",
    "Step",
    "Subscription",
    "boundary",
    "prorate",
    "show",
    "split_at",
]
