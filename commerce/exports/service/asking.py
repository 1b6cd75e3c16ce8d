"""Asking for a file, and taking one back."""

import asyncio
from datetime import timedelta
from pathlib import Path

from commerce.exports.errors import (
    ExportNotFoundError,
    ExportNotReadyError,
    TooManyExportsError,
)
from commerce.exports.model import KEPT_DAYS, WAITING_MAX, Export, Filters, Format, Kind
from commerce.exports.repository import queue
from commerce.exports.service.telling import tell
from commerce.foundation.database import Transaction
from protocol.ids import ExportId, UserId


async def ask(
    tx: Transaction, by: UserId, *, kind: Kind, file_format: Format, filters: Filters
) -> Export:
    """Ask for a file; it is written soon.

    Raises:
        TooManyExportsError: if `WAITING_MAX` are not done yet.
    """
    if await queue.waiting(tx) >= WAITING_MAX:
        raise TooManyExportsError(waiting_max=WAITING_MAX)
    identity = ExportId(tx.mint("exp"))
    asked = Export(
        id=identity,
        kind=kind,
        format=file_format,
        filters=filters,
        asked_by=by,
        asked_at=tx.now,
        state="waiting",
        version=1,
        rows_done=0,
        rows_expected=None,
        size_bytes=None,
        tag=None,
        error="",
        attempts=0,
        fence=0,
    )
    await queue.add(tx, asked)
    await tell(tx, asked)
    return asked


async def find(tx: Transaction, export: ExportId) -> Export:
    """Return an export.

    Raises:
        ExportNotFoundError: if there is none of this id.
    """
    found = await queue.find(tx, export)
    if found is None:
        raise ExportNotFoundError(export)
    return found


async def newest(tx: Transaction, *, after: ExportId | None = None, limit: int) -> list[Export]:
    """Return exports, the newest first."""
    return await queue.newest(tx, after=after, limit=limit)


async def is_due(tx: Transaction) -> bool:
    """Say whether there is one to write."""
    return await queue.is_due(tx)


async def cancel(tx: Transaction, export: ExportId) -> Export:
    """Take an export back, done or not; its file is removed with the old ones.

    Raises:
        ExportNotFoundError: if there is none of this id.
        ExportNotReadyError: if there is nothing to take back.
    """
    canceled = await queue.cancel(tx, export)
    if canceled is None:
        raise ExportNotReadyError((await find(tx, export)).state)
    await tell(tx, canceled)
    return canceled


async def forget_old(tx: Transaction, folder: Path) -> int:
    """Remove exports that are over for `KEPT_DAYS` days, with their files; return how many."""
    old = await queue.forget(tx, finished_before=tx.now - timedelta(days=KEPT_DAYS))
    for export in old:
        await asyncio.to_thread((folder / export.file_name).unlink, missing_ok=True)
    return len(old)
