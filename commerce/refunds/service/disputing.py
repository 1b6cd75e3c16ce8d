"""What buyers' banks ask back, and what they warn of."""

from typing import Final

import msgspec

from commerce.foundation.database import Transaction
from commerce.ledger import service as ledger
from commerce.ledger.model import dispute_reinstated, dispute_withdrawn
from commerce.orders import service as orders
from commerce.orders.model import OrderEvent, show as show_order
from commerce.refunds.errors import DisputeNotFoundError
from commerce.refunds.model import (
    Dispute,
    DisputeTold,
    Refund,
    Request,
    Warned,
    WarningTold,
    dispute_state,
)
from commerce.refunds.model.disputes import CLOSED_STATUSES
from commerce.refunds.repository import disputes as repository, refunds, requests
from commerce.refunds.service.stepping import order_of
from protocol import views
from protocol.ids import DisputeId, OrderId

HELD_FOR_FRAUD: Final = "The buyer's bank warns of a fraud"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop knows of a disputed order, to be shown to the bank."""

    dispute: Dispute
    order: views.Order
    steps: list[OrderEvent]
    refunds: list[Refund]
    requests: list[Request]
    warnings: list[Warned]


async def apply_dispute(tx: Transaction, told: DisputeTold) -> Dispute:
    """Fold in what the processor tells of a dispute; twice or late changes nothing.

    Money that the bank took goes out of the books, and comes back if it gives it back; it may be
    more than was paid. The order is disputed as long as the bank has the money and decides.

    Raises:
        RefundOfUnknownPaymentError: if neither the dispute nor its payment is known, or not yet.
    """
    known = await repository.by_stripe_id(tx, told.stripe_dispute_id)
    order_id = None if known is None else known.order_id
    if order_id is None:
        order_id = await order_of(tx, told.order, told.charge, subject=told.stripe_dispute_id)
    await orders.hold_row(tx, order_id)
    known = await repository.by_stripe_id(tx, told.stripe_dispute_id)
    if known is not None and not known.is_older_than(told.status):
        return known
    dispute = _folded(tx, known, told, order_id)
    await repository.save(tx, dispute)
    await _book(tx, 0 if known is None else known.withdrawn_minor, dispute)
    state = dispute_state([each.status for each in await repository.of_order(tx, order_id)])
    if state != "none":
        await orders.dispute_is(tx, order_id, state)
    return dispute


async def apply_warning(tx: Transaction, told: WarningTold) -> bool:
    """Take in a bank's early warning: the order is held unless its money is back already.

    Raises:
        RefundOfUnknownPaymentError: if the payment is not known, or not yet.
    """
    order_id = await order_of(tx, told.order, told.charge, subject=told.stripe_warning_id)
    order = await orders.hold_row(tx, order_id)
    warned = Warned(
        stripe_warning_id=told.stripe_warning_id,
        order_id=order.id,
        kind=told.kind,
        warned_at=told.warned_at,
    )
    if not await repository.add_warning(tx, warned):
        return False
    if told.is_actionable and order.state != "refunded":
        await orders.set_held(tx, order.id, held=True, reason=f"{HELD_FOR_FRAUD}: {told.kind}")
    return True


async def find_dispute(tx: Transaction, dispute: DisputeId) -> Dispute:
    """Return a dispute: for staff, who have been asked for.

    Raises:
        DisputeNotFoundError: if there is none.
    """
    found = await repository.find(tx, dispute)
    if found is None:
        raise DisputeNotFoundError(dispute)
    return found


async def search_disputes(
    tx: Transaction, *, only_open: bool = False, after: DisputeId | None = None, limit: int
) -> list[Dispute]:
    """Return disputes, the newest first: for staff, who have been asked for."""
    return await repository.search(tx, only_open=only_open, after=after, limit=limit)


async def evidence(tx: Transaction, dispute_id: DisputeId) -> Evidence:
    """Return what the shop knows of a disputed order, to be shown to the bank.

    Raises:
        DisputeNotFoundError: if there is no such dispute.
    """
    dispute = await find_dispute(tx, dispute_id)
    order = dispute.order_id
    return Evidence(
        dispute=dispute,
        order=show_order(await orders.of(tx, order)),
        steps=await orders.steps(tx, order),
        refunds=await refunds.of_order(tx, order),
        requests=await requests.of_order(tx, order),
        warnings=await repository.warnings(tx, order),
    )


def _folded(
    tx: Transaction, known: Dispute | None, told: DisputeTold, order_id: OrderId
) -> Dispute:
    is_closed = told.status in CLOSED_STATUSES
    return Dispute(
        id=DisputeId(tx.mint("dsp")) if known is None else known.id,
        stripe_dispute_id=told.stripe_dispute_id,
        order_id=order_id,
        status=told.status,
        reason=told.reason,
        is_inquiry=told.status.startswith("warning_"),
        amount_minor=told.amount_minor,
        currency=told.currency,
        withdrawn_minor=told.withdrawn_minor,
        evidence_due_at=told.evidence_due_at,
        seen_at=tx.now,
        opened_at=told.opened_at if known is None else known.opened_at,
        closed_at=tx.now if is_closed else None,
    )


async def _book(tx: Transaction, before_minor: int, dispute: Dispute) -> None:
    """Post what the bank took, and what it gave back."""
    if dispute.withdrawn_minor and not before_minor:
        await ledger.post(
            tx,
            dispute_withdrawn(
                dispute.id,
                dispute.order_id,
                amount_minor=dispute.withdrawn_minor,
                currency=dispute.currency,
            ),
        )
    if before_minor and not dispute.withdrawn_minor:
        await ledger.post(
            tx,
            dispute_reinstated(
                dispute.id,
                dispute.order_id,
                amount_minor=before_minor,
                currency=dispute.currency,
            ),
        )
