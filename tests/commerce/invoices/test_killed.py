"""A payer that is killed while it holds the series of invoices."""

import asyncio
import sys
from pathlib import Path

import pytest

from commerce.invoices import repository
from shared.environment import process_variables
from tests.commerce.invoices.world import a_bill

ROOT = Path(__file__).parents[3]

PAYER = """
import asyncio, sys
from commerce.foundation.database import open_database
from commerce.foundation.settings import DatabaseSettings
from commerce.invoices import service
from shared.clock import SystemClock
from tests.commerce.invoices.world import a_bill

async def main():
    settings = DatabaseSettings(url=sys.argv[1])
    async with open_database(settings, clock=SystemClock()) as database:
        async with database.transaction() as tx:
            print((await service.issue(tx, a_bill(1))).serial, flush=True)
            await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.fault
async def test_leaves_neither_a_gap_nor_a_lock(desk, database_url):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PAYER,
        database_url,
        cwd=ROOT,
        env={"PATH": process_variables()["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    taken = int(await process.stdout.readline())
    waiting = asyncio.create_task(desk.issue(a_bill(2)))

    process.kill()
    await process.wait()
    invoice = await waiting
    again = await desk.issue(a_bill(1))

    assert (taken, invoice.serial, again.serial) == (1, 1, 2)
    async with desk.database.transaction() as tx:
        assert await repository.gaps(tx) == []
