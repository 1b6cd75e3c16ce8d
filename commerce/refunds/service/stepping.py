"""Taking a step with a refund: its row, one row in its log, one event on both topics."""

from typing import Final

from commerce.foundation.database import Transaction
from commerce.orders.model import Order
from commerce.payments import service as payments
from commerce.refunds.errors import RefundOfUnknownPaymentError
from commerce.refunds.model import LineLeft, Refund, RefundStep, left_of, show
from commerce.refunds.repository import refunds as repository
from protocol.events import RefundChanged
from protocol.ids import OrderId
from protocol.topics import order_topic, user_topic

NEW: Final = "new"


async def lines_left(tx: Transaction, order: Order) -> list[LineLeft]:
    """Return what may still be given back of each line of an order that is held."""
    lines = [
        LineLeft(
            line_id=line.id,
            quantity=line.quantity,
            total_minor=line.total_minor,
            left_minor=line.total_minor if order.captured_minor else 0,
            quantity_left=line.quantity,
        )
        for line in order.lines
    ]
    return left_of(lines, await repository.of_order(tx, order.id))


async def order_of(
    tx: Transaction, order: OrderId | None, charge: str | None, *, subject: str
) -> OrderId:
    """Return the order whose money the processor tells of, by what it has of it.

    Raises:
        RefundOfUnknownPaymentError: if no payment of ours is known by that name, or not yet.
    """
    if order is not None:
        return order
    attempt = None if charge is None else await payments.attempt_of_charge(tx, charge)
    if attempt is None:
        raise RefundOfUnknownPaymentError(subject)
    return attempt.order_id


async def begin(tx: Transaction, order: Order, refund: Refund) -> None:
    """Write a new refund of an order that is held."""
    await repository.set_captured(
        tx, order.id, captured_minor=order.captured_minor, currency=order.currency
    )
    await repository.add(tx, refund)
    await _tell(tx, refund, before=NEW)


async def go_on(tx: Transaction, before: Refund, after: Refund, *, detail: str = "") -> None:
    """Write where a refund that is held stands now; tell of it if that is another state."""
    await repository.save(tx, after)
    if after.version != before.version:
        await _tell(tx, after, before=before.state, detail=detail)


async def _tell(tx: Transaction, refund: Refund, *, before: str, detail: str = "") -> None:
    step = RefundStep(
        version=refund.version,
        from_state=before,
        to_state=refund.state,
        detail=detail,
        at=tx.now,
    )
    await repository.add_step(tx, refund.id, step)
    fact = RefundChanged(refund=show(refund))
    event_id = await tx.emit(order_topic(refund.order_id), fact)
    await tx.emit(user_topic(refund.buyer_id), fact, event_id=event_id)
