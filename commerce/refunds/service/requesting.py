"""Reserving refunds, and what buyers ask for before that."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from commerce.foundation.database import Transaction
from commerce.orders import service as orders
from commerce.orders.errors import OrderNotFoundError
from commerce.orders.model import Order, OrderFilter
from commerce.refunds.errors import (
    AskedAlreadyError,
    NothingPaidError,
    OrderDisputedError,
    RefundNotFoundError,
    RequestDecidedError,
)
from commerce.refunds.model import Origin, Part, Refund, Request, RequestState, split
from commerce.refunds.repository import refunds as repository, requests
from commerce.refunds.service.stepping import begin, lines_left
from protocol.ids import OrderId, RefundId, UserId

LATE_AT_ONCE_MAX: Final = 50
LATE_REASON: Final = "The money came after the order had been given up."


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be given back: parts of lines, or a sum over all lines, or all that is left."""

    order: OrderId
    parts: tuple[Part, ...] = ()
    amount_minor: int | None = None
    reason: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish: the request, and the refund if it was approved at once."""

    request: Request
    refund: Refund | None


async def request(
    tx: Transaction,
    wanted: Wanted,
    *,
    origin: Origin,
    actor: UserId | None = None,
    restocks: bool = False,
) -> Refund:
    """Reserve a refund; from now on its sum counts as given back. Who commits has it submitted.

    Raises:
        OrderNotFoundError: if there is no such order.
        NothingPaidError: if nothing was paid for it.
        OrderDisputedError: if the buyer's bank asks for the money, or got it.
        RefundTooLargeError: if more is wanted than is left.
        NothingToRefundError: if it comes to nothing.
    """
    order = await orders.hold_row(tx, wanted.order)
    fresh = await _fresh(tx, order, wanted, origin=origin, actor=actor)
    fresh = msgspec.structs.replace(fresh, restocks=restocks)
    await begin(tx, order, fresh)
    return fresh


async def ask(tx: Transaction, buyer: UserId, wanted: Wanted, *, auto_days: int = 0) -> Asked:
    """Ask for a refund as the buyer; one of an order paid in the last `auto_days` is approved.

    Raises:
        OrderNotFoundError: if this buyer has no such order.
        AskedAlreadyError: if another request of theirs waits for its answer.
        NothingPaidError, OrderDisputedError, RefundTooLargeError, NothingToRefundError: as for
            `request`.
    """
    order = await orders.hold_row(tx, wanted.order)
    if order.buyer_id != buyer:
        raise OrderNotFoundError(wanted.order)
    fresh = await _fresh(tx, order, wanted, origin="buyer", actor=buyer)
    at_once = not order.held and _is_recent(order, tx, days=auto_days)
    asked = Request(
        id=fresh.id,
        order_id=order.id,
        buyer_id=buyer,
        state="asked",
        amount_minor=fresh.amount_minor,
        currency=order.currency,
        parts=tuple(
            Part(line=line.line_id, amount_minor=line.amount_minor, quantity=line.quantity)
            for line in fresh.lines
        ),
        reason=wanted.reason,
        answer="",
        decided_by=None,
        asked_at=tx.now,
        decided_at=None,
    )
    if not await requests.add(tx, asked):
        raise AskedAlreadyError
    if not at_once:
        return Asked(request=asked, refund=None)
    refund = msgspec.structs.replace(fresh, restocks=True)
    await begin(tx, order, refund)
    return Asked(request=await _decide(tx, asked, "approved"), refund=refund)


async def approve(
    tx: Transaction, staff: UserId, request_id: RefundId, *, answer: str = "", restocks: bool = True
) -> Refund:
    """Approve what a buyer asked for: the refund is reserved, under the request's id.

    Raises:
        RefundNotFoundError: if there is no such request.
        RequestDecidedError: if it was answered or withdrawn.
        OrderDisputedError, RefundTooLargeError: if it can no longer be given back.
    """
    order, asked = await _hold(tx, request_id)
    wanted = Wanted(order=order.id, parts=asked.parts, reason=asked.reason)
    fresh = await _fresh(tx, order, wanted, origin="buyer", actor=staff)
    refund = msgspec.structs.replace(fresh, id=asked.id, restocks=restocks)
    await begin(tx, order, refund)
    await _decide(tx, asked, "approved", by=staff, answer=answer)
    return refund


async def deny(tx: Transaction, staff: UserId, request_id: RefundId, *, answer: str) -> Request:
    """Deny what a buyer asked for, and say why.

    Raises:
        RefundNotFoundError: if there is no such request.
        RequestDecidedError: if it was answered or withdrawn.
    """
    _, asked = await _hold(tx, request_id)
    return await _decide(tx, asked, "denied", by=staff, answer=answer)


async def withdraw(tx: Transaction, buyer: UserId, request_id: RefundId) -> Request:
    """Take back what one asked for.

    Raises:
        RefundNotFoundError: if this buyer has no such request.
        RequestDecidedError: if it was answered or withdrawn.
    """
    order, asked = await _hold(tx, request_id)
    if order.buyer_id != buyer:
        raise RefundNotFoundError(request_id)
    return await _decide(tx, asked, "withdrawn", by=buyer)


async def give_back_late(tx: Transaction, order_id: OrderId) -> Refund | None:
    """Reserve the refund of money that came too late; None if that is done or not called for.

    Raises:
        OrderNotFoundError: if there is no such order.
    """
    order = await orders.hold_row(tx, order_id)
    left = sum(line.left_minor for line in await lines_left(tx, order))
    if not order.late or not left or order.dispute in {"open", "lost"}:
        return None
    wanted = Wanted(order=order_id, reason=LATE_REASON)
    fresh = await _fresh(tx, order, wanted, origin="late", actor=None)
    await begin(tx, order, fresh)
    return fresh


async def sweep_late(tx: Transaction) -> int:
    """Reserve refunds of late money that nobody has told of; return how many."""
    found = await orders.search(tx, OrderFilter(state="paid_late"), limit=LATE_AT_ONCE_MAX)
    given = [await give_back_late(tx, order.id) for order in found]
    return sum(refund is not None for refund in given)


async def _fresh(
    tx: Transaction, order: Order, wanted: Wanted, *, origin: Origin, actor: UserId | None
) -> Refund:
    if not order.captured_minor:
        raise NothingPaidError(order.id)
    if order.dispute in {"open", "lost"}:
        raise OrderDisputedError(order.id)
    left = await lines_left(tx, order)
    lines = split(left, amount_minor=wanted.amount_minor, parts=wanted.parts)
    return Refund(
        id=RefundId(tx.mint("rfd")),
        order_id=order.id,
        buyer_id=order.buyer_id,
        state="reserved",
        version=1,
        amount_minor=sum(line.amount_minor for line in lines),
        currency=order.currency,
        reason=wanted.reason,
        origin=origin,
        actor_id=actor,
        restocks=False,
        stripe_refund_id=None,
        failure="",
        has_succeeded=False,
        attempts=0,
        next_try_at=tx.now,
        submitted_at=None,
        created_at=tx.now,
        lines=lines,
    )


def _is_recent(order: Order, tx: Transaction, *, days: int) -> bool:
    return order.paid_at is not None and tx.now < order.paid_at + timedelta(days=days)


async def _hold(tx: Transaction, request_id: RefundId) -> tuple[Order, Request]:
    """Return a request that is still open and its order, and hold both."""
    known = await requests.find(tx, request_id)
    if known is None:
        raise RefundNotFoundError(request_id)
    order = await orders.hold_row(tx, known.order_id)
    asked = await requests.lock(tx, request_id)
    assert asked is not None
    if asked.state != "asked":
        raise RequestDecidedError(asked.state)
    return order, asked


async def _decide(
    tx: Transaction,
    asked: Request,
    state: RequestState,
    *,
    by: UserId | None = None,
    answer: str = "",
) -> Request:
    decided = msgspec.structs.replace(
        asked, state=state, answer=answer, decided_by=by, decided_at=tx.now
    )
    await requests.decide(tx, decided)
    return decided


async def requests_of_order(tx: Transaction, order: OrderId) -> Sequence[Request]:
    """Return what was asked for of an order, in order."""
    return await requests.of_order(tx, order)


async def search_requests(
    tx: Transaction,
    *,
    state: RequestState | None = None,
    after: RefundId | None = None,
    limit: int,
) -> list[Request]:
    """Return what buyers asked for, the newest first: for staff, who have been asked for."""
    return await requests.search(tx, state=state, after=after, limit=limit)


async def refunds_of_order(tx: Transaction, order: OrderId) -> list[Refund]:
    """Return all refunds of an order, in order."""
    return await repository.of_order(tx, order)
