"""Units of work on a real Postgres."""

import asyncio
import contextlib

import asyncpg
import msgspec
import pytest

from commerce.foundation.bell import Bell
from commerce.foundation.database import open_database
from commerce.foundation.errors import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    UnstorableTextError,
)
from commerce.foundation.settings import DatabaseSettings
from protocol.events import SessionRevoked
from protocol.topics import user_topic
from tests.builders import a_user_id
from tests.commerce.waiting import until

TOPIC = user_topic(a_user_id())


class Row(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    tags: list[str]
    note: dict[str, int]


async def outbox_count(database):
    async with database.transaction() as tx:
        return await tx.value(int, "select count(*) from outbox")


class TestAUnitOfWork:
    async def test_turns_rows_into_structs(self, tx):
        row = await tx.one(
            Row, """select 7 as number, array['a'] as tags, '{"b": 1}'::jsonb as note"""
        )

        assert row == Row(number=7, tags=["a"], note={"b": 1})

    async def test_commits_its_writes_and_its_events_together(self, database):
        async with database.transaction() as tx:
            await tx.emit(TOPIC, SessionRevoked())
            await tx.grant_access(TOPIC, "*", "reader")

        assert await outbox_count(database) == 2

    async def test_leaves_nothing_behind_when_it_fails(self, database):
        async def failing():
            async with database.transaction() as tx:
                await tx.emit(TOPIC, SessionRevoked())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await failing()

        assert await outbox_count(database) == 0

    async def test_forgets_the_events_of_a_part_that_was_undone(self, database):
        async with database.transaction() as tx:
            await tx.emit(TOPIC, SessionRevoked())
            with contextlib.suppress(ZeroDivisionError):
                async with tx.savepoint():
                    await tx.emit(TOPIC, SessionRevoked())
                    raise ZeroDivisionError

        assert await outbox_count(database) == 1

    async def test_numbers_its_events_in_the_order_they_were_told(self, database):
        async with database.transaction() as tx:
            told = [await tx.emit(TOPIC, SessionRevoked()) for _ in range(5)]

        async with database.transaction() as tx:
            kept = await tx.value(list[str], "select array_agg(event_id order by id) from outbox")
        assert kept == told

    async def test_tells_one_fact_on_two_topics_under_one_id(self, database):
        async with database.transaction() as tx:
            told = await tx.emit(TOPIC, SessionRevoked())
            again = await tx.emit(user_topic(a_user_id()), SessionRevoked(), event_id=told)

        assert again == told

    async def test_rings_the_bell_only_when_there_is_something_to_tell(self, database, bell):
        bell.heard_here = False
        async with database.transaction() as tx:
            await tx.execute("select 1")
        assert not bell._to_announce.is_set()

        async with database.transaction() as tx:
            await tx.emit(TOPIC, SessionRevoked())

        assert bell._to_announce.is_set()

    @pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
    async def test_refuses_text_that_postgres_cannot_hold(self, tx, text):
        with pytest.raises(UnstorableTextError):
            await tx.value(str, "select $1::text", text)

    async def test_streams_rows_that_would_not_fit_in_memory(self, tx):
        numbers = [
            row.number
            async for row in tx.stream(
                Row,
                "select n as number, '{}'::text[] as tags, '{}'::jsonb as note"
                " from generate_series(1, 1200) n",
            )
        ]

        assert numbers == list(range(1, 1201))

    async def test_shows_a_wrong_statement_as_the_bug_it_is(self, database):
        with pytest.raises(asyncpg.InterfaceError):
            async with database.transaction() as tx:
                await tx.execute("select $1::int, $2::int", 1)


class TestABusyPool:
    async def test_refuses_who_would_wait_too_long(self, database_url, clock):
        settings = DatabaseSettings(url=database_url, pool_size_max=2, acquire_timeout_ms=50)
        async with open_database(settings, clock=clock) as database:
            async with database.transaction(), database.transaction():
                with pytest.raises(DatabaseBusyError):
                    async with database.transaction():
                        pass

            await database.ping()

    async def test_is_not_used_up_by_work_that_is_canceled(self, database_url, clock):
        settings = DatabaseSettings(url=database_url, pool_size_max=2, acquire_timeout_ms=2_000)
        async with open_database(settings, clock=clock) as database:
            for _ in range(5):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05), database.transaction() as tx:
                        await tx.execute("select pg_sleep(5)")

            await database.ping()


class TestALostConnection:
    async def test_fails_the_work_under_way_and_is_replaced_for_the_next(self, database):
        with pytest.raises(DatabaseUnavailableError):
            async with database.transaction() as tx:
                await tx.execute("select pg_terminate_backend(pg_backend_pid())")

        await database.ping()

    async def test_is_replaced_when_it_was_lost_while_idle(self, database, database_url):
        await database.ping()
        other = await asyncpg.connect(database_url)
        await other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'rialto-pool' and datname = current_database()"
        )
        await other.close()

        async def answers():
            try:
                await database.ping()
            except DatabaseUnavailableError:
                return False
            return True

        assert await until(answers)

    async def test_is_told_apart_from_no_server_at_all(self, clock):
        nowhere = DatabaseSettings(url="postgresql://postgres@127.0.0.1:1/nothing")
        async with open_database(nowhere, clock=clock) as database:
            with pytest.raises(DatabaseUnavailableError):
                await database.ping()


class TestTheBell:
    async def test_counts_any_number_of_rings_as_one(self):
        bell = Bell()
        bell.ring()
        bell.ring()

        async with asyncio.timeout(1):
            await bell.wait_rung(seconds_max=60)
        await bell.wait_rung(seconds_max=0.001)

        assert not bell._rung.is_set()

    async def test_is_heard_by_other_processes(self, database, database_url):
        heard = asyncio.Event()
        listener = await asyncpg.connect(database_url)
        await listener.add_listener("outbox", lambda *_: heard.set())
        announcing = asyncio.create_task(database.announce())

        async with database.transaction() as tx:
            await tx.emit(TOPIC, SessionRevoked())

        async with asyncio.timeout(5):
            await heard.wait()
        announcing.cancel()
        await listener.close()
