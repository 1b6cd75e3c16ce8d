"""What must be true whatever happened, written as code and looked at.

A feature exports its own in `service.INVARIANTS`; `commerce/invariants.py` lists them all. They are
looked at after every scenario in tests, by `rialto invariants`, and on a schedule.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from prometheus_client import Gauge

from commerce.foundation.database import Database, Transaction
from shared.logging import get_logger

BREACHES_SHOWN_MAX: Final = 20
"""Of one invariant; a check may stop looking after as many."""

_breaches = Gauge("rialto_invariants_breaches", "What each invariant finds wrong.", ("invariant",))

_log = get_logger("commerce.invariants")


class Invariant(msgspec.Struct, frozen=True, kw_only=True):
    """One truth. `check` returns a sentence for each breach; it must change nothing.

    A check sees one moment of the database, however many statements it needs.
    """

    name: str
    says: str
    check: Callable[[Transaction], Awaitable[list[str]]]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of looking at one invariant."""

    name: str
    says: str
    breaches: list[str]
    took_seconds: float

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.breaches


async def look_at(database: Database, invariants: Sequence[Invariant]) -> list[Verdict]:
    """Look at every invariant, each in a transaction of its own that can only read."""
    return [await _look_at(database, each) for each in invariants]


async def watch(database: Database, invariants: Sequence[Invariant]) -> list[Verdict]:
    """Look at every invariant, and tell operators of each that is broken."""
    verdicts = await look_at(database, invariants)
    for verdict in verdicts:
        _breaches.labels(verdict.name).set(len(verdict.breaches))
        if not verdict.holds:
            _log.error("invariant.broken", invariant=verdict.name, breaches=verdict.breaches)
    return verdicts


async def _look_at(database: Database, invariant: Invariant) -> Verdict:
    began = time.perf_counter()
    async with database.transaction() as tx:
        await tx.execute("set transaction isolation level repeatable read, read only")
        await tx.execute("set local statement_timeout = 0")
        breaches = await invariant.check(tx)
    return Verdict(
        name=invariant.name,
        says=invariant.says,
        breaches=breaches[:BREACHES_SHOWN_MAX],
        took_seconds=time.perf_counter() - began,
    )
