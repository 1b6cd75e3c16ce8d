"""Refunds, their lines and their steps."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.refunds.model import Refund, RefundLine, RefundStep
from protocol.ids import OrderId, OrderLineId, RefundId
from protocol.views import RefundState

_COLUMNS: Final[LiteralString] = """
    select id, order_id, buyer_id, state, version, amount_minor, currency, reason, origin, actor_id,
           restocks, stripe_refund_id, failure, has_succeeded, attempts, next_try_at, submitted_at,
           created_at, tax_minor
      from refunds
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"

_LOCK: Final[LiteralString] = _FIND + " for update"

_BY_STRIPE_ID: Final[LiteralString] = _COLUMNS + " where stripe_refund_id = $1"

_OF_ORDER: Final[LiteralString] = _COLUMNS + " where order_id = $1 order by id"

_SEARCH: Final[LiteralString] = (
    _COLUMNS
    + """
     where ($1::text is null or state = $1)
       and ($2::text is null or id < $2)
     order by id desc
     limit $3
"""
)

_DUE: Final[LiteralString] = """
    select id
      from refunds
     where next_try_at <= $1
     order by next_try_at, id
     limit $2
"""

_LINES: Final[LiteralString] = """
    select refund_id, line_id, amount_minor, quantity
      from refund_lines
     where refund_id = any($1::text[])
     order by refund_id, line_id
"""

_STEPS: Final[LiteralString] = """
    select version, from_state, to_state, detail, at
      from refund_steps
     where refund_id = $1
     order by version
"""

_SET_CAPTURED: Final[LiteralString] = """
    insert into refundable_orders as known (order_id, captured_minor, currency)
    values ($1, $2, $3)
        on conflict (order_id) do update
       set captured_minor = excluded.captured_minor
     where known.captured_minor <> excluded.captured_minor
"""

_ADD: Final[LiteralString] = """
    insert into refunds (
        id, order_id, buyer_id, state, version, amount_minor, currency, reason, origin, actor_id,
        restocks, stripe_refund_id, failure, has_succeeded, attempts, next_try_at, submitted_at,
        created_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""

_ADD_LINE: Final[LiteralString] = """
    insert into refund_lines (refund_id, line_id, amount_minor, quantity)
    values ($1, $2, $3, $4)
"""

_SAVE: Final[LiteralString] = """
    update refunds
       set state = $2, version = $3, stripe_refund_id = $4, failure = $5, has_succeeded = $6,
           attempts = $7, next_try_at = $8, submitted_at = $9, tax_minor = $10
     where id = $1
"""

_ADD_STEP: Final[LiteralString] = """
    insert into refund_steps (refund_id, version, from_state, to_state, detail, at)
    values ($1, $2, $3, $4, $5, $6)
"""

_EXCEEDING: Final[LiteralString] = """
    select paid.order_id as id
      from refundable_orders paid
      join refunds given
        on given.order_id = paid.order_id
       and given.state not in ('failed', 'canceled')
     group by paid.order_id, paid.captured_minor
    having sum(given.amount_minor) > paid.captured_minor
     limit 20
"""

_UNLIKE_LINES: Final[LiteralString] = """
    select given.id
      from refunds given
      left join refund_lines line
        on line.refund_id = given.id
     group by given.id, given.amount_minor
    having coalesce(sum(line.amount_minor), 0) <> given.amount_minor
     limit 20
"""

_UNLIKE_ORDERS: Final[LiteralString] = """
    select bought.id
      from refundable_orders paid
      join orders bought
        on bought.id = paid.order_id
      left join refunds given
        on given.order_id = bought.id
       and given.state = 'succeeded'
     group by bought.id, bought.refunded_minor
    having coalesce(sum(given.amount_minor), 0) <> bought.refunded_minor
     limit 20
"""


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _LineRow(RefundLine, frozen=True, kw_only=True):
    refund_id: RefundId


async def find(tx: Transaction, refund: RefundId) -> Refund | None:
    """Return a refund."""
    return await _one(tx, await tx.one_or_none(Refund, _FIND, refund))


async def lock(tx: Transaction, refund: RefundId) -> Refund | None:
    """Return a refund and hold it until the transaction ends."""
    return await _one(tx, await tx.one_or_none(Refund, _LOCK, refund))


async def by_stripe_id(tx: Transaction, stripe_refund_id: str) -> Refund | None:
    """Return the refund that the processor knows by this name."""
    return await _one(tx, await tx.one_or_none(Refund, _BY_STRIPE_ID, stripe_refund_id))


async def of_order(tx: Transaction, order: OrderId) -> list[Refund]:
    """Return all refunds of an order, in order."""
    return await _with_lines(tx, await tx.all(Refund, _OF_ORDER, order))


async def search(
    tx: Transaction, *, state: RefundState | None, after: RefundId | None, limit: int
) -> list[Refund]:
    """Return refunds, those of one state if so asked, the newest first."""
    return await _with_lines(tx, await tx.all(Refund, _SEARCH, state, after, limit))


async def due(tx: Transaction, now: datetime, *, limit: int) -> list[RefundId]:
    """Return refunds of which the processor is to be asked, those that wait longest first."""
    return [RefundId(row.id) for row in await tx.all(_Identity, _DUE, now, limit)]


async def steps(tx: Transaction, refund: RefundId) -> list[RefundStep]:
    """Return what happened to a refund, in order."""
    return await tx.all(RefundStep, _STEPS, refund)


async def set_captured(
    tx: Transaction, order: OrderId, *, captured_minor: int, currency: str
) -> None:
    """Write what was paid for an order, above which the database lets nothing be given back."""
    await tx.execute(_SET_CAPTURED, order, captured_minor, currency)


async def add(tx: Transaction, refund: Refund) -> None:
    """Write a new refund with its lines."""
    await tx.execute(
        _ADD,
        refund.id,
        refund.order_id,
        refund.buyer_id,
        refund.state,
        refund.version,
        refund.amount_minor,
        refund.currency,
        refund.reason,
        refund.origin,
        refund.actor_id,
        refund.restocks,
        refund.stripe_refund_id,
        refund.failure,
        refund.has_succeeded,
        refund.attempts,
        refund.next_try_at,
        refund.submitted_at,
        refund.created_at,
    )
    await tx.execute_many(
        _ADD_LINE,
        [(refund.id, line.line_id, line.amount_minor, line.quantity) for line in refund.lines],
    )


async def save(tx: Transaction, refund: Refund) -> None:
    """Write where a refund that is held stands now."""
    await tx.execute(
        _SAVE,
        refund.id,
        refund.state,
        refund.version,
        refund.stripe_refund_id,
        refund.failure,
        refund.has_succeeded,
        refund.attempts,
        refund.next_try_at,
        refund.submitted_at,
        refund.tax_minor,
    )


async def add_step(tx: Transaction, refund: RefundId, step: RefundStep) -> None:
    """Write down one thing that happened to a refund."""
    await tx.execute(
        _ADD_STEP, refund, step.version, step.from_state, step.to_state, step.detail, step.at
    )


async def exceeding(tx: Transaction) -> list[str]:
    """Return orders of which more is given back than was paid."""
    return [row.id for row in await tx.all(_Identity, _EXCEEDING)]


async def unlike_lines(tx: Transaction) -> list[str]:
    """Return refunds that are not the sum of their lines."""
    return [row.id for row in await tx.all(_Identity, _UNLIKE_LINES)]


async def unlike_orders(tx: Transaction) -> list[str]:
    """Return orders that do not say what their refunds say."""
    return [row.id for row in await tx.all(_Identity, _UNLIKE_ORDERS)]


async def _one(tx: Transaction, found: Refund | None) -> Refund | None:
    return None if found is None else (await _with_lines(tx, [found]))[0]


async def _with_lines(tx: Transaction, found: Sequence[Refund]) -> list[Refund]:
    if not found:
        return []
    lines: defaultdict[RefundId, list[RefundLine]] = defaultdict(list)
    for row in await tx.all(_LineRow, _LINES, [refund.id for refund in found]):
        lines[row.refund_id].append(_line(row.line_id, row))
    return [msgspec.structs.replace(each, lines=tuple(lines[each.id])) for each in found]


def _line(identity: OrderLineId, row: _LineRow) -> RefundLine:
    return RefundLine(line_id=identity, amount_minor=row.amount_minor, quantity=row.quantity)
