"""Messages of other services, from a real Valkey into a real Postgres."""

import asyncpg
import pytest
import pytest_asyncio

from commerce.foundation import inbox as inbox_module
from commerce.foundation.inbox import (
    ATTEMPTS_MAX,
    Inbox,
    MalformedMessageError,
    Subscription,
    forget_old_messages,
)

STREAM = "messages"
DEAD = "messages:dead"


class PowerCutError(BaseException):
    """The worker's process dies here."""


class Taker:
    """Writes the texts of messages into a table, or fails as it is told to."""

    def __init__(self):
        self.failures = []

    async def take(self, tx, message):
        text = message.fields.get("text")
        if text is None:
            raise MalformedMessageError("`text` is missing")
        await tx.execute("insert into taken (text) values ($1)", text)
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def taker():
    return Taker()


@pytest_asyncio.fixture
async def taken(database):
    async with database.transaction() as tx:
        await tx.execute("create table taken (id int generated always as identity, text text)")

    async def read():
        async with database.transaction() as tx:
            return await tx.value(
                list[str], "select coalesce(array_agg(text order by id), '{}') from taken"
            )

    return read


@pytest.fixture
def make_inbox(database_settings, redis, clock, bell, taker):
    def make():
        subscription = Subscription(
            stream=STREAM, group="commerce", dead_stream=DEAD, handle=taker.take
        )
        return Inbox(database_settings, subscription, redis=redis, clock=clock, bell=bell)

    return make


@pytest_asyncio.fixture
async def inbox(make_inbox, taken, monkeypatch):
    monkeypatch.setattr(inbox_module, "_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(inbox_module, "_WAIT_MS", 20)
    made = make_inbox()
    await made._prepare()
    return made


@pytest_asyncio.fixture
async def connection(database_url, taken):
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


class TestAnInbox:
    async def test_takes_messages_in_in_order(self, inbox, connection, redis, taken):
        for text in "abc":
            await redis.xadd(STREAM, {"text": text})

        await inbox.turn(connection)

        assert await taken() == ["a", "b", "c"]
        assert await redis.xlen(STREAM) == 0

    async def test_takes_a_key_in_once(self, inbox, connection, redis, taken):
        for text in "ab":
            await redis.xadd(STREAM, {"text": text, "key": "k1"})

        await inbox.turn(connection)

        assert await taken() == ["a"]
        assert await redis.xlen(STREAM) == 0

    async def test_takes_a_key_in_again_once_it_is_forgotten(
        self, inbox, connection, redis, taken, database, clock
    ):
        await redis.xadd(STREAM, {"text": "a", "key": "k1"})
        await inbox.turn(connection)
        clock.advance(days=8)
        async with database.transaction() as tx:
            await forget_old_messages(tx)
        await redis.xadd(STREAM, {"text": "b", "key": "k1"})

        await inbox.turn(connection)

        assert await taken() == ["a", "b"]

    async def test_buries_what_is_malformed_with_the_reason(self, inbox, connection, redis, taken):
        await redis.xadd(STREAM, {"title": "no text"})
        await redis.xadd(STREAM, {"text": "fine"})

        await inbox.turn(connection)

        assert await taken() == ["fine"]
        ((_, fields),) = await redis.xrange(DEAD)
        assert fields[b"dead:reason"] == b"`text` is missing"
        assert fields[b"title"] == b"no text"

    async def test_buries_a_key_that_is_too_long(self, inbox, connection, redis, taken):
        await redis.xadd(STREAM, {"text": "a", "key": "k" * 201})

        await inbox.turn(connection)

        assert await taken() == []
        assert await redis.xlen(DEAD) == 1

    async def test_tries_again_what_failed_by_surprise(
        self, inbox, connection, redis, taken, taker
    ):
        taker.failures = [ZeroDivisionError()]
        await redis.xadd(STREAM, {"text": "a"})

        await inbox.turn(connection)
        await inbox.turn(connection)

        assert await taken() == ["a"]

    async def test_buries_what_fails_again_and_again(self, inbox, connection, redis, taken, taker):
        taker.failures = [ZeroDivisionError() for _ in range(ATTEMPTS_MAX)]
        await redis.xadd(STREAM, {"text": "a"})

        await inbox.turn(connection)
        await inbox.turn(connection)

        assert await taken() == []
        assert await redis.xlen(DEAD) == 1

    async def test_that_dies_before_the_acknowledgement_repeats_nothing(
        self, inbox, make_inbox, connection, redis, taken
    ):
        async def power_cut(_taken, _refused):
            raise PowerCutError

        inbox._finish = power_cut
        await redis.xadd(STREAM, {"text": "a"})
        with pytest.raises(PowerCutError):
            await inbox.turn(connection)

        await make_inbox().turn(connection)

        assert await taken() == ["a"]
        assert await redis.xlen(STREAM) == 0

    async def test_goes_on_after_redis_lost_its_data(self, inbox, connection, redis, taken):
        await redis.flushall()
        await inbox.turn(connection)
        await redis.xadd(STREAM, {"text": "after"})

        await inbox.turn(connection)

        assert await taken() == ["after"]
