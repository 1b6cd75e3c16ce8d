"""What nobody told us: events that were never delivered, and attempts nobody heard the end of."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from prometheus_client import Counter

from commerce.foundation.database import Database
from commerce.payments import service as payments
from commerce.payments.model import Attempt
from commerce.payments.ports import PaymentGateway
from commerce.settlement.service.inbox import accept
from commerce.settlement.service.settling import Standing, apply
from protocol.views import PaymentState
from shared.logging import get_logger

SWEPT_DAYS: Final = 30
"""As long as Stripe lists events."""

UNHEARD_SECONDS: Final = 30
"""A submission that was not answered for so long was broken off, and is asked after."""

OPEN_SECONDS: Final = 3_600
"""An attempt that waits for its buyer or their bank is asked after when it has for so long."""

_found = Counter("rialto_settlement_found", "What was found without being told.", ("by",))

_log = get_logger("commerce.settlement")


async def sweep(standing: Standing, *, is_live: bool) -> int:
    """Take in the events that no delivery of Stripe's brought here; return how many were new."""
    return await sweep_in(standing.database, standing.gateway, is_live=is_live, days=SWEPT_DAYS)


async def sweep_in(database: Database, gateway: PaymentGateway, *, is_live: bool, days: int) -> int:
    """Take in the events of some days that were never delivered; return how many were new."""
    new = 0
    for raw in await gateway.undelivered(since=database.clock.now() - timedelta(days=days)):
        async with database.transaction() as tx:
            new += await accept(tx, raw, is_live=is_live)
    if new:
        _log.warning("settlement.gap", events=new)
        _found.labels("sweep").inc(new)
    return new


async def reconcile(
    standing: Standing, states: Collection[PaymentState], *, older_than_seconds: int
) -> int:
    """Ask after attempts that have been in these states for so long; return how many went on."""
    moved, last = 0, None
    while True:
        async with standing.database.transaction() as tx:
            waiting = await payments.unsettled(
                tx, states, for_seconds=older_than_seconds, after=last
            )
        if not waiting:
            break
        for attempt in waiting:
            moved += await _ask_quietly(standing, attempt)
        last = waiting[-1].id
    if moved:
        _found.labels("reconciliation").inc(moved)
    return moved


async def _ask_quietly(standing: Standing, attempt: Attempt) -> bool:
    try:
        return await _ask_after(standing, attempt)
    except Exception:  # noqa: BLE001 - one that cannot be settled holds up no other
        _log.exception("settlement.cannot_reconcile", payment=attempt.id)
        return False


async def _ask_after(standing: Standing, attempt: Attempt) -> bool:
    database, now = standing.database, standing.database.clock.now()
    async with database.transaction() as tx:
        customer = await payments.customer_of(tx, attempt.buyer_id)
    outcome = await payments.ask_after(standing.gateway, attempt, customer=customer, now=now)
    async with database.transaction() as tx:
        after = await apply(tx, attempt, outcome)
    return after.version != attempt.version
