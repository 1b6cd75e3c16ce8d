"""From an event to what it changes: ask how the thing stands now, and tell whom it concerns.

Events are taken up in one transaction, asked after outside of any, and what comes of them is
written in a third, together with their being done. Broken off anywhere, they are taken up again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from prometheus_client import Counter

from commerce.foundation.database import Database, Transaction
from commerce.foundation.errors import StripeUnheardError
from commerce.orders import service as orders
from commerce.payments import service as payments
from commerce.payments.model import Attempt, Outcome, Unheard
from commerce.payments.ports import PaymentGateway
from commerce.refunds import service as refunds
from commerce.refunds.errors import RefundOfUnknownPaymentError
from commerce.refunds.ports import RefundGateway
from commerce.settlement import repository
from commerce.settlement.model import Group, Taken, groups_of
from shared.logging import get_logger

BATCH_EVENTS_MAX: Final = 50
_AT_ONCE: Final = 4
"""How many things are asked after at a time."""

_WHY_CHARS_MAX: Final = 500
_STRANGE_ATTEMPTS_MAX: Final = 5

_settled = Counter("rialto_stripe_events_settled", "What became of events.", ("subject", "outcome"))

_log = get_logger("commerce.settlement")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What settling stands on."""

    database: Database
    gateway: PaymentGateway
    refunds: RefundGateway


async def settle_due(standing: Standing) -> int:
    """Settle the events that are due, some at a time; return how many were taken up."""
    async with standing.database.transaction() as tx:
        taken = await repository.take(tx, limit=BATCH_EVENTS_MAX)
    groups = groups_of(sorted(taken, key=lambda event: event.id))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(group: Group) -> None:
        async with gate:
            await _settle(standing, group)

    async with asyncio.TaskGroup() as tasks:
        for group in groups:
            tasks.create_task(one(group))
    return len(taken)


async def _settle(standing: Standing, group: Group) -> None:
    try:
        outcome = await _ask_and_tell(standing, group)
    except RefundOfUnknownPaymentError:
        outcome = await _not_ours(standing, group)
    except Exception as error:  # noqa: BLE001 - one thing that fails holds up no other
        if not isinstance(error, StripeUnheardError):
            _log.exception("settlement.failed", subject=group.subject, about=group.object_id)
        await _postpone(standing.database, group.events, f"{type(error).__name__}: {error}")
        outcome = "failed"
    _settled.labels(group.subject, outcome).inc(len(group.events))


async def _ask_and_tell(standing: Standing, group: Group) -> str:
    match group.subject:
        case "payment":
            return await _settle_payment(standing, group)
        case "refund":
            refund = await standing.refunds.told_refund(group.object_id)
            return await _write(standing, group, lambda tx: refunds.apply(tx, refund))
        case "dispute":
            dispute = await standing.refunds.told_dispute(group.object_id)
            return await _write(standing, group, lambda tx: refunds.apply_dispute(tx, dispute))
        case "warning":
            warning = await standing.refunds.told_warning(group.object_id)
            return await _write(standing, group, lambda tx: refunds.apply_warning(tx, warning))
        case "nothing":
            return await _conclude(standing, group)


async def _settle_payment(standing: Standing, group: Group) -> str:
    async with standing.database.transaction() as tx:
        attempt = await payments.attempt_named(tx, group.object_id, group.payment)
    if attempt is None:
        if group.payment is not None:
            raise LookupError(f"{group.payment} is not known here")
        return await _conclude(standing, group)
    named = msgspec.structs.replace(attempt, intent_id=attempt.intent_id or group.object_id)
    outcome = await standing.gateway.look_up(named)
    if isinstance(outcome, Unheard):
        raise StripeUnheardError
    return await _write(standing, group, lambda tx: apply(tx, attempt, outcome))


async def _write(
    standing: Standing, group: Group, effect: Callable[[Transaction], Awaitable[object]]
) -> str:
    """Have what came of events and their being done written together."""
    async with standing.database.transaction() as tx:
        await effect(tx)
        await repository.conclude(tx, group.ids, "done")
    return "done"


async def apply(tx: Transaction, attempt: Attempt, outcome: Outcome) -> Attempt:
    """Write down what became of an attempt, and what its order makes of it."""
    after = await payments.record(tx, attempt.id, outcome)
    await orders.settle(tx, after)
    return after


async def _not_ours(standing: Standing, group: Group) -> str:
    """Give up, sooner than otherwise, what seems to be about money that was never ours."""
    if all(event.attempts >= _STRANGE_ATTEMPTS_MAX for event in group.events):
        return await _conclude(standing, group)
    await _postpone(standing.database, group.events, "no payment of ours is known by that name")
    return "failed"


async def _conclude(standing: Standing, group: Group) -> str:
    async with standing.database.transaction() as tx:
        await repository.conclude(tx, group.ids, "ignored")
    return "ignored"


async def _postpone(database: Database, events: Sequence[Taken], why: str) -> None:
    async with database.transaction() as tx:
        for event in events:
            wait = event.next_seconds
            if wait is None:
                _log.error("settlement.gave_up", event_id=event.id, type=event.type, why=why)
                await repository.conclude(tx, [event.id], "dead", why=why[:_WHY_CHARS_MAX])
            else:
                until = tx.now + timedelta(seconds=wait)
                await repository.postpone(tx, event.id, until=until, why=why[:_WHY_CHARS_MAX])
