"""Work the clock starts."""

import asyncio

import asyncpg
import pytest_asyncio

from commerce.foundation.jobs import Errand, Job, JobRunner
from tests.commerce.waiting import until


@pytest_asyncio.fixture
async def connection(database_url):
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


async def leave_a_mark(tx):
    await tx.execute(
        "insert into inbox (consumer, message_key, received_at) values ('mark', $1, $2)",
        tx.mint("mrk"),
        tx.now,
    )


async def fail(tx):
    await leave_a_mark(tx)
    raise ZeroDivisionError


async def marks(database):
    async with database.transaction() as tx:
        return await tx.value(int, "select count(*) from inbox")


A_JOB = Job(name="mark", every_seconds=60, run=leave_a_mark)
A_FAILING_JOB = Job(name="fail", every_seconds=60, run=fail)


class TestAJob:
    async def test_runs_once_each_time_it_is_due(
        self, database_settings, database, connection, clock, bell
    ):
        runner = JobRunner(database_settings, [A_JOB], clock=clock, bell=bell)

        ran = []
        for _ in range(3):
            ran += [await runner.tick(connection, A_JOB), await runner.tick(connection, A_JOB)]
            clock.advance(seconds=60)

        assert ran == [True, False] * 3
        assert await marks(database) == 3

    async def test_that_fails_changes_nothing_and_is_due_at_its_next_time(
        self, database_settings, database, connection, clock, bell
    ):
        runner = JobRunner(database_settings, [A_FAILING_JOB], clock=clock, bell=bell)

        first, again = (
            await runner.tick(connection, A_FAILING_JOB),
            await runner.tick(connection, A_FAILING_JOB),
        )

        assert (first, again) == (True, False)
        assert await marks(database) == 0

    async def test_runs_in_one_process_only(self, database_settings, database, clock, bell):
        runners = [
            asyncio.create_task(JobRunner(database_settings, [A_JOB], clock=clock, bell=bell).run())
            for _ in range(3)
        ]

        await until(lambda: marks(database))

        for each in runners:
            each.cancel()
        assert await marks(database) == 1


class TestAnErrand:
    async def test_runs_once_each_time_it_is_due_with_no_transaction_open(
        self, database_settings, database, clock, bell
    ):
        seen = []

        async def look(given):
            async with given.transaction() as tx:
                seen.append(await tx.value(int, "select count(*) from job_runs"))

        errand = Errand(name="look", every_seconds=60, run=look)
        runner = a_runner(database_settings, database, clock, bell, errand)

        ran = [await runner.send(errand), await runner.send(errand)]
        clock.advance(seconds=60)
        ran.append(await runner.send(errand))

        assert ran == [True, False, True]
        assert seen == [1, 1]

    async def test_that_fails_is_due_at_its_next_time(
        self, database_settings, database, clock, bell
    ):
        async def fail_outside(_database):
            raise ZeroDivisionError("the outside")

        errand = Errand(name="fail", every_seconds=60, run=fail_outside)
        runner = a_runner(database_settings, database, clock, bell, errand)

        first, again = await runner.send(errand), await runner.send(errand)

        assert (first, again) == (True, False)
        async with database.transaction() as tx:
            said = await tx.value(str, "select last_error from job_runs where name = 'fail'")
        assert said == "the outside"

    async def test_that_takes_long_holds_up_no_job(self, database_settings, database, clock, bell):
        begun, may_end, marked = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def take_long(_database):
            begun.set()
            await may_end.wait()

        async def mark(_tx):
            if begun.is_set():
                marked.set()

        job = Job(name="quick", every_seconds=1, run=mark)
        errand = Errand(name="slow", every_seconds=1, run=take_long)
        runner = a_runner(database_settings, database, clock, bell, errand, jobs=[job])
        running = asyncio.create_task(runner.run())
        try:
            async with asyncio.timeout(20):
                await begun.wait()
                while not marked.is_set():
                    clock.advance(seconds=1)
                    await asyncio.sleep(0.05)
        finally:
            running.cancel()


def a_runner(settings, database, clock, bell, errand, *, jobs=()):
    return JobRunner(settings, jobs, clock=clock, bell=bell, errands=[errand], database=database)
