"""Plans, subscriptions and charges, made up."""

from datetime import UTC, datetime, timedelta

import msgspec

from commerce.subscriptions.model import Charge, Interval, Plan, Subscription
from commerce.subscriptions.model.periods import boundary
from protocol.ids import OrderId, PlanId, ProductId, SubscriptionId, UserId, VariantId

MORNING = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
MONTH = Interval(unit="month", count=1)
YEAR = Interval(unit="year", count=1)


def a_plan(name="basic", *, interval=MONTH, trial_days=0, coupon_periods=1):
    return Plan(
        id=PlanId(f"pln_{name}"),
        product_id=ProductId("prd_1"),
        variant_id=VariantId("var_1"),
        title=name.title(),
        interval_unit=interval.unit,
        interval_count=interval.count,
        trial_days=trial_days,
        coupon_periods=coupon_periods,
        entitlements=(name,),
        active=True,
        created_at=MORNING,
    )


def a_subscription(state="active", *, plan=None, price=1000, at=MORNING, zone="UTC", **known):
    plan = plan or a_plan()
    sub = Subscription(
        id=SubscriptionId("sub_1"),
        user_id=UserId("usr_1"),
        product_id=plan.product_id,
        plan_id=plan.id,
        title=plan.title,
        state=state,
        version=1,
        currency="EUR",
        country="DE",
        price_minor=price,
        interval_unit=plan.interval_unit,
        interval_count=plan.interval_count,
        time_zone=zone,
        anchor_at=at,
        anchor_number=1,
        period_number=1,
        period_starts_at=at,
        period_ends_at=boundary(at, plan.interval, 1, time_zone=zone),
        value_minor=price,
        value_from=at,
        credit_minor=0,
        created_at=at,
    )
    if state in {"past_due", "unpaid"}:
        sub = msgspec.structs.replace(sub, failures=1, next_try_at=at + timedelta(days=2))
    if state == "paused":
        sub = msgspec.structs.replace(sub, paused_at=at)
    return msgspec.structs.replace(sub, **known)


def a_charge(sub, *, kind="renewal", value=1000, credit_delta=0, takes_coupon=False, price=None):
    return Charge(
        id="chg_1",
        subscription_id=sub.id,
        kind=kind,
        number=sub.period_number,
        order_id=OrderId("ord_1"),
        state="open",
        plan_id=sub.plan_id,
        from_plan_id=sub.plan_id,
        price_minor=sub.price_minor if price is None else price,
        due_minor=value + credit_delta,
        value_minor=value,
        credit_delta_minor=credit_delta,
        takes_coupon=takes_coupon,
        created_at=sub.period_starts_at,
    )
