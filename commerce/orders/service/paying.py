"""An order and its money: what is told of a payment, and all that goes with being paid."""

from typing import Final

from commerce.catalog.errors import OutOfStockError, VariantNotFoundError
from commerce.discounts.errors import (
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    UnknownCodeError,
)
from commerce.foundation.database import Transaction
from commerce.invoices import service as invoices
from commerce.invoices.model import Bill, PaperLine
from commerce.ledger import model as postings, service as ledger
from commerce.orders.errors import OrderNotFoundError
from commerce.orders.model import Order, OrderLine, PaymentTold, Step, machine, outcome
from commerce.orders.service.reserving import extend, reserve, use
from commerce.orders.service.stepping import hold_row, take
from commerce.payments.model import Attempt
from protocol.ids import OrderId
from shared.logging import get_logger

_CANNOT_BE_KEPT: Final = (
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    OutOfStockError,
    UnknownCodeError,
    VariantNotFoundError,
)

_log = get_logger("commerce.orders")


async def settle(tx: Transaction, attempt: Attempt) -> Order | None:
    """Make of an order what an attempt to pay it makes of it now; None if it is nobody's order.

    The one way money reaches an order: by a webhook, by the answer to a call, by the reconciler.
    Record the attempt first: attempts are locked before their orders, everywhere.
    """
    try:
        return await hear(tx, attempt.order_id, told_by(attempt))
    except OrderNotFoundError:
        _log.error("orders.paid_for_nothing", order=attempt.order_id, payment=attempt.id)
        return None


def told_by(attempt: Attempt) -> PaymentTold:
    """Return what an attempt tells its order."""
    return PaymentTold(
        payment=attempt.id,
        version=attempt.version,
        state=attempt.state,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        failure=attempt.failure,
    )


async def hear(tx: Transaction, order: OrderId, told: PaymentTold) -> Order:
    """Make of an order what its money makes of it; twice is once, and late news changes nothing.

    Raises:
        OrderNotFoundError: if there is no such order.
    """
    held = await hold_row(tx, order)
    match outcome(held, told):
        case "nothing":
            return held
        case "process":
            return await _wait(tx, machine.process(held, tx.now, told))
        case "fail":
            return await _wait(tx, machine.fail(held, tx.now, told))
        case "pay":
            return await paid(tx, held, told)
        case "keep_or_return":
            return await _keep_or_return(tx, held, told)
        case "mismatch" | "surplus" as odd:
            return await _set_aside(tx, held, told, odd)


async def paid(tx: Transaction, order: Order, told: PaymentTold | None = None) -> Order:
    """Pay an order that is held, and all that goes with it, in one transaction.

    What it reserved is used; the sale is in the ledger and has its invoice. The invoice comes last:
    everybody who pays waits for the lock of its series.
    """
    moved = await take(tx, machine.pay(order, tx.now, told), otherwise=order)
    await use(tx, order)
    if not order.is_free:
        await ledger.post(
            tx,
            postings.sale(
                order.id,
                total_minor=order.total_minor,
                tax_minor=order.tax_minor,
                currency=order.currency,
            ),
        )
        await invoices.issue(tx, _bill(moved))
    return moved


async def _keep_or_return(tx: Transaction, order: Order, told: PaymentTold) -> Order:
    """Keep an order that was given up, if what it is of can still be had."""
    try:
        async with tx.savepoint():
            await reserve(tx, order)
    except _CANNOT_BE_KEPT:
        late = await take(tx, machine.pay_late(order, tx.now, told), otherwise=order)
        await _keep_for_the_customer(tx, order, told)
        return late
    return await paid(tx, order, told)


async def _set_aside(tx: Transaction, order: Order, told: PaymentTold, why: str) -> Order:
    """Keep money that is not the order's, and have somebody look at it: once."""
    if not await _keep_for_the_customer(tx, order, told):
        return order
    _log.error("orders.odd_money", order=order.id, payment=told.payment, why=why)
    reason = f"payment {told.payment} of {told.amount_minor} {told.currency}: {why}"
    step = machine.hold(order, held=True, reason=reason)
    return await take(tx, step, otherwise=order)


async def _keep_for_the_customer(tx: Transaction, order: Order, told: PaymentTold) -> bool:
    posting = postings.late_money(
        told.payment, order.id, amount_minor=told.amount_minor, currency=told.currency
    )
    return await ledger.post(tx, posting)


async def _wait(tx: Transaction, step: Step) -> Order:
    waiting = await take(tx, step, otherwise=step.before)
    await extend(tx, waiting)
    return waiting


def _bill(order: Order) -> Bill:
    return Bill(
        order=order.id,
        order_number=order.number,
        buyer=order.buyer_id,
        currency=order.currency,
        lines=tuple(_paper_line(line) for line in order.lines),
        country=order.country or "",
    )


def _paper_line(line: OrderLine) -> PaperLine:
    return PaperLine(
        line=line.id,
        title=line.title,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        total_minor=line.total_minor,
        discount_minor=line.discount_minor,
        tax_minor=line.tax_minor,
        tax_name=line.tax_name,
        tax_ppm=line.tax_ppm,
        tax_inclusive=line.tax_inclusive,
    )
