"""A flash sale: many users order one scarce product in the same moment.

Before it everybody puts the product into the cart. What has to come out: as many orders as there
was stock, nobody is told of less than nothing left, and everybody else is told that it is sold
out. Afterwards every order is canceled, so that the shop has its stock back for the next sale.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import trio

from loadtest.rest import ProductDetails, RestError, Shop
from loadtest.violations import Kind, Violation
from protocol.ids import OrderId, ProductId, VariantId
from protocol.topics import product_topic

SOLD_OUT_CODES: Final = frozenset({"out_of_stock"})
"""Rejections that a buyer who was too late has to expect."""

_CANCELS_AT_ONCE: Final = 4


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """What is sold, and how many there were before."""

    product: ProductId
    slug: str
    variant: VariantId
    stock: int


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """One order that was committed."""

    user_number: int
    order: OrderId


class SaleCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What one process saw of a sale: who bought, and how many were told that it is sold out."""

    buyers: int = 0
    purchases: list[Purchase] = []
    sold_out: int = 0
    least_stock_seen: int | None = None


class NothingScarceError(Exception):
    """The shop has no product for a flash sale."""


async def choose_sale(shop: Shop, slugs: Sequence[str], buyers: int) -> Sale:
    """Choose what most can buy of what not everybody can.

    Raises:
        NothingScarceError: if everything is free, unlimited or sold out.
    """
    scarce = [
        Sale(product=details.id, slug=slug, variant=variant.id, stock=variant.stock)
        for slug in slugs
        for details in [await shop.product_details(slug)]
        for variant in details.variants
        if variant.stock and variant.price.amount_minor
    ]
    if not scarce:
        raise NothingScarceError(
            "The shop has nothing scarce to sell: no product with a price and a limited stock."
        )
    too_few = [sale for sale in scarce if sale.stock < buyers]
    return (
        max(too_few, key=lambda sale: sale.stock)
        if too_few
        else min(scarce, key=lambda sale: sale.stock)
    )


def judge_sale(sale: Sale, parts: Iterable[SaleCounts], *, left: int | None) -> list[Violation]:
    """Lay what all buyers were told beside what is left."""
    counts = list(parts)
    orders = [purchase.order for part in counts for purchase in part.purchases]
    buyers = sum(part.buyers for part in counts)
    topic = product_topic(sale.product)
    found = [
        Violation(kind=Kind.OVERSOLD, topic=topic, told=f"a stock of {part.least_stock_seen}")
        for part in counts
        if part.least_stock_seen is not None and part.least_stock_seen < 0
    ]
    if len(set(orders)) != len(orders):
        found.append(Violation(kind=Kind.DOUBLED, topic=topic, told="two buyers have one order"))
    if left is None or sale.stock - len(orders) != left:
        told = f"{sale.stock} before, {len(orders)} ordered, {left} left"
        found.append(Violation(kind=Kind.OVERSOLD, topic=topic, told=told))
    if len(orders) != min(sale.stock, buyers):
        told = f"{buyers} wanted {sale.stock}, and {len(orders)} got one"
        found.append(Violation(kind=Kind.UNSOLD, topic=topic, told=told))
    return found


async def stock_left(shop: Shop, sale: Sale) -> int | None:
    """Return how many are left now."""
    details = await shop.product_details(sale.slug)
    return _stock_of(details, sale.variant)


def _stock_of(details: ProductDetails, wanted: VariantId) -> int | None:
    return next((variant.stock for variant in details.variants if variant.id == wanted), None)


async def give_back(
    shop: Shop, tokens: Mapping[int, str] | Sequence[str], parts: Iterable[SaleCounts]
) -> None:
    """Cancel every order of a sale; one that cannot be canceled any more is left."""
    purchases = iter([purchase for part in parts for purchase in part.purchases])

    async def take_turns() -> None:
        for purchase in purchases:
            try:
                await shop.cancel_order(purchase.order, token=tokens[purchase.user_number])
            except RestError:
                continue

    async with trio.open_nursery() as nursery:
        for _ in range(_CANCELS_AT_ONCE):
            nursery.start_soon(take_turns)
