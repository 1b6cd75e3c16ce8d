"""What the clock does for exports: has files written, and removes old ones.

A program of its own writes them (`python -m commerce export`), so that neither its memory nor its
hunger for the processor is the worker's.
"""

import asyncio
import sys
from contextlib import suppress

from commerce.exports import service
from commerce.exports.settings import ExportFolder
from commerce.foundation.database import Database, Transaction
from commerce.foundation.jobs import Errand, Job


def jobs(folder: ExportFolder) -> tuple[Job, ...]:
    """Return what is done in transactions."""

    async def forget_old(tx: Transaction) -> None:
        await service.forget_old(tx, folder.path)

    return (Job(name="exports.forget", every_seconds=3600, run=forget_old),)


async def write_due(database: Database) -> None:
    """If there is something to write, have it written, and wait for that."""
    async with database.transaction() as tx:
        if not await service.is_due(tx):
            return
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "commerce", "export")
    try:
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
            await process.wait()


ERRANDS = (Errand(name="exports.write", every_seconds=2, run=write_due),)
