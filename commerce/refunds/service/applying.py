"""What the processor tells of refunds, folded into what is known; late and double news are none."""

from collections import Counter
from datetime import timedelta
from typing import Final

import msgspec
from prometheus_client import Counter as Measure

from commerce.catalog import service as catalog
from commerce.foundation.database import Transaction
from commerce.invoices import service as invoices
from commerce.invoices.errors import NothingInvoicedError
from commerce.invoices.model import CreditNote
from commerce.ledger import service as ledger
from commerce.ledger.model import (
    late_money_return_failed,
    late_money_returned,
    refund as refund_posting,
    refund_failed,
)
from commerce.orders import service as orders
from commerce.orders.model import Order
from commerce.refunds.errors import RefundDiffersError
from commerce.refunds.model import Refund, RefundTold, split
from commerce.refunds.repository import refunds as repository
from commerce.refunds.service.requesting import give_back_late
from commerce.refunds.service.stepping import begin, go_on, lines_left, order_of
from protocol.ids import OrderId, OrderLineId, RefundId, VariantId
from shared.logging import get_logger

LATE_AGAIN_HOURS: Final = 6
"""How long to wait before late money is given back once more, after that failed."""

_outcomes = Measure("rialto_refunds_outcomes", "What became of refunds.", ("origin", "outcome"))

_log = get_logger("commerce.refunds")


async def apply(tx: Transaction, told: RefundTold) -> Refund:
    """Fold in what the processor tells of a refund; twice, late or out of order changes nothing.

    A refund that was made on the processor's own pages is taken in. One that fails after it had
    succeeded goes back out of the books, and the order is as it was.

    Raises:
        RefundOfUnknownPaymentError: if neither the refund nor its payment is known, or not yet.
        RefundDiffersError: if the sum is not the one that was to be given back.
    """
    known = await _known(tx, told)
    order_id = None if known is None else known.order_id
    if order_id is None:
        order_id = await order_of(tx, told.order, told.charge, subject=told.stripe_refund_id)
    order = await orders.hold_row(tx, order_id)
    found = await _known(tx, told) or await _adopt(tx, order, told)
    refund = await repository.lock(tx, found.id)
    assert refund is not None
    if (refund.amount_minor, refund.currency) != (told.amount_minor, told.currency):
        raise RefundDiffersError(refund.id)
    return await _fold(tx, order, refund, told)


async def refuse(tx: Transaction, refund_id: RefundId, *, code: str) -> Refund:
    """Have a refund fail that the processor will not make; its sum may be given back anew."""
    known = await repository.find(tx, refund_id)
    assert known is not None
    order = await orders.hold_row(tx, known.order_id)
    refund = await repository.lock(tx, refund_id)
    assert refund is not None
    if refund.state not in {"reserved", "submitting"}:
        return refund
    failed = _moved(refund, "failed", failure=code)
    await go_on(tx, refund, failed, detail=code)
    await _after_failure(tx, order, failed)
    return failed


async def _known(tx: Transaction, told: RefundTold) -> Refund | None:
    if told.refund is not None:
        ours = await repository.find(tx, told.refund)
        if ours is not None:
            return ours
    return await repository.by_stripe_id(tx, told.stripe_refund_id)


async def _adopt(tx: Transaction, order: Order, told: RefundTold) -> Refund:
    """Take in a refund that was made elsewhere, laid upon the lines as they have money left."""
    lines = split(await lines_left(tx, order), amount_minor=told.amount_minor)
    refund = Refund(
        id=RefundId(tx.mint("rfd")),
        order_id=order.id,
        buyer_id=order.buyer_id,
        state="submitting",
        version=1,
        amount_minor=told.amount_minor,
        currency=told.currency,
        reason=told.reason,
        origin="processor",
        actor_id=None,
        restocks=False,
        stripe_refund_id=told.stripe_refund_id,
        failure="",
        has_succeeded=False,
        attempts=0,
        next_try_at=None,
        submitted_at=tx.now,
        created_at=tx.now,
        lines=lines,
    )
    await begin(tx, order, refund)
    return refund


async def _fold(tx: Transaction, order: Order, before: Refund, told: RefundTold) -> Refund:
    if not before.may_become(told.outcome):
        return before
    after = _moved(
        before,
        told.outcome,
        failure=told.failure,
        stripe_refund_id=told.stripe_refund_id,
        has_succeeded=before.has_succeeded or told.outcome == "succeeded",
    )
    await go_on(tx, before, after, detail=told.failure)
    if told.outcome != "pending":
        _outcomes.labels(after.origin, told.outcome).inc()
    if told.outcome == "succeeded":
        return await _give_back(tx, order, after)
    if told.outcome in {"failed", "canceled"}:
        if before.has_succeeded:
            await _take_back(tx, order, after)
        await _after_failure(tx, order, after)
    return after


async def _give_back(tx: Transaction, order: Order, refund: Refund) -> Refund:
    """Tell the order and the stock, then the books: numbers of papers are taken last."""
    await _tell_order(tx, order)
    if refund.restocks:
        await _put_back(tx, order)
    tax_minor = await _credit(tx, order, refund)
    booked = msgspec.structs.replace(refund, tax_minor=tax_minor)
    await repository.save(tx, booked)
    if order.late:
        posting = late_money_returned(
            refund.id, order.id, amount_minor=refund.amount_minor, currency=refund.currency
        )
    else:
        posting = refund_posting(
            refund.id,
            order.id,
            amount_minor=refund.amount_minor,
            tax_minor=tax_minor,
            currency=refund.currency,
        )
    await ledger.post(tx, posting)
    return booked


async def _take_back(tx: Transaction, order: Order, refund: Refund) -> None:
    """Undo what success has done, in new rows of the books."""
    await _tell_order(tx, order)
    if order.late:
        posting = late_money_return_failed(
            refund.id, order.id, amount_minor=refund.amount_minor, currency=refund.currency
        )
    else:
        await invoices.restore(tx, refund.id, reason="The refund failed.")
        posting = refund_failed(
            refund.id,
            order.id,
            amount_minor=refund.amount_minor,
            tax_minor=refund.tax_minor,
            currency=refund.currency,
        )
    await ledger.post(tx, posting)


async def _after_failure(tx: Transaction, order: Order, refund: Refund) -> None:
    """Money that is not the shop's must go back whatever happens: try again, and say so."""
    _log.error("refund.failed", refund=refund.id, order=order.id, failure=refund.failure)
    if refund.origin != "late":
        return
    again = await give_back_late(tx, order.id)
    if again is not None:
        later = tx.now + timedelta(hours=LATE_AGAIN_HOURS)
        await repository.save(tx, msgspec.structs.replace(again, next_try_at=later))


async def _tell_order(tx: Transaction, order: Order) -> None:
    by_line: Counter[OrderLineId] = Counter()
    for refund in await repository.of_order(tx, order.id):
        if refund.state == "succeeded":
            by_line.update({line.line_id: line.amount_minor for line in refund.lines})
    await orders.refunds_are(tx, order.id, by_line)


async def _put_back(tx: Transaction, order: Order) -> None:
    limited = {line.id: line.variant_id for line in order.lines if line.takes_stock}
    in_all: Counter[VariantId] = Counter()
    for refund in await repository.of_order(tx, order.id):
        if refund.restocks and refund.has_succeeded:
            for line in refund.lines:
                if line.line_id in limited and line.quantity:
                    in_all[limited[line.line_id]] += line.quantity
    if in_all:
        await catalog.put_back(tx, order.id, in_all)


async def _credit(tx: Transaction, order: Order, refund: Refund) -> int:
    """Issue the credit note; return how much of the refund is tax."""
    if order.late:
        return 0
    note = CreditNote(
        refund=refund.id,
        order=order.id,
        amounts={line.line_id: line.amount_minor for line in refund.lines},
        reason=refund.reason,
    )
    try:
        return (await invoices.credit(tx, note)).tax_minor
    except NothingInvoicedError:  # An order from before there were invoices.
        return _tax_in(order, refund)


def _tax_in(order: Order, refund: Refund) -> int:
    lines = {line.id: line for line in order.lines}
    return sum(
        lines[part.line_id].tax_minor * part.amount_minor // lines[part.line_id].total_minor
        for part in refund.lines
    )


def _moved(refund: Refund, state: str, **known: object) -> Refund:
    return msgspec.structs.replace(
        refund, state=state, version=refund.version + 1, next_try_at=None, **known
    )


async def money_back(tx: Transaction, order: OrderId) -> int:
    """Return how much of an order has gone back to its buyer."""
    found = await repository.of_order(tx, order)
    return sum(refund.amount_minor for refund in found if refund.state == "succeeded")
