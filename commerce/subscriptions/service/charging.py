"""Putting what a subscription is charged into an order."""

import msgspec

from commerce.catalog import service as catalog
from commerce.discounts import service as discounts
from commerce.discounts.errors import (
    DiscountNotFoundError,
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    UnknownCodeError,
)
from commerce.discounts.model import Discount
from commerce.foundation.database import Transaction
from commerce.orders import service as orders
from commerce.orders.model import Order
from commerce.pricing.model import Basket
from commerce.subscriptions.model import Charge, ChargeKind, Plan, Subscription
from commerce.subscriptions.model.billing import Bill, bill, item_of
from commerce.subscriptions.repository import charges
from commerce.taxes import service as taxes
from commerce.taxes.model import Rate

FIRST_PERIOD = 1


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be charged: a plan, at a price, for a period.

    `credit_minor` is what may be taken off it, and `credit_after_minor` what is added to the
    subscriber's credit when it is paid, besides what was taken.
    """

    kind: ChargeKind
    number: int
    plan: Plan
    price_minor: int
    title: str | None = None
    credit_minor: int = 0
    credit_added_minor: int = 0
    coupon: Discount | None = None
    list_price_minor: int | None = None


async def charge(tx: Transaction, sub: Subscription, sale: Sale) -> tuple[Charge, Order]:
    """Place the order of a charge. It is tried at once, unless the subscriber is there to pay.

    The code is counted as used by the first order it is taken for; if it no longer can be, a
    renewal goes without it.

    Raises:
        UnknownCodeError, DiscountUsedUpError, DiscountUsedBeforeError: at the start, if the code
            cannot be had.
    """
    made = await bill_of(tx, sub, sale)
    try:
        async with tx.savepoint():
            order = await _place(tx, sub, _counted(made, sale))
    except (UnknownCodeError, DiscountUsedUpError, DiscountUsedBeforeError):
        if sale.kind == "start":
            raise
        sale = msgspec.structs.replace(sale, coupon=None)
        made = await bill_of(tx, sub, sale)
        order = await _place(tx, sub, made.basket)
    fresh = _charge(tx, sub, sale, made=made, order=order)
    await charges.add(tx, fresh)
    return fresh, order


async def bill_of(tx: Transaction, sub: Subscription, sale: Sale) -> Bill:
    """Work out what a sale comes to today."""
    item = item_of(sale.plan, sale.price_minor, await _rate(tx, sub, sale.plan), title=sale.title)
    return bill(
        item,
        sale.coupon,
        sale.credit_minor,
        currency=sub.currency,
        country=sub.country,
        at=tx.now,
    )


async def coupon_of(tx: Transaction, sub: Subscription) -> Discount | None:
    """Return the code that is still to be taken off; what was promised holds, even if it ended."""
    if sub.discount_id is None or sub.discount_periods_left == 0:
        return None
    try:
        return await discounts.of(tx, sub.discount_id)
    except DiscountNotFoundError:
        return None


async def _rate(tx: Transaction, sub: Subscription, plan: Plan) -> Rate:
    table = await taxes.rates(tx, sub.country, tx.now.date())
    offers = await catalog.offers(tx, [plan.variant_id])
    return table.rate(offers[plan.variant_id].tax_class)


async def _place(tx: Transaction, sub: Subscription, basket: Basket) -> Order:
    return await orders.place_for_subscription(tx, sub.user_id, basket, sub.id)


def _counted(made: Bill, sale: Sale) -> Basket:
    if sale.number == FIRST_PERIOD:
        return made.basket
    return msgspec.structs.replace(made.basket, discount_ids=())


def _charge(tx: Transaction, sub: Subscription, sale: Sale, *, made: Bill, order: Order) -> Charge:
    listed = sale.list_price_minor
    return Charge(
        id=tx.mint("chg"),
        subscription_id=sub.id,
        kind=sale.kind,
        number=sale.number,
        order_id=order.id,
        state="open",
        plan_id=sale.plan.id,
        from_plan_id=sub.plan_id,
        price_minor=sale.price_minor if listed is None else listed,
        due_minor=made.due_minor,
        value_minor=made.value_minor,
        credit_delta_minor=sale.credit_added_minor - made.credit_used_minor,
        takes_coupon=made.takes_coupon,
        created_at=tx.now,
        try_at=None if sale.kind == "start" else tx.now,
    )
