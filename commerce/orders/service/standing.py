"""What becomes of an order once it is paid, told by those who know: goods, refunds, disputes."""

from collections.abc import Mapping

from commerce.foundation.database import Transaction
from commerce.orders.model import DisputeState, Order, machine
from commerce.orders.service.stepping import hold_row, take
from protocol.ids import OrderId, OrderLineId
from protocol.views import DeliveryStatus


async def fulfil(tx: Transaction, order: OrderId) -> Order:
    """Say that everything in an order was handed over; twice is once.

    A held order stays as it is: ask again when it is released (`OrderReleased`).

    Raises:
        OrderNotFoundError: if there is no such order.
        IllegalTransitionError: if it is not paid, or was given back.
    """
    held = await hold_row(tx, order)
    return await take(tx, machine.fulfil(held, tx.now), otherwise=held)


async def refunds_are(tx: Transaction, order: OrderId, by_line: Mapping[OrderLineId, int]) -> Order:
    """Say how much was given back of each line in all; lines that are left out, nothing.

    The state is folded from it, forwards and back: a refund that failed later is told by a
    lower sum.

    Raises:
        OrderNotFoundError: if there is no such order.
        RefundsDoNotFitError: if a line is not the order's, or more comes back than was paid.
        IllegalTransitionError: if the order was never paid.
    """
    held = await hold_row(tx, order)
    return await take(tx, machine.refund(held, by_line), otherwise=held)


async def dispute_is(tx: Transaction, order: OrderId, state: DisputeState) -> Order:
    """Say that the buyer's bank asks for the money back, or how it decided; twice is once.

    Raises:
        OrderNotFoundError: if there is no such order.
        NotForThisStateError: if it was never paid.
    """
    held = await hold_row(tx, order)
    return await take(tx, machine.dispute(held, state), otherwise=held)


async def set_held(tx: Transaction, order: OrderId, held: bool, reason: str) -> Order:  # noqa: FBT001 - said in words at every call
    """Stop an order for the shop to look at by hand, or let it go on; twice is once.

    Raises:
        OrderNotFoundError: if there is no such order.
    """
    found = await hold_row(tx, order)
    return await take(tx, machine.hold(found, held=held, reason=reason), otherwise=found)


async def delivery_is(tx: Transaction, order: OrderId, delivery: DeliveryStatus) -> Order:
    """Say what has become of the goods, folded over all lines; twice is once.

    Raises:
        OrderNotFoundError: if there is no such order.
        NotForThisStateError: if it was never paid.
    """
    held = await hold_row(tx, order)
    return await take(tx, machine.deliver(held, delivery), otherwise=held)
