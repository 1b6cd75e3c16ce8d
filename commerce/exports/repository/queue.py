"""The exports that were asked for, and who writes them."""

from datetime import datetime, timedelta
from typing import Final, LiteralString

from commerce.exports.model import ATTEMPTS_MAX, LEASE_SECONDS, Export
from commerce.foundation.database import Transaction
from protocol.ids import ExportId

_COLUMNS: Final[LiteralString] = """
    select id, kind, format, filters, asked_by, asked_at, state, version, rows_done, rows_expected,
           size_bytes, tag, error, attempts, fence
      from exports
"""

_ADD: Final[LiteralString] = """
    insert into exports (id, kind, format, filters, asked_by, asked_at)
    values ($1, $2, $3, $4, $5, $6)
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"

_NEWEST: Final[LiteralString] = (
    _COLUMNS
    + """
     where id < coalesce($1, '~')
     order by id desc
     limit $2
"""
)

_WAITING: Final[LiteralString] = """
    select count(*)
      from exports
     where state in ('waiting', 'running')
"""

_IS_DUE: Final[LiteralString] = """
    select exists (
        select from exports
         where state = 'waiting'
            or (state = 'running' and lease_until <= $1)
    )
"""

_CLAIM: Final[LiteralString] = """
    update exports
       set state = 'running', fence = fence + 1, attempts = attempts + 1, rows_done = 0,
           lease_until = $2, version = version + 1
     where id = (
        select id
          from exports
         where state = 'waiting'
            or (state = 'running' and lease_until <= $1)
         order by id
         limit 1
           for update skip locked
     )
 returning *
"""

_ADVANCE: Final[LiteralString] = """
    update exports
       set rows_done = $3, rows_expected = $4, lease_until = $5, version = version + 1
     where id = $1
       and fence = $2
       and state = 'running'
 returning *
"""

_FINISH: Final[LiteralString] = """
    update exports
       set state = 'ready', rows_done = $3, rows_expected = $3, size_bytes = $4, tag = $5,
           finished_at = $6, version = version + 1
     where id = $1
       and fence = $2
       and state = 'running'
 returning *
"""

_GIVE_UP: Final[LiteralString] = """
    update exports
       set state = case when attempts >= $4 then 'failed' else 'waiting' end,
           finished_at = case when attempts >= $4 then $5::timestamptz end,
           error = $3, version = version + 1
     where id = $1
       and fence = $2
       and state = 'running'
 returning *
"""

_CANCEL: Final[LiteralString] = """
    update exports
       set state = 'canceled', finished_at = $2, size_bytes = null, tag = null,
           version = version + 1
     where id = $1
       and state in ('waiting', 'running', 'ready')
 returning *
"""

_FORGET: Final[LiteralString] = """
    delete from exports
     where finished_at < $1
 returning *
"""


async def add(tx: Transaction, export: Export) -> None:
    """Write down what is asked for."""
    await tx.execute(
        _ADD,
        export.id,
        export.kind,
        export.format,
        export.filters,
        export.asked_by,
        export.asked_at,
    )


async def find(tx: Transaction, export: ExportId) -> Export | None:
    """Return an export."""
    return await tx.one_or_none(Export, _FIND, export)


async def newest(tx: Transaction, *, after: ExportId | None, limit: int) -> list[Export]:
    """Return exports, the newest first."""
    return await tx.all(Export, _NEWEST, after, limit)


async def waiting(tx: Transaction) -> int:
    """Return how many are not done."""
    return await tx.value(int, _WAITING)


async def is_due(tx: Transaction) -> bool:
    """Say whether there is one to write."""
    return await tx.value(bool, _IS_DUE, tx.now)


async def claim(tx: Transaction) -> Export | None:
    """Take the oldest that nobody writes; whoever wrote it before has lost it."""
    return await tx.one_or_none(Export, _CLAIM, tx.now, _lease(tx.now))


async def advance(
    tx: Transaction, export: Export, *, rows_done: int, rows_expected: int
) -> Export | None:
    """Say how far it is; None if it is not ours any more."""
    return await tx.one_or_none(
        Export, _ADVANCE, export.id, export.fence, rows_done, rows_expected, _lease(tx.now)
    )


async def finish(
    tx: Transaction, export: Export, *, rows: int, size_bytes: int, tag: str
) -> Export | None:
    """Say that the file is there; None if it is not ours any more."""
    return await tx.one_or_none(
        Export, _FINISH, export.id, export.fence, rows, size_bytes, tag, tx.now
    )


async def give_up(tx: Transaction, export: Export, error: str) -> Export | None:
    """Let it be tried again, or let it have failed; None if it is not ours any more."""
    return await tx.one_or_none(
        Export, _GIVE_UP, export.id, export.fence, error, ATTEMPTS_MAX, tx.now
    )


async def cancel(tx: Transaction, export: ExportId) -> Export | None:
    """Take an export back, done or not; None if there is nothing to take back."""
    return await tx.one_or_none(Export, _CANCEL, export, tx.now)


async def forget(tx: Transaction, *, finished_before: datetime) -> list[Export]:
    """Remove exports that are long over, and return them."""
    return await tx.all(Export, _FORGET, finished_before)


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_SECONDS)
