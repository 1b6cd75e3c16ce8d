"""Handing refunds to the processor: write down that it will be done, do it, write what came.

Whatever is killed in between is done again from what is written; the refund's own id is the key, so
that nothing is given back twice. After `SAME_KEY_HOURS_MAX` the processor may have forgotten the
key: it is asked for the refund before it is asked to make it.
"""

import asyncio
from datetime import timedelta
from typing import Final

import msgspec

from commerce.foundation.database import Database, Transaction
from commerce.foundation.errors import StripeRefusedError, StripeUnheardError
from commerce.orders import service as orders
from commerce.payments import service as payments
from commerce.refunds.model import RETRY_SECONDS, Dispute, Refund, RefundTold, Refused
from commerce.refunds.ports import RefundGateway, WantedRefund
from commerce.refunds.repository import refunds as repository
from commerce.refunds.service.applying import apply, refuse
from commerce.refunds.service.disputing import apply_dispute, apply_warning
from commerce.refunds.service.stepping import go_on
from protocol.ids import RefundId
from shared.logging import get_logger

SAME_KEY_HOURS_MAX: Final = 20
ASK_AGAIN_HOURS: Final = 1
"""How long a refund that is on its way is left alone before the processor is asked about it."""

SUBMITTED_AT_ONCE_MAX: Final = 16
NO_PAYMENT: Final = "no_payment"

_log = get_logger("commerce.refunds")


async def submit_due(database: Database, gateway: RefundGateway) -> int:
    """Hand over every refund that is due, and ask after those on their way; return how many."""
    if not gateway.is_open:
        return 0
    async with database.transaction() as tx:
        due = await repository.due(tx, tx.now, limit=SUBMITTED_AT_ONCE_MAX)
    done = await asyncio.gather(
        *(submit(database, gateway, each) for each in due), return_exceptions=True
    )
    for refund, outcome in zip(due, done, strict=True):
        if isinstance(outcome, Exception):
            _log.error("refund.not_submitted", refund=refund, error=repr(outcome))
    return len(due)


async def submit(database: Database, gateway: RefundGateway, refund_id: RefundId) -> Refund:
    """Hand one refund to the processor, or ask what became of it; never within a transaction."""
    async with database.transaction() as tx:
        refund = await _begin(tx, refund_id)
        wanted = await _wanted(tx, refund)
    if refund.next_try_at is None:
        return refund
    if wanted is None:
        async with database.transaction() as tx:
            return await refuse(tx, refund_id, code=NO_PAYMENT)
    try:
        told = await _ask(gateway, refund, wanted, is_old=_is_old(database, refund))
    except StripeUnheardError:
        return refund  # The next try is written down already.
    async with database.transaction() as tx:
        if isinstance(told, Refused):
            return await refuse(tx, refund_id, code=told.code)
        if told is None:
            return refund
        return await _record(tx, told)


async def refresh_refund(
    database: Database, gateway: RefundGateway, stripe_refund_id: str
) -> Refund:
    """Ask the processor about a refund and fold in what it says; never within a transaction.

    Raises:
        RefundOfUnknownPaymentError: if its payment is not known, or not yet.
        StripeUnheardError: if nobody answers.
    """
    told = await gateway.told_refund(stripe_refund_id)
    async with database.transaction() as tx:
        return await apply(tx, told)


async def refresh_dispute(
    database: Database, gateway: RefundGateway, stripe_dispute_id: str
) -> Dispute:
    """Ask the processor about a dispute and fold in what it says; never within a transaction.

    Raises:
        RefundOfUnknownPaymentError: if its payment is not known, or not yet.
        StripeUnheardError: if nobody answers.
    """
    told = await gateway.told_dispute(stripe_dispute_id)
    async with database.transaction() as tx:
        return await apply_dispute(tx, told)


async def refresh_warning(
    database: Database, gateway: RefundGateway, stripe_warning_id: str
) -> bool:
    """Ask the processor about a warning and take it in; never within a transaction.

    Raises:
        RefundOfUnknownPaymentError: if its payment is not known, or not yet.
        StripeUnheardError: if nobody answers.
    """
    told = await gateway.told_warning(stripe_warning_id)
    async with database.transaction() as tx:
        return await apply_warning(tx, told)


async def _ask(
    gateway: RefundGateway, refund: Refund, wanted: WantedRefund, *, is_old: bool
) -> RefundTold | Refused | None:
    if refund.state == "pending" and refund.stripe_refund_id is not None:
        try:
            return await gateway.told_refund(refund.stripe_refund_id)
        except StripeRefusedError as refused:
            _log.error("refund.gone", refund=refund.id, reason=refused.reason)
            return None
    if is_old:
        found = await gateway.look_up(wanted)
        if found is not None:
            return found
    return await gateway.refund(wanted)


async def _begin(tx: Transaction, refund_id: RefundId) -> Refund:
    """Write down that the processor is about to be asked, and when to do so if that is lost."""
    known = await repository.find(tx, refund_id)
    assert known is not None
    await orders.hold_row(tx, known.order_id)
    before = await repository.lock(tx, refund_id)
    assert before is not None
    if before.next_try_at is None or before.state not in {"reserved", "submitting", "pending"}:
        return msgspec.structs.replace(before, next_try_at=None)
    wait = RETRY_SECONDS[min(before.attempts, len(RETRY_SECONDS) - 1)]
    if before.state == "pending":
        wait = ASK_AGAIN_HOURS * 3600
    after = msgspec.structs.replace(
        before,
        attempts=min(before.attempts + 1, 10_000),
        next_try_at=tx.now + timedelta(seconds=wait),
        submitted_at=before.submitted_at or tx.now,
    )
    if before.state == "reserved":
        after = msgspec.structs.replace(after, state="submitting", version=before.version + 1)
    await go_on(tx, before, after)
    return after


async def _wanted(tx: Transaction, refund: Refund) -> WantedRefund | None:
    attempt = await payments.attempt_of_order(tx, refund.order_id)
    if attempt is None or attempt.intent_id is None:
        return None
    return WantedRefund(
        refund=refund.id,
        order=refund.order_id,
        intent=attempt.intent_id,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
    )


def _is_old(database: Database, refund: Refund) -> bool:
    since = refund.submitted_at
    return since is not None and database.clock.now() - since > timedelta(hours=SAME_KEY_HOURS_MAX)


async def _record(tx: Transaction, told: RefundTold) -> Refund:
    refund = await apply(tx, told)
    if refund.state != "pending" or refund.next_try_at is not None:
        return refund
    again = tx.now + timedelta(hours=ASK_AGAIN_HOURS)
    waiting = msgspec.structs.replace(refund, next_try_at=again)
    await repository.save(tx, waiting)
    return waiting
