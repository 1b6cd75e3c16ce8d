"""Subscribing."""

from datetime import timedelta
from typing import Final

import msgspec

from commerce.discounts import service as discounts
from commerce.discounts.model import Discount
from commerce.foundation.database import Transaction
from commerce.invoices import service as invoices
from commerce.orders.model import Order
from commerce.subscriptions.errors import (
    AlreadySubscribedError,
    TrialMethodNeededError,
    TrialUsedError,
)
from commerce.subscriptions.model import Plan, PricedPlan, Step, Subscription, machine
from commerce.subscriptions.repository import subscriptions as repository
from commerce.subscriptions.service.charging import FIRST_PERIOD, Sale, charge
from commerce.subscriptions.service.following import follow_held
from commerce.subscriptions.service.plans import offered_plan
from commerce.subscriptions.service.stepping import take, tell
from commerce.taxes.model import HOME_COUNTRY
from protocol.ids import PlanId, SubscriptionId, UserId

PAYMENT_HOURS_MAX: Final = 24
"""A subscription whose first order is not paid for this long is given up."""


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A stored way to pay, and what its card is known by, if it is a card."""

    id: str
    fingerprint: str | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to subscribe to, and how."""

    plan: PlanId
    currency: str | None = None
    country: str = HOME_COUNTRY
    code: str | None = None
    method: Method | None = None
    trial: bool = False


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A new subscription, and the order that is to be paid first; a trial has none."""

    subscription: Subscription
    order: Order | None


async def start(tx: Transaction, user: UserId, wanted: Wanted) -> Started:
    """Subscribe: to a trial at once, or to what begins when the first order is paid.

    Raises:
        PlanNotFoundError: if there is no such plan, or it is not offered any more.
        PlanNotSoldInCurrencyError: if it has no price in the currency.
        AlreadySubscribedError: if the user has a subscription of the plan's product.
        TrialMethodNeededError: if a trial has no stored method to go on with.
        TrialUsedError: if the user or the card has had a trial, or the plan has none.
        UnknownCodeError, DiscountUsedUpError, DiscountUsedBeforeError: if the code cannot be had.
    """
    priced = await offered_plan(tx, wanted.plan)
    coupon = await _coupon(tx, user, wanted)
    zone = (await invoices.seller(tx)).time_zone
    sub = _fresh(tx, user, wanted, priced, coupon=coupon, zone=zone)
    if not await repository.add(tx, sub):
        raise AlreadySubscribedError(priced.plan.title)
    if wanted.trial:
        return Started(subscription=await _try_out(tx, sub, priced.plan, wanted), order=None)
    await tell(tx, Step(before=sub, after=sub, fact="started"))
    sale = Sale(
        kind="start",
        number=FIRST_PERIOD,
        plan=priced.plan,
        price_minor=sub.price_minor,
        coupon=coupon,
    )
    made, order = await charge(tx, sub, sale)
    return Started(subscription=await follow_held(tx, sub, made, order), order=order)


async def _try_out(tx: Transaction, sub: Subscription, plan: Plan, wanted: Wanted) -> Subscription:
    """Begin a trial: once for an account, once for a card, whoever is quicker."""
    if wanted.method is None:
        raise TrialMethodNeededError
    used_by = [f"user:{sub.user_id}"]
    if wanted.method.fingerprint is not None:
        used_by.append(f"card:{wanted.method.fingerprint}")
    if not plan.trial_days or not await repository.use_trial(tx, sub.product_id, used_by, sub.id):
        raise TrialUsedError
    ends_at = machine.trial_ends_at(plan, tx.now, time_zone=sub.time_zone)
    return await take(tx, machine.start_trial(sub, ends_at), otherwise=sub)


async def _coupon(tx: Transaction, user: UserId, wanted: Wanted) -> Discount | None:
    if wanted.code is None:
        return None
    return (await discounts.find(tx, [wanted.code], user))[0]


def _fresh(
    tx: Transaction,
    user: UserId,
    wanted: Wanted,
    priced: PricedPlan,
    *,
    coupon: Discount | None,
    zone: str,
) -> Subscription:
    plan, price = priced.plan, priced.price(wanted.currency)
    return Subscription(
        id=SubscriptionId(tx.mint("sub")),
        user_id=user,
        product_id=plan.product_id,
        plan_id=plan.id,
        title=plan.title,
        state="incomplete",
        version=0,
        currency=price.currency,
        country=wanted.country,
        price_minor=price.amount_minor,
        interval_unit=plan.interval_unit,
        interval_count=plan.interval_count,
        time_zone=zone,
        anchor_at=tx.now,
        anchor_number=FIRST_PERIOD,
        period_number=0,
        period_starts_at=tx.now,
        period_ends_at=tx.now + timedelta(hours=PAYMENT_HOURS_MAX),
        value_minor=0,
        value_from=tx.now,
        credit_minor=0,
        created_at=tx.now,
        discount_id=None if coupon is None else coupon.id,
        discount_periods_left=0 if coupon is None else plan.coupon_periods,
        method_id=None if wanted.method is None else wanted.method.id,
    )
