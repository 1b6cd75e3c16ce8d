"""What the rest of commerce may ask of the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from prometheus_client import Gauge

from commerce.foundation.database import Database, Transaction
from commerce.foundation.invariants import Invariant
from commerce.ledger import repository
from commerce.ledger.errors import PostingDiffersError
from commerce.ledger.model import (
    Balance,
    Difference,
    Movement,
    Posting,
    Reconciliation,
    Written,
)
from commerce.ledger.ports import Processor
from protocol.ids import OrderId
from shared.logging import get_logger

DIFFERENCES_MAX: Final = 1_000
_LOGGED_MAX: Final = 20
_SETTLING: Final = timedelta(hours=1)
_OVERLAP: Final = timedelta(days=3)
_FIRST_LOOK: Final = timedelta(days=1)

_differences = Gauge(
    "rialto_ledger_differences", "What the processor and the ledger do not say alike."
)

_log = get_logger("commerce.ledger")


async def post(tx: Transaction, posting: Posting) -> bool:
    """Write a posting; say whether it was written now. The same again changes nothing.

    A posting of nothing (a free order's) is not written.

    Raises:
        UnbalancedPostingError: if it does not come to nothing in each currency.
        PostingDiffersError: if something else is posted under its key.
    """
    balanced = posting.balanced()
    if not balanced.entries or await repository.add(tx, balanced):
        return bool(balanced.entries)
    written = await repository.find(tx, posting.key)
    if written is None or written.entries != balanced.entries:
        raise PostingDiffersError(posting.key)
    return False


async def of_order(tx: Transaction, order: OrderId) -> list[Written]:
    """Return what was posted for an order, in order."""
    return await repository.of_order(tx, order)


async def balances(
    tx: Transaction, *, since: datetime | None = None, until: datetime | None = None
) -> list[Balance]:
    """Return what each account comes to in each currency: ever, or from `since` up to `until`."""
    return await repository.balances(tx, since=since, until=until)


async def import_past(tx: Transaction, postings: Sequence[Posting]) -> int:
    """Write many postings of the past at once, each with its time; return how many were missing."""
    known = await repository.known(tx, [each.key for each in postings])
    missing = [each.balanced() for each in postings if each.key not in known]
    missing = [each for each in missing if each.entries]
    if missing:
        await repository.add_many(tx, missing)
    return len(missing)


async def reconcile(database: Database, processor: Processor) -> Reconciliation:
    """Hold the ledger beside what the processor says, and post what only the processor knows.

    It looks back some days each time, and leaves out the last hour, in which one of the two may
    not have heard yet. Broken off anywhere, the next run does the rest.
    """
    async with database.transaction() as tx:
        before = await repository.last_run(tx)
        until = tx.now - _SETTLING
    since = until - _FIRST_LOOK if before is None else before.until - _OVERLAP
    count = 0
    async for movements in processor.movements(since=since, until=until):
        async with database.transaction() as tx:
            for movement in movements:
                count += await _take(tx, movement)
    async with database.transaction() as tx:
        run = Reconciliation(since=since, until=until, transactions=count, differences=0, at=tx.now)
        await repository.add_run(tx, run)
        found = await repository.differences(tx, limit=DIFFERENCES_MAX)
    _differences.set(len(found))
    for difference in found[:_LOGGED_MAX]:
        _log.error("ledger.difference", what=difference.what, key=difference.key)
    return msgspec.structs.replace(run, differences=len(found))


async def differences(tx: Transaction, *, limit: int = DIFFERENCES_MAX) -> list[Difference]:
    """Return what the processor and the ledger do not say alike, the oldest first."""
    return await repository.differences(tx, limit=limit)


async def last_reconciliation(tx: Transaction) -> Reconciliation | None:
    """Return when the two were held beside one another the last time."""
    return await repository.last_run(tx)


async def _take(tx: Transaction, movement: Movement) -> int:
    if not await repository.take(tx, movement):
        return 0
    for posting in movement.postings():
        await post(tx, msgspec.structs.replace(posting, at=movement.at))
    return 1


async def _balance(tx: Transaction) -> list[str]:
    return [
        f"{left.key} leaves {left.amount_minor} {left.currency}"
        for left in await repository.remainders(tx)
    ]


async def _whole(tx: Transaction) -> list[str]:
    return [f"{key} has not the entries it was written with" for key in await repository.broken(tx)]


INVARIANTS: Final = (
    Invariant(
        name="ledger.balance",
        says="Every posting comes to nothing in each currency.",
        check=_balance,
    ),
    Invariant(name="ledger.whole", says="No posting has lost an entry.", check=_whole),
)
