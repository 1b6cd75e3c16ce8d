"""What a charge comes to: the plan's price, less a code, less what the subscriber is owed. Pure."""

from datetime import datetime

import msgspec

from commerce.discounts.model import Discount
from commerce.pricing.errors import DiscountDoesNotApplyError
from commerce.pricing.model import Basket, Item, price_basket
from commerce.subscriptions.model.plan import Plan
from commerce.taxes.model import Rate
from protocol.ids import DiscountId, PriceId

_CREDIT = "CREDIT"


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be, and what it does to the subscription when it is paid.

    `due_minor` and `value_minor` are before a tax that comes on top.
    """

    basket: Basket
    due_minor: int
    credit_used_minor: int
    takes_coupon: bool

    @property
    def value_minor(self) -> int:
        """What the time it pays for is worth."""
        return self.due_minor + self.credit_used_minor


def item_of(plan: Plan, price_minor: int, rate: Rate, *, title: str | None = None) -> Item:
    """Return what is sold: the plan, whose own id says which price it is."""
    return Item(
        variant=plan.variant_id,
        product=plan.product_id,
        title=title or plan.title,
        quantity=1,
        unit_price_minor=price_minor,
        price_id=PriceId(plan.id),
        rate=rate,
        takes_stock=False,
    )


def bill(
    item: Item,
    coupon: Discount | None,
    credit_minor: int,
    *,
    currency: str,
    country: str,
    at: datetime,
) -> Bill:
    """Work out a charge; a code that takes nothing off is left out."""
    coupons = () if coupon is None else (coupon,)
    try:
        basket = price_basket([item], coupons, currency=currency, country=country)
    except DiscountDoesNotApplyError:
        coupons = ()
        basket = price_basket([item], (), currency=currency, country=country)
    worth = basket.subtotal_minor - basket.discount_minor
    used = min(credit_minor, worth)
    if used:
        owed = _credit(used, currency=currency, at=at)
        basket = price_basket([item], (*coupons, owed), currency=currency, country=country)
    ids = tuple(each.id for each in coupons)
    return Bill(
        basket=msgspec.structs.replace(basket, discount_ids=ids),
        due_minor=worth - used,
        credit_used_minor=used,
        takes_coupon=bool(coupons),
    )


def _credit(amount_minor: int, *, currency: str, at: datetime) -> Discount:
    return Discount(
        id=DiscountId(_CREDIT),
        code=_CREDIT,
        title="",
        kind="amount",
        percent_ppm=None,
        amount_minor=amount_minor,
        currency=currency,
        product_id=None,
        once_a_customer=False,
        redemptions_max=None,
        reserved=0,
        redeemed=0,
        starts_at=at,
        ends_at=None,
        created_at=at,
    )
