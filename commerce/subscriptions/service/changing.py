"""What subscribers do with their subscriptions."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from commerce.foundation.database import Transaction
from commerce.orders import service as orders
from commerce.subscriptions.errors import (
    ChargePendingError,
    IllegalSubscriptionStepError,
    PlanNotFoundError,
    SamePlanError,
)
from commerce.subscriptions.model import (
    Charge,
    Plan,
    PricedPlan,
    Proration,
    Subscription,
    machine,
    prorate,
)
from commerce.subscriptions.repository import charges
from commerce.subscriptions.service.charging import Sale, bill_of, charge
from commerce.subscriptions.service.following import follow_held
from commerce.subscriptions.service.plans import offered_plan, plan_of
from commerce.subscriptions.service.renewing import void_open
from commerce.subscriptions.service.stepping import hold_own, take
from protocol.ids import OrderId, PlanId, SubscriptionId, UserId

When = Literal["now", "at_period_end"]

CHANGEABLE: Final = frozenset({"trialing", "active"})


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would come to if it were made now. `total_minor` is with its tax."""

    plan: PricedPlan
    when: When
    proration: Proration
    total_minor: int
    tax_minor: int
    currency: str
    takes_effect_at: datetime
    period_ends_at: datetime
    price_minor: int


async def preview(
    tx: Transaction, user: UserId, subscription: SubscriptionId, plan: PlanId, *, when: When
) -> Preview:
    """Say what a change of plan would cost, without making it.

    Raises:
        SubscriptionNotFoundError, PlanNotFoundError, PlanNotSoldInCurrencyError, SamePlanError,
        IllegalSubscriptionStepError: as for `change`.
    """
    sub = await hold_own(tx, user, subscription)
    return await _preview(tx, sub, await _target(tx, sub, plan), when)


async def change(
    tx: Transaction, user: UserId, subscription: SubscriptionId, plan: PlanId, *, when: When
) -> tuple[Subscription, OrderId | None]:
    """Go over to another plan of the same product; return the order that is to be paid for it.

    `now`: what is left of the period is taken for the new plan; the rest of its price is charged,
    and the plan changes when that is paid. What is left over is kept as credit. `at_period_end`:
    the next period is of the new plan.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
        PlanNotFoundError: if there is no such plan of this product, or it is not offered.
        PlanNotSoldInCurrencyError: if it has no price in the subscription's currency.
        SamePlanError: if it is the present plan.
        ChargePendingError: if a period is still to be paid.
        IllegalSubscriptionStepError: if the subscription is neither on trial nor active.
    """
    sub = await hold_own(tx, user, subscription)
    target = await _target(tx, sub, plan)
    if when == "at_period_end":
        chosen = None if target.plan.id == sub.plan_id else target.plan.id
        return await take(tx, machine.plan_change(sub, chosen), otherwise=sub), None
    found = await _preview(tx, sub, target, when)
    waiting = await charges.open_one(tx, sub.id)
    if waiting is not None and waiting.kind != "change":
        raise ChargePendingError
    await void_open(tx, sub)
    return await _change_now(tx, sub, found)


async def set_cancel(
    tx: Transaction, user: UserId, subscription: SubscriptionId, *, cancels: bool
) -> Subscription:
    """Let a subscription end with its period, or go on after all; twice is once.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
        IllegalSubscriptionStepError: if it has no period that could end.
    """
    sub = await hold_own(tx, user, subscription)
    return await take(tx, machine.plan_cancel(sub, cancels=cancels), otherwise=sub)


async def cancel_now(tx: Transaction, user: UserId, subscription: SubscriptionId) -> Subscription:
    """End a subscription at once; what it waits to be paid for is not wanted any more.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
        IllegalSubscriptionStepError: if it is over.
    """
    sub = await hold_own(tx, user, subscription)
    await void_open(tx, sub)
    return await take(tx, machine.cancel(sub, tx.now, "by the subscriber"), otherwise=sub)


async def pause(
    tx: Transaction,
    user: UserId,
    subscription: SubscriptionId,
    *,
    resumes_at: datetime | None = None,
) -> Subscription:
    """Stop a subscription; what is left of its period is kept.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
        ChargePendingError: if something is still to be paid.
        IllegalSubscriptionStepError: if it is not active.
    """
    sub = await hold_own(tx, user, subscription)
    if sub.state == "active" and await charges.open_one(tx, sub.id) is not None:
        raise ChargePendingError
    return await take(tx, machine.pause(sub, tx.now, resumes_at), otherwise=sub)


async def resume(tx: Transaction, user: UserId, subscription: SubscriptionId) -> Subscription:
    """Let a paused subscription go on.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
        IllegalSubscriptionStepError: if it is not paused.
    """
    sub = await hold_own(tx, user, subscription)
    return await take(tx, machine.resume(sub, tx.now), otherwise=sub)


async def pay_with(
    tx: Transaction, user: UserId, subscription: SubscriptionId, method: str | None
) -> Subscription:
    """Charge another stored method from now on; None is the subscriber's default.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
        IllegalSubscriptionStepError: if it is over.
    """
    sub = await hold_own(tx, user, subscription)
    return await take(tx, machine.pay_with(sub, method), otherwise=sub)


async def retry(tx: Transaction, user: UserId, subscription: SubscriptionId) -> Subscription:
    """Have what is not paid tried again now, as the subscriber.

    Raises:
        SubscriptionNotFoundError: if this user has no such subscription.
        TooManyTriesError: if that was asked for too often.
        IllegalSubscriptionStepError: if nothing waits to be paid.
    """
    sub = await hold_own(tx, user, subscription)
    sub = await take(tx, machine.ask_for_try(sub), otherwise=sub)
    waiting = await charges.open_one(tx, sub.id)
    if waiting is not None:
        order = await orders.of(tx, waiting.order_id)
        sub = await follow_held(tx, sub, waiting, order)
        waiting = await charges.open_one(tx, sub.id)
    if waiting is not None:
        await charges.try_at(tx, waiting.id, tx.now)
    elif not sub.is_entitled or sub.state == "past_due":
        await _charge_again(tx, sub)
    return sub


async def _charge_again(tx: Transaction, sub: Subscription) -> None:
    plan = (await plan_of(tx, sub.plan_id)).plan
    sale = Sale(
        kind="renewal",
        number=sub.period_number,
        plan=plan,
        price_minor=sub.price_minor,
        credit_minor=sub.credit_minor,
    )
    made, order = await charge(tx, sub, sale)
    await follow_held(tx, sub, made, order)


async def _target(tx: Transaction, sub: Subscription, plan: PlanId) -> PricedPlan:
    if plan == sub.plan_id:
        if sub.next_plan_id is None:
            raise SamePlanError
        return await plan_of(tx, plan)
    target = await offered_plan(tx, plan)
    if target.plan.product_id != sub.product_id:
        raise PlanNotFoundError(plan)
    target.price(sub.currency)
    return target


async def _preview(tx: Transaction, sub: Subscription, target: PricedPlan, when: When) -> Preview:
    if sub.state not in CHANGEABLE:
        raise IllegalSubscriptionStepError(state=sub.state, wanted="changed")
    price_minor = target.price(sub.currency).amount_minor
    ends_at = _ends_at(tx, sub, target.plan, when)
    proration = _proration(tx, sub, target, when)
    sale = _sale(sub, target.plan, price_minor, proration)
    comes_to = (await bill_of(tx, sub, sale)).basket
    return Preview(
        plan=target,
        when=when,
        proration=proration,
        total_minor=comes_to.total_minor,
        tax_minor=comes_to.tax_minor,
        currency=sub.currency,
        takes_effect_at=tx.now if when == "now" else sub.period_ends_at,
        period_ends_at=ends_at,
        price_minor=price_minor,
    )


def _ends_at(tx: Transaction, sub: Subscription, plan: Plan, when: When) -> datetime:
    if when == "at_period_end" or sub.state == "trialing" or plan.interval == sub.interval:
        return sub.period_ends_at
    return machine.first_end(plan, tx.now, time_zone=sub.time_zone)


def _proration(tx: Transaction, sub: Subscription, target: PricedPlan, when: When) -> Proration:
    if when == "at_period_end" or sub.state == "trialing":
        return prorate(unused_minor=0, charge_minor=0, credit_minor=sub.credit_minor)
    price_minor = target.price(sub.currency).amount_minor
    charge_minor = price_minor
    if target.plan.interval == sub.interval:
        whole = msgspec.structs.replace(
            sub, value_minor=price_minor, value_from=sub.period_starts_at
        )
        charge_minor = whole.unused_minor(tx.now)
    return prorate(
        unused_minor=sub.unused_minor(tx.now),
        charge_minor=charge_minor,
        credit_minor=sub.credit_minor,
    )


def _sale(sub: Subscription, plan: Plan, price_minor: int, proration: Proration) -> Sale:
    return Sale(
        kind="change",
        number=sub.period_number,
        plan=plan,
        price_minor=proration.charge_minor,
        title=f"{plan.title}, from now on",
        credit_minor=proration.credit_used_minor,
        credit_added_minor=proration.unused_minor,
        list_price_minor=price_minor,
    )


async def _change_now(
    tx: Transaction, sub: Subscription, found: Preview
) -> tuple[Subscription, OrderId | None]:
    plan = found.plan.plan
    if not found.proration.due_minor:
        free = _without_order(tx, sub, found)
        return await take(tx, machine.change(sub, free, plan, tx.now), otherwise=sub), None
    sale = _sale(sub, plan, found.price_minor, found.proration)
    made, order = await charge(tx, sub, sale)
    after = await follow_held(tx, sub, made, order)
    return after, made.order_id


def _without_order(tx: Transaction, sub: Subscription, found: Preview) -> Charge:
    """Return what a change does that costs nothing: it has no order, and is not kept."""
    proration = found.proration
    return Charge(
        id="",
        subscription_id=sub.id,
        kind="change",
        number=sub.period_number,
        order_id=OrderId(""),
        state="paid",
        plan_id=found.plan.plan.id,
        from_plan_id=sub.plan_id,
        price_minor=found.price_minor,
        due_minor=0,
        value_minor=proration.charge_minor,
        credit_delta_minor=proration.credit_after_minor - sub.credit_minor,
        takes_coupon=False,
        created_at=tx.now,
    )
