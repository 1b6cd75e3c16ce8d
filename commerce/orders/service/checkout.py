"""Orders on their way to their money, and away from it: what calls the payment gateway.

Each function takes the database instead of a transaction: what is about to be done is committed,
the gateway is called while no transaction is open, and what came of it is written down in another.
Broken off anywhere, each may be called again; only what a run itself has made does it ever undo, so
a second run that comes too late leaves the first one's payment alone.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec

from commerce.foundation.database import Database, Transaction
from commerce.foundation.errors import PaymentsClosedError
from commerce.orders.errors import NotPayableError, OrderNotFoundError, PaymentUnderWayError
from commerce.orders.model import OPEN_STATES, Order, Step, machine
from commerce.orders.repository import orders as repository
from commerce.orders.service.paying import settle
from commerce.orders.service.reading import of
from commerce.orders.service.reserving import release
from commerce.orders.service.stepping import hold_row, take
from commerce.payments import service as payments
from commerce.payments.errors import LiveAttemptExistsError
from commerce.payments.model import AWAITS_ANSWER, Attempt, Charge, Outcome, Refused
from commerce.payments.ports import PaymentGateway
from protocol.ids import OrderId, PaymentId, UserId
from protocol.money import Money
from shared.logging import get_logger

EXPIRED_AT_ONCE_MAX: Final = 100
_TRIES_MAX: Final = 4
"""Steps from a payment nobody heard of to one that is over: ask, cancel, and look again."""

WriteDown = Callable[[Transaction, Order, Order], Awaitable[None]]
PAYMENT_OPENED: Final = "payment_opened"
CANCELING: Final = "canceling"

GivingUp = Callable[[Order, datetime], Step | None]

_log = get_logger("commerce.orders")


Reached = Callable[[Transaction, str, str], Awaitable[None]]
"""Told, in the transaction that brought it there, how far a request came, and of what it made."""


async def nobody_asks(_tx: Transaction, _point: str, _subject: str) -> None:
    """Write down nothing of how far this came: no request is to be gone on with."""


class PayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to pay which order. `method` is one they keep; `run` names the request.

    `opened` is the attempt that the same request opened before it was broken off: it goes on with
    that one, and makes no other.
    """

    buyer: UserId
    order: OrderId
    run: str
    method: str | None = None
    saves_method: bool = False
    opened: PaymentId | None = None


class Payable(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and how the attempt to pay it stands."""

    order: Order
    attempt: Attempt


async def pay(
    database: Database,
    gateway: PaymentGateway,
    asked: PayRequest,
    *,
    reached: Reached = nobody_asks,
) -> Payable:
    """Open the one attempt to pay an order, or go on with the one there is.

    If the answer is final already the order is settled by it.

    Raises:
        OrderNotFoundError: if this buyer has no such order.
        NotPayableError: if it does not wait for money.
        PaymentMethodNotFoundError: if the buyer keeps no such method.
        PaymentsClosedError: if the shop has no account to be paid on.
    """
    if asked.opened is not None:
        return await _go_on(database, gateway, asked.opened)
    if asked.method is not None:
        await payments.method(database, gateway, asked.buyer, asked.method)
    try:
        attempt = await _begin(database, asked, reached)
    except LiveAttemptExistsError:  # Another run opened one meanwhile: it is this order's too.
        attempt = await _begin(database, asked, reached)
    return await _submit(database, gateway, attempt)


async def call_off(
    database: Database,
    gateway: PaymentGateway,
    order: OrderId,
    *,
    buyer: UserId | None = None,
    written_down: WriteDown | None = None,
    reached: Reached = nobody_asks,
) -> Order:
    """Give up an order that is not paid; a payment under way is canceled first.

    If it turns out to be paid it is not given up: look at what is returned. Without a `buyer`
    the shop itself gives it up. `written_down` is told of the order before and after, in the
    transaction that gives it up.

    Raises:
        OrderNotFoundError: if there is no such order, or it is another buyer's.
        IllegalTransitionError: if it is paid, or given up already.
        PaymentUnderWayError: if the money is on its way, or nobody knows.
    """

    def canceled(held: Order, _at: datetime) -> Step:
        return machine.cancel(held)

    async with database.transaction() as tx:
        found = await of(tx, order)
        if buyer not in {None, found.buyer_id}:
            raise OrderNotFoundError(order)
        canceled(found, tx.now)  # refused here, before Stripe hears of it
        await reached(tx, CANCELING, order)
    return await _give_up(database, gateway, order, canceled, written_down=written_down)


async def expire_due(database: Database, gateway: PaymentGateway) -> int:
    """Expire the orders that waited too long for their money; return how many.

    A payment under way is canceled first; one that was made, or is on its way, keeps its order.
    """
    count, seen = 0, set[OrderId]()
    while True:
        async with database.transaction() as tx:
            due = await repository.due(tx, due_before=tx.now, limit=EXPIRED_AT_ONCE_MAX + len(seen))
        fresh = [order for order in due if order not in seen]
        if not fresh:
            return count
        seen.update(fresh)
        for order in fresh:
            count += await _expire(database, gateway, order)


async def _expire(database: Database, gateway: PaymentGateway, order: OrderId) -> bool:
    def expired(held: Order, at: datetime) -> Step | None:
        is_due = held.pay_until is not None and held.pay_until < at
        return machine.expire(held) if held.state == "awaiting_payment" and is_due else None

    try:
        return (await _give_up(database, gateway, order, expired)).state == "expired"
    except (PaymentUnderWayError, PaymentsClosedError) as why:
        _log.warning("orders.not_expired", order=order, why=str(why))
        return False


async def _begin(database: Database, asked: PayRequest, reached: Reached) -> Attempt:
    """Have the order's one attempt, in a transaction: the attempt first, then the order."""
    async with database.transaction() as tx:
        order = await repository.find(tx, asked.order, asked.buyer)
        if order is None:
            raise OrderNotFoundError(asked.order)
        attempt = await payments.attempt_of_order(tx, asked.order)
        if attempt is None:
            attempt = await payments.open_attempt(tx, _charge(order, asked))
        elif asked.method is not None and attempt.state == "requires_method":
            attempt = await payments.try_again(tx, attempt.id, asked.method)
        held = await hold_row(tx, asked.order)
        if held.state not in OPEN_STATES:
            raise NotPayableError(held.state)
        await reached(tx, PAYMENT_OPENED, attempt.id)
    return attempt


async def _go_on(database: Database, gateway: PaymentGateway, opened: PaymentId) -> Payable:
    """Have the end of what a request began, whoever brought it there; nothing is begun anew."""
    async with database.transaction() as tx:
        attempt = await payments.attempt(tx, opened)
        if attempt.is_final:
            return await _settled(tx, attempt)
    return await _submit(database, gateway, attempt)


async def _submit(database: Database, gateway: PaymentGateway, attempt: Attempt) -> Payable:
    try:
        outcome = await _ask_after(database, gateway, attempt)
    except PaymentsClosedError:
        await _record(database, attempt, Refused("payments_closed"))
        raise
    return await _record(database, attempt, outcome)


async def _ask_after(database: Database, gateway: PaymentGateway, attempt: Attempt) -> Outcome:
    customer = await payments.customer_for(database, gateway, attempt.buyer_id)
    now = database.clock.now()
    return await payments.ask_after(gateway, attempt, customer=customer, now=now)


async def _record(database: Database, attempt: Attempt, outcome: Outcome) -> Payable:
    async with database.transaction() as tx:
        recorded = await payments.record(tx, attempt.id, outcome)
        return await _settled(tx, recorded)


async def _settled(tx: Transaction, attempt: Attempt) -> Payable:
    settled = await settle(tx, attempt)
    assert settled is not None
    return Payable(order=settled, attempt=attempt)


async def _give_up(
    database: Database,
    gateway: PaymentGateway,
    order: OrderId,
    how: GivingUp,
    *,
    written_down: WriteDown | None = None,
) -> Order:
    for _ in range(_TRIES_MAX):
        live, found = await _give_up_unless_live(database, order, how, written_down)
        if live is None or found.state not in OPEN_STATES:
            return found
        if live.state in AWAITS_ANSWER:
            stands = await _submit(database, gateway, live)
        else:
            outcome = await payments.cancel(gateway, live)
            async with database.transaction() as tx:
                canceled = await payments.give_up(tx, live.id, outcome)
                stands = await _settled(tx, canceled)
        if stands.order.paid_at is not None:
            return stands.order
        if stands.attempt.state in {"processing", "unknown"}:
            break
    raise PaymentUnderWayError(order)


async def _give_up_unless_live(
    database: Database, order: OrderId, how: GivingUp, written_down: WriteDown | None
) -> tuple[Attempt | None, Order]:
    """Give an order up if nothing can be taken for it any more; else return what can."""
    async with database.transaction() as tx:
        held = await hold_row(tx, order)
        step = how(held, tx.now)
        if step is None:
            return None, held
        live = await payments.attempt_of_order(tx, order)
        if live is not None:
            return live, held
        given_up = await take(tx, step, otherwise=held)
        await release(tx, [given_up])
        if written_down is not None:
            await written_down(tx, held, given_up)
        return None, given_up


def _charge(order: Order, asked: PayRequest) -> Charge:
    return Charge(
        order=order.id,
        buyer=order.buyer_id,
        amount=Money(amount_minor=order.total_minor, currency=order.currency),
        created_by_run=asked.run,
        method=asked.method,
        saves_method=asked.saves_method,
    )
