"""Every invariant of commerce, wired: looked at by tests, by operators, and on a schedule."""

import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from commerce.catalog import service as catalog
from commerce.delivery import service as delivery
from commerce.discounts import service as discounts
from commerce.foundation.database import Database, open_database
from commerce.foundation.invariants import Invariant, Verdict, look_at, watch
from commerce.foundation.jobs import Errand
from commerce.invariants import across
from commerce.invoices import service as invoices
from commerce.ledger import service as ledger
from commerce.orders import service as orders
from commerce.payments import service as payments
from commerce.refunds import service as refunds
from commerce.settings import CommerceSettings
from commerce.subscriptions import service as subscriptions
from shared.clock import SystemClock

INVARIANTS: Final[Sequence[Invariant]] = (
    *catalog.INVARIANTS,
    *discounts.INVARIANTS,
    *ledger.INVARIANTS,
    *invoices.INVARIANTS,
    *payments.INVARIANTS,
    *orders.INVARIANTS,
    *refunds.INVARIANTS,
    *delivery.INVARIANTS,
    *across.INVARIANTS,
    *subscriptions.INVARIANTS,
)

BROKEN: Final = 1
"""The exit code when an invariant does not hold."""


async def watch_all(database: Database) -> None:
    """Look at all of them, and tell operators of those that are broken."""
    await watch(database, INVARIANTS)


ERRANDS: Final = (Errand(name="invariants.watch", every_seconds=3600, run=watch_all),)


async def run(settings: CommerceSettings, *, machine_readable: bool) -> int:
    """Look at all of them and say what was found; return the exit code."""
    async with open_database(settings.database, clock=SystemClock()) as database:
        verdicts = await look_at(database, INVARIANTS)
    if machine_readable:
        sys.stdout.write(f"{msgspec.json.encode(verdicts).decode()}\n")
    else:
        for verdict in verdicts:
            sys.stdout.write(f"{_line(verdict)}\n")
    return 0 if all(verdict.holds for verdict in verdicts) else BROKEN


def _line(verdict: Verdict) -> str:
    word = "holds " if verdict.holds else "BROKEN"
    head = f"{word}  {verdict.name:<32} {verdict.says}  ({verdict.took_seconds:.2f} s)"
    return "\n".join((head, *(f"          {breach}" for breach in verdict.breaches)))
