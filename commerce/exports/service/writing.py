"""Writing a file: one at a time, under a lease, beside its place until it is whole."""

import asyncio
import hashlib
import shutil
import time
from pathlib import Path
from typing import Final

from commerce.exports.adapters.text_files import CsvFile, JsonLinesFile
from commerce.exports.adapters.xlsx_file import XlsxFile
from commerce.exports.errors import ExportTakenOverError
from commerce.exports.model import Export
from commerce.exports.ports import RowFile
from commerce.exports.repository import queue, tables
from commerce.exports.service.telling import tell
from commerce.foundation.database import Database
from shared.logging import get_logger

PROGRESS_SECONDS: Final = 1.0
_LOOK_EVERY_ROWS: Final = 500
_ERROR_CHARS_MAX: Final = 500

_log = get_logger("commerce.exports")


async def write_next(database: Database, folder: Path) -> Export | None:
    """Write the oldest export that waits, if there is one; return what became of it.

    Killed anywhere, it leaves an unfinished file and a lease that runs out: whoever comes next
    begins again. An export that fails is tried again, a few times.
    """
    async with database.transaction() as tx:
        export = await queue.claim(tx)
        if export is not None:
            await tell(tx, export)
    if export is None:
        return None
    workshop = folder / f".{export.id}.{export.fence}"
    try:
        await asyncio.to_thread(_prepare, workshop, export)
        return await _write(database, export, workshop / "file", folder / export.file_name)
    except ExportTakenOverError:
        return export
    except Exception as error:  # noqa: BLE001 - whatever it is, it is written down and told
        _log.exception("export.failed", export=export.id)
        return await _give_up(database, export, str(error)[:_ERROR_CHARS_MAX])
    finally:
        await asyncio.to_thread(shutil.rmtree, workshop, ignore_errors=True)


async def _write(database: Database, export: Export, unfinished: Path, place: Path) -> Export:
    file = await asyncio.to_thread(_open, export, unfinished)
    rows = await _fill(database, export, file)
    await asyncio.to_thread(file.close)
    size_bytes, tag = await asyncio.to_thread(_measure, unfinished)
    async with database.transaction() as tx:
        done = await queue.finish(tx, export, rows=rows, size_bytes=size_bytes, tag=tag)
        if done is None:
            raise ExportTakenOverError
        await asyncio.to_thread(
            unfinished.replace, place
        )  # before the commit: whoever hears of it finds it
        await tell(tx, done)
    return done


async def _fill(database: Database, export: Export, file: RowFile) -> int:
    """Write every row, and say once a second how far it is; return how many there were."""
    done = 0
    async with database.transaction() as tx:
        await tables.settle_down(tx)
        expected = await tables.count(tx, export.kind, export.filters)
        await _advance(database, export, done, expected)
        told_at = time.monotonic()
        async for row in tables.rows(tx, export.kind, export.filters):
            file.write(row)
            done += 1
            if done % _LOOK_EVERY_ROWS == 0 and time.monotonic() - told_at >= PROGRESS_SECONDS:
                await _advance(database, export, done, expected)
                told_at = time.monotonic()
    await _advance(database, export, done, expected)
    return done


async def _advance(database: Database, export: Export, done: int, expected: int) -> None:
    async with database.transaction() as tx:
        now = await queue.advance(tx, export, rows_done=done, rows_expected=expected)
        if now is None:
            raise ExportTakenOverError
        await tell(tx, now)


async def _give_up(database: Database, export: Export, error: str) -> Export:
    async with database.transaction() as tx:
        after = await queue.give_up(tx, export, error)
        if after is None:
            return export
        await tell(tx, after)
    return after


def _prepare(workshop: Path, export: Export) -> None:
    """Make the folder to write in, having removed what killed programs left."""
    for left in workshop.parent.glob(f".{export.id}.*"):
        shutil.rmtree(left, ignore_errors=True)
    workshop.mkdir(parents=True)


def _open(export: Export, path: Path) -> RowFile:
    columns = tables.TABLES[export.kind].columns
    match export.format:
        case "csv":
            return CsvFile(path, columns)
        case "jsonl":
            return JsonLinesFile(path)
        case "xlsx":
            return XlsxFile(path, columns, made_at=export.asked_at)


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
