"""The arithmetic of money: exact, in integers, and the parts come to the whole. Pure."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from commerce.discounts.model import Discount
from commerce.pricing.errors import DiscountDoesNotApplyError
from commerce.taxes.model import HOME_COUNTRY, Rate
from protocol.ids import DiscountId, PriceId, ProductId, UserId, VariantId
from protocol.money import Money
from protocol.views import TaxShare

_ONE = 1_000_000
"""What rates are millionths of."""


class PriceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to know the price of: each variant once, with how many of it."""

    currency: str
    country: str = HOME_COUNTRY
    lines: tuple[tuple[VariantId, int], ...]
    codes: tuple[str, ...] = ()
    customer: UserId | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """So many of a variant, with its price and the rate of its tax."""

    variant: VariantId
    product: ProductId
    title: str
    quantity: int
    unit_price_minor: int
    price_id: PriceId
    rate: Rate
    takes_stock: bool

    @property
    def subtotal_minor(self) -> int:
        """What all of them cost, before anything is taken off or added."""
        return self.unit_price_minor * self.quantity


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one variant comes to. `total_minor` is what is paid for it, with its tax.

    An inclusive tax is part of the price, any other is added to it.
    """

    variant: VariantId
    product: ProductId
    title: str
    quantity: int
    unit_price_minor: int
    price_id: PriceId
    discount_minor: int
    tax_minor: int
    tax_name: str
    tax_ppm: int
    tax_inclusive: bool
    total_minor: int
    takes_stock: bool

    @property
    def subtotal_minor(self) -> int:
        """What all of them cost, before anything is taken off or added."""
        return self.unit_price_minor * self.quantity

    @property
    def net_minor(self) -> int:
        """What is left to the shop once the tax is paid."""
        return self.total_minor - self.tax_minor


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """What everything comes to. The lines add up to the totals exactly."""

    currency: str
    country: str
    lines: tuple[PricedLine, ...]
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    taxes: tuple[TaxShare, ...]
    discount_ids: tuple[DiscountId, ...]


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights`, so that the parts add up to it exactly.

    By largest remainders: each part is its exact share rounded down or up, and of equal remainders
    the first in order is rounded up. A negative total is split as its opposite is. Where all
    weights are 0 they count as equal. No part is larger than its weight unless the total is larger
    than all weights together.
    """
    assert weights or total == 0
    assert all(weight >= 0 for weight in weights)
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    whole = sum(weights)
    if whole == 0:
        return allocate(total, [1] * len(weights)) if weights else []
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place)
    )
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def half_up(numerator: int, denominator: int) -> int:
    """Return a fraction of two numbers that are not negative, rounded; a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)


def tax_on(amount_minor: int, rate: Rate) -> int:
    """Return the tax on an amount (or in it, where the rate is inclusive), rounded half up."""
    whole = _ONE + rate.rate_ppm if rate.is_inclusive else _ONE
    return half_up(amount_minor * rate.rate_ppm, whole)


def price_basket(
    items: Sequence[Item], discounts: Sequence[Discount], *, currency: str, country: str
) -> Basket:
    """Work out what items come to.

    Discounts are taken off one after another, each off what those before it left: first those of
    one product, then percentages, then amounts. Each rate of tax is worked out once over all its
    lines and then shared among them.

    Raises:
        DiscountDoesNotApplyError: if a discount takes nothing off.
    """
    discounted = _discounted(items, discounts, currency=currency)
    taxed = _taxed(items, discounted)
    lines = tuple(
        _line(item, discounted=left, tax=tax)
        for item, left, tax in zip(items, discounted, taxed, strict=True)
    )
    return Basket(
        currency=currency,
        country=country,
        lines=lines,
        subtotal_minor=sum(line.subtotal_minor for line in lines),
        discount_minor=sum(line.discount_minor for line in lines),
        tax_minor=sum(line.tax_minor for line in lines),
        total_minor=sum(line.total_minor for line in lines),
        taxes=_shares(lines, currency=currency),
        discount_ids=tuple(discount.id for discount in discounts),
    )


def _discounted(
    items: Sequence[Item], discounts: Sequence[Discount], *, currency: str
) -> list[int]:
    """Return what is left of each item's subtotal."""
    left = [item.subtotal_minor for item in items]
    for discount in sorted(discounts, key=_turn):
        weights = [
            amount if discount.product_id in {None, item.product} else 0
            for item, amount in zip(items, left, strict=True)
        ]
        off = _taken_off(discount, sum(weights), currency=currency)
        if off == 0:
            raise DiscountDoesNotApplyError(discount.code)
        left = [amount - part for amount, part in zip(left, allocate(off, weights), strict=True)]
    return left


def _turn(discount: Discount) -> tuple[bool, bool, str]:
    return discount.product_id is None, discount.kind == "amount", discount.code


def _taken_off(discount: Discount, amount_minor: int, *, currency: str) -> int:
    if discount.percent_ppm is not None:
        return half_up(amount_minor * discount.percent_ppm, _ONE)
    if discount.currency != currency or discount.amount_minor is None:
        return 0
    return min(discount.amount_minor, amount_minor)


def _taxed(items: Sequence[Item], amounts: Sequence[int]) -> list[int]:
    """Return the tax of each item: that of each rate as a whole, shared among its lines."""
    places: defaultdict[Rate, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        places[item.rate].append(place)
    taxes = [0] * len(items)
    for rate, theirs in places.items():
        weights = [amounts[place] for place in theirs]
        shares = allocate(tax_on(sum(weights), rate), weights)
        for place, share in zip(theirs, shares, strict=True):
            taxes[place] = share
    return taxes


def _line(item: Item, *, discounted: int, tax: int) -> PricedLine:
    return PricedLine(
        variant=item.variant,
        product=item.product,
        title=item.title,
        quantity=item.quantity,
        unit_price_minor=item.unit_price_minor,
        price_id=item.price_id,
        discount_minor=item.subtotal_minor - discounted,
        tax_minor=tax,
        tax_name=item.rate.name,
        tax_ppm=item.rate.rate_ppm,
        tax_inclusive=item.rate.is_inclusive,
        total_minor=discounted if item.rate.is_inclusive else discounted + tax,
        takes_stock=item.takes_stock,
    )


def _shares(lines: Sequence[PricedLine], *, currency: str) -> tuple[TaxShare, ...]:
    """Return what each rate comes to, the highest first; what has no tax is left out."""
    groups: defaultdict[Rate, list[PricedLine]] = defaultdict(list)
    for line in lines:
        if line.tax_name:
            rate = Rate(name=line.tax_name, rate_ppm=line.tax_ppm, is_inclusive=line.tax_inclusive)
            groups[rate].append(line)
    return tuple(
        TaxShare(
            name=rate.name,
            rate_ppm=rate.rate_ppm,
            is_inclusive=rate.is_inclusive,
            taxable=Money(amount_minor=sum(line.net_minor for line in theirs), currency=currency),
            tax=Money(amount_minor=sum(line.tax_minor for line in theirs), currency=currency),
        )
        for rate, theirs in sorted(
            groups.items(), key=lambda group: (-group[0].rate_ppm, group[0].name)
        )
    )
