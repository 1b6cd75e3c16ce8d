"""Limited stock, kept for orders until they are paid.

What is kept is what cannot be sold to others: stock = on hand less reserved. Each function is
idempotent by its order, and holds the products concerned in the order of their ids, so that no two
buyers wait for each other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from commerce.catalog.errors import OutOfStockError, VariantNotFoundError
from commerce.catalog.repository import products, stock as repository
from commerce.catalog.service.browsing import offers
from commerce.catalog.service.changing import tell_change
from commerce.foundation.database import Transaction
from protocol.ids import OrderId, VariantId


async def reserve(
    tx: Transaction, order: OrderId, quantities: Mapping[VariantId, int], until: datetime
) -> None:
    """Keep so many of each limited variant for an order, until it is paid, released or extended.

    What the order keeps or has used already stays as it is; what it once released is kept anew,
    which is how late money finds out whether the order can still be served.

    Raises:
        OutOfStockError: if fewer of one are left. Nothing is kept then, and the transaction goes
            on.
        VariantNotFoundError: if there is no such variant.
    """
    if not quantities:
        return
    async with tx.savepoint():
        held = await products.hold_products_of(tx, list(quantities))
        if not held:
            raise VariantNotFoundError(min(quantities))
        for variant in await repository.reserve(tx, order, quantities, until):
            await _refuse(tx, variant)
        await tell_change(tx, held)


async def extend(tx: Transaction, order: OrderId, until: datetime) -> None:
    """Keep what is kept for an order until then."""
    await repository.extend(tx, order, until)


async def consume(tx: Transaction, order: OrderId) -> None:
    """Let what is kept for a paid order leave the stock; what is left to sell stays the same."""
    if await repository.hold_products_kept(tx, order):
        await repository.consume(tx, order)


async def release(tx: Transaction, orders: Sequence[OrderId]) -> None:
    """Let what is kept for orders be sold to others again."""
    variants = await repository.held_for(tx, orders)
    if not variants:
        return
    held = await products.hold_products_of(tx, variants)
    if await repository.release(tx, orders):
        await tell_change(tx, held)


async def put_back(tx: Transaction, order: OrderId, in_all: Mapping[VariantId, int]) -> None:
    """Put back into the stock what a paid order used and its buyer was refunded.

    `in_all` says how many have come back altogether, with those of earlier calls: the same call
    twice is once, and never do more come back than the order had.
    """
    held = await products.hold_products_of(tx, list(in_all))
    if held and await repository.put_back(tx, order, in_all):
        await tell_change(tx, held)


async def _refuse(tx: Transaction, variant: VariantId) -> None:
    offer = (await offers(tx, [variant])).get(variant)
    if offer is None:
        raise VariantNotFoundError(variant)
    if offer.stock is not None:
        raise OutOfStockError(offer.title, left=offer.stock)
