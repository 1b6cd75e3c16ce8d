"""Charging stored methods when nobody is there, and canceling what is not wanted any more.

Each step is written down and committed before the next: what is killed in between is taken up
again by the next run, under the same key at Stripe. No transaction is open across a call.
Rows are held in one order: the subscription, its attempt, its order.
"""

from datetime import timedelta
from typing import Final, Literal

import msgspec

from commerce.foundation.database import Database, Transaction
from commerce.orders import service as orders
from commerce.orders.model import OPEN_STATES, Order
from commerce.payments import service as payments
from commerce.payments.errors import LiveAttemptExistsError, PaymentNotOpenError
from commerce.payments.model import AWAITS_ANSWER, Attempt, Charge as PaymentCharge
from commerce.payments.ports import PaymentGateway
from commerce.subscriptions.model import Subscription
from commerce.subscriptions.repository import charges
from commerce.subscriptions.service.following import fail, follow, follow_held
from commerce.subscriptions.service.stepping import hold
from protocol.ids import OrderId
from protocol.money import Money
from shared.ids import mint_id
from shared.logging import get_logger

COLLECTED_AT_ONCE_MAX: Final = 50
CANCELED_AT_ONCE_MAX: Final = 50
CANCELED_WITHIN: Final = timedelta(days=3)
"""An order that could not be canceled for this long is left to expire by itself."""

AFTER_AN_ERROR: Final = timedelta(minutes=10)
NO_METHOD: Final = "no_payment_method"

_log = get_logger("commerce.subscriptions")


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that is written down, and whether to make it or to ask what became of it."""

    attempt: Attempt
    how: Literal["submit", "ask_after"]


async def collect(database: Database, gateway: PaymentGateway) -> int:
    """Charge what is to be charged now; return how many were tried."""
    async with database.transaction() as tx:
        due = await charges.to_try(tx, limit=COLLECTED_AT_ONCE_MAX)
    for charge in due:
        try:
            await collect_one(database, gateway, charge.order_id)
        except Exception:  # noqa: BLE001 - logged, and the others go on
            _log.exception("subscriptions.not_collected", order=charge.order_id)
            async with database.transaction() as tx:  # The others are not to wait for this one.
                await charges.try_at(tx, charge.id, tx.now + AFTER_AN_ERROR)
    return len(due)


async def collect_one(database: Database, gateway: PaymentGateway, order_id: OrderId) -> None:
    """Charge the order of a subscription to a stored method, if it is still to be tried."""
    method = await _method(database, gateway, order_id)
    async with database.transaction() as tx:
        ready = await _prepare(tx, order_id, method)
        if ready is None:
            return
        customer = await payments.customer_of(tx, ready.attempt.buyer_id)
    if ready.how == "submit":
        outcome = await payments.submit(gateway, ready.attempt, customer=customer)
    else:
        now = database.clock.now()
        outcome = await payments.ask_after(gateway, ready.attempt, customer=customer, now=now)
    async with database.transaction() as tx:
        attempt = await payments.record(tx, ready.attempt.id, outcome)
        await orders.settle(tx, attempt)
    await _tried(database, attempt)


async def cancel_unwanted(database: Database, gateway: PaymentGateway) -> int:
    """Cancel orders whose charge is void: where the money is first, and then here."""
    async with database.transaction() as tx:
        since = tx.now - CANCELED_WITHIN
        unwanted = await charges.to_cancel(tx, since=since, limit=CANCELED_AT_ONCE_MAX)
    for order in unwanted:
        try:
            await _cancel(database, gateway, order)
        except Exception:  # noqa: BLE001 - logged, and the others go on
            _log.exception("subscriptions.not_canceled", order=order)
    return len(unwanted)


async def _method(database: Database, gateway: PaymentGateway, order_id: OrderId) -> str | None:
    """Return the subscription's method, if it is still stored; else the default, or the newest."""
    async with database.transaction() as tx:
        charge = await charges.of_order(tx, order_id)
        assert charge is not None
        sub = await hold(tx, charge.subscription_id)
    stored = await payments.methods(database, gateway, sub.user_id)
    chosen = [each for each in stored if each.id == sub.method_id]
    default = [each for each in stored if each.is_default]
    return next((each.id for each in (*chosen, *default, *stored)), None)


async def _prepare(tx: Transaction, order_id: OrderId, method: str | None) -> Ready | None:
    """Write down the attempt that is about to be made; None if there is nothing to try."""
    known = await charges.of_order(tx, order_id)
    assert known is not None
    sub = await hold(tx, known.subscription_id)
    charge = await charges.of_order(tx, order_id)
    assert charge is not None
    if charge.state != "open" or charge.try_at is None:
        return None
    order = await orders.of(tx, order_id)
    if order.state not in OPEN_STATES:
        await follow_held(tx, sub, charge, order)
        return None
    live = await payments.attempt_of_order(tx, order_id)
    if live is None and method is None:
        await charges.try_at(tx, charge.id, None)
        await fail(tx, sub, charge, NO_METHOD)
        return None
    ready = await _attempt(tx, sub, order, live, method=method)
    if ready is None:
        await charges.try_at(tx, charge.id, None)
    return ready


async def _attempt(
    tx: Transaction, sub: Subscription, order: Order, live: Attempt | None, *, method: str | None
) -> Ready | None:
    if live is None:
        wanted = PaymentCharge(
            order=order.id,
            buyer=sub.user_id,
            amount=Money(amount_minor=order.total_minor, currency=order.currency),
            created_by_run=mint_id("run", tx.now),
            method=method,
            off_session=True,
        )
        try:
            return Ready(attempt=await payments.open_attempt(tx, wanted), how="submit")
        except LiveAttemptExistsError:
            return None
    if live.state in AWAITS_ANSWER or live.is_final:
        return Ready(attempt=live, how="ask_after")
    if live.state != "requires_method" or method is None:
        return None  # The subscriber is at it, or the bank is.
    try:
        return Ready(attempt=await payments.try_again(tx, live.id, method), how="submit")
    except PaymentNotOpenError:
        return None


async def _tried(database: Database, attempt: Attempt) -> None:
    """Follow what came of a try; one that nobody heard of is asked after at the next run."""
    async with database.transaction() as tx:
        await follow(tx, attempt.order_id)
        charge = await charges.of_order(tx, attempt.order_id)
        if charge is not None and attempt.state not in AWAITS_ANSWER:
            await charges.try_at(tx, charge.id, None)


async def _cancel(database: Database, gateway: PaymentGateway, order_id: OrderId) -> None:
    async with database.transaction() as tx:
        attempt = await payments.attempt_of_order(tx, order_id)
        buyer = (await orders.of(tx, order_id)).buyer_id
    if attempt is not None:
        outcome = await payments.cancel(gateway, attempt)
        async with database.transaction() as tx:
            attempt = await payments.give_up(tx, attempt.id, outcome)
            await orders.settle(tx, attempt)
        if attempt.state not in {"canceled", "failed"}:
            await _tried(database, attempt)
            return
    async with database.transaction() as tx:
        await orders.cancel(tx, buyer, order_id)
