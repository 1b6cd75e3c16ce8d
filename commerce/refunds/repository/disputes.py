"""What buyers' banks ask back, and what they warn of."""

from typing import Final, LiteralString

from commerce.foundation.database import Transaction
from commerce.refunds.model import Dispute, Warned
from protocol.ids import DisputeId, OrderId

_COLUMNS: Final[LiteralString] = """
    select id, stripe_dispute_id, order_id, status, reason, is_inquiry, amount_minor, currency,
           withdrawn_minor, evidence_due_at, seen_at, opened_at, closed_at
      from disputes
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"

_BY_STRIPE_ID: Final[LiteralString] = _COLUMNS + " where stripe_dispute_id = $1"

_OF_ORDER: Final[LiteralString] = _COLUMNS + " where order_id = $1 order by id"

_SEARCH: Final[LiteralString] = (
    _COLUMNS
    + """
     where (not $1 or closed_at is null)
       and ($2::text is null or id < $2)
     order by id desc
     limit $3
"""
)

_SAVE: Final[LiteralString] = """
    insert into disputes (
        id, stripe_dispute_id, order_id, status, reason, is_inquiry, amount_minor, currency,
        withdrawn_minor, evidence_due_at, seen_at, opened_at, closed_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (id) do update
       set status = excluded.status,
           reason = excluded.reason,
           is_inquiry = excluded.is_inquiry,
           amount_minor = excluded.amount_minor,
           currency = excluded.currency,
           withdrawn_minor = excluded.withdrawn_minor,
           evidence_due_at = excluded.evidence_due_at,
           seen_at = excluded.seen_at,
           closed_at = excluded.closed_at
"""

_ADD_WARNING: Final[LiteralString] = """
    insert into fraud_warnings (stripe_warning_id, order_id, kind, warned_at)
    values ($1, $2, $3, $4)
        on conflict do nothing
"""

_WARNINGS: Final[LiteralString] = """
    select stripe_warning_id, order_id, kind, warned_at
      from fraud_warnings
     where order_id = $1
     order by warned_at
"""


async def find(tx: Transaction, dispute: DisputeId) -> Dispute | None:
    """Return a dispute."""
    return await tx.one_or_none(Dispute, _FIND, dispute)


async def by_stripe_id(tx: Transaction, stripe_dispute_id: str) -> Dispute | None:
    """Return the dispute that the processor knows by this name."""
    return await tx.one_or_none(Dispute, _BY_STRIPE_ID, stripe_dispute_id)


async def of_order(tx: Transaction, order: OrderId) -> list[Dispute]:
    """Return all disputes of an order, in order."""
    return await tx.all(Dispute, _OF_ORDER, order)


async def search(
    tx: Transaction, *, only_open: bool, after: DisputeId | None, limit: int
) -> list[Dispute]:
    """Return disputes, the newest first."""
    return await tx.all(Dispute, _SEARCH, only_open, after, limit)


async def save(tx: Transaction, dispute: Dispute) -> None:
    """Write where a dispute stands; its order is held."""
    await tx.execute(
        _SAVE,
        dispute.id,
        dispute.stripe_dispute_id,
        dispute.order_id,
        dispute.status,
        dispute.reason,
        dispute.is_inquiry,
        dispute.amount_minor,
        dispute.currency,
        dispute.withdrawn_minor,
        dispute.evidence_due_at,
        dispute.seen_at,
        dispute.opened_at,
        dispute.closed_at,
    )


async def add_warning(tx: Transaction, warned: Warned) -> bool:
    """Write down a warning; False if it is known."""
    added = await tx.execute(
        _ADD_WARNING, warned.stripe_warning_id, warned.order_id, warned.kind, warned.warned_at
    )
    return added == 1


async def warnings(tx: Transaction, order: OrderId) -> list[Warned]:
    """Return what banks warned of, in order."""
    return await tx.all(Warned, _WARNINGS, order)
