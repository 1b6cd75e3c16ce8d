"""What buyers ask for."""

from typing import Final, LiteralString

from commerce.foundation.database import Transaction
from commerce.refunds.model import Request, RequestState
from protocol.ids import OrderId, RefundId

_COLUMNS: Final[LiteralString] = """
    select id, order_id, buyer_id, state, amount_minor, currency, parts, reason, answer, decided_by,
           asked_at, decided_at
      from refund_requests
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"

_LOCK: Final[LiteralString] = _FIND + " for update"

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

_ADD: Final[LiteralString] = """
    insert into refund_requests (
        id, order_id, buyer_id, state, amount_minor, currency, parts, reason, asked_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (order_id) where state = 'asked' do nothing
"""

_DECIDE: Final[LiteralString] = """
    update refund_requests
       set state = $2, answer = $3, decided_by = $4, decided_at = $5
     where id = $1
"""


async def find(tx: Transaction, request: RefundId) -> Request | None:
    """Return a request."""
    return await tx.one_or_none(Request, _FIND, request)


async def lock(tx: Transaction, request: RefundId) -> Request | None:
    """Return a request and hold it until the transaction ends."""
    return await tx.one_or_none(Request, _LOCK, request)


async def of_order(tx: Transaction, order: OrderId) -> list[Request]:
    """Return what was asked for of an order, in order."""
    return await tx.all(Request, _OF_ORDER, order)


async def search(
    tx: Transaction, *, state: RequestState | None, after: RefundId | None, limit: int
) -> list[Request]:
    """Return requests, those of one state if so asked, the newest first."""
    return await tx.all(Request, _SEARCH, state, after, limit)


async def add(tx: Transaction, request: Request) -> bool:
    """Write a new request; False if another one of its order waits for an answer."""
    added = await tx.execute(
        _ADD,
        request.id,
        request.order_id,
        request.buyer_id,
        request.state,
        request.amount_minor,
        request.currency,
        request.parts,
        request.reason,
        request.asked_at,
    )
    return added == 1


async def decide(tx: Transaction, request: Request) -> None:
    """Write what became of a request that is held."""
    await tx.execute(
        _DECIDE, request.id, request.state, request.answer, request.decided_by, request.decided_at
    )
