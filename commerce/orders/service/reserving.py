"""What orders keep while they wait: limited stock, and discounts."""

from collections.abc import Sequence

from commerce.catalog import service as catalog
from commerce.discounts import service as discounts
from commerce.foundation.database import Transaction
from commerce.orders.model import Order, machine


async def reserve(tx: Transaction, order: Order) -> None:
    """Keep what an order needs until it is paid or given up.

    Raises:
        OutOfStockError: if fewer of one are left.
        UnknownCodeError: if a discount does not hold any more.
        DiscountUsedUpError: if as many orders as may have one have it.
        DiscountUsedBeforeError: if the buyer has used one that is once for everybody.
    """
    if order.stock_taken:
        until = order.pay_until or machine.payment_due(order, tx.now)
        await catalog.reserve(tx, order.id, order.stock_taken, until)
    if order.discount_ids:
        await discounts.reserve(tx, order.id, order.buyer_id, order.discount_ids)


async def extend(tx: Transaction, order: Order) -> None:
    """Keep what an order reserved for as long as it waits now."""
    if order.stock_taken and order.pay_until is not None:
        await catalog.extend(tx, order.id, order.pay_until)


async def use(tx: Transaction, order: Order) -> None:
    """Let a paid order have what it reserved for good."""
    if order.stock_taken:
        await catalog.consume(tx, order.id)
    if order.discount_ids:
        await discounts.redeem(tx, order.id)


async def release(tx: Transaction, orders: Sequence[Order]) -> None:
    """Let others have what orders reserved that were given up."""
    await catalog.release(tx, [order.id for order in orders if order.stock_taken])
    for order in sorted(orders, key=lambda each: each.id):
        if order.discount_ids:
            await discounts.release(tx, order.id)
