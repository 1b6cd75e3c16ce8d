"""Taking a step: the order's row, one row in its log, one event on both topics, all or nothing.

Whoever touches an attempt to pay an order as well locks that first and the order second; goods,
discounts, the ledger and the series of invoices come after the order, in this turn.
"""

from commerce.foundation.database import Transaction
from commerce.orders.errors import OrderNotFoundError
from commerce.orders.model import Order, Step, fact_of, record
from commerce.orders.repository import orders as repository
from protocol.ids import EventId, OrderId
from protocol.topics import order_topic, user_topic


async def hold_row(tx: Transaction, order: OrderId) -> Order:
    """Return an order as it is now, and keep everybody else from it until the transaction ends.

    Raises:
        OrderNotFoundError: if there is no such order.
    """
    held = await repository.lock(tx, order)
    if held is None:
        raise OrderNotFoundError(order)
    return held


async def begin(tx: Transaction, step: Step) -> Order:
    """Write a new order with its first step."""
    await repository.add(tx, step.after)
    await _tell(tx, step)
    return step.after


async def take(tx: Transaction, step: Step | None, *, otherwise: Order) -> Order:
    """Take a step on an order that is held; without one the order is as it was."""
    if step is None:
        return otherwise
    assert await repository.move(tx, step.before, step.after)
    await _tell(tx, step)
    return step.after


async def _tell(tx: Transaction, step: Step) -> None:
    order = step.after
    fact = fact_of(step, tx.now)
    event_id = EventId(tx.mint("evt"))
    await repository.add_event(tx, order.id, record(step, event_id=event_id, at=tx.now))
    await tx.emit(order_topic(order.id), fact, event_id=event_id)
    await tx.emit(user_topic(order.buyer_id), fact, event_id=event_id)
