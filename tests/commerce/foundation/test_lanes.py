"""Commands between a real Valkey and a real Postgres, and the places a worker may die at."""

import asyncio
from collections import Counter

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from commerce.foundation import lanes
from commerce.foundation.commands import Together, forget_old_outcomes
from commerce.foundation.database import prepare_connection
from commerce.foundation.lanes import Lane
from commerce.foundation.leadership import for_ever
from protocol.codec import decode_event, decode_topic_entry, encode_command
from protocol.commands import JoinRoom, MessageResult, SendMessage
from protocol.events import CommandCommitted, CommandRejected
from protocol.ids import MessageId
from protocol.stream_names import (
    COMMAND_FIELD,
    COMMAND_GROUP,
    COMMAND_PARTITIONS,
    command_dead_stream,
    command_partition,
    command_stream,
)
from shared.errors import ExpectedError
from tests.builders import (
    a_command_envelope,
    a_message_command,
    a_room_id,
    a_user_id,
)
from tests.commerce.waiting import until

PARTITIONS = range(COMMAND_PARTITIONS)


class RoomClosedError(ExpectedError):
    """The room takes no messages."""

    code = "room_closed"
    http_status = 409


class PowerCutError(BaseException):
    """The worker's process dies here."""


class Handlers:
    """Handlers that write what they are given into a table, or fail as they are told to."""

    def __init__(self):
        self.fail = {}
        self.tried = Counter()
        self.commands = {SendMessage: self.send, JoinRoom: self.send}

    async def send(self, tx, caller, command):
        text = getattr(command, "text", "joined")
        self.tried[text] += 1
        await tx.execute("insert into said (room, text) values ($1, $2)", command.room, text)
        if self.fail.get(text):
            raise self.fail[text].pop(0)
        return MessageResult(message=MessageId("msg_01JD0000000000000000000001"), seq=1, version=1)


class HandlersOfMany(Handlers):
    """The same, for any number of messages at once; notes how many they were."""

    def __init__(self):
        super().__init__()
        self.runs = []
        self.commands[SendMessage] = Together(self.send_many)

    async def send_many(self, tx, given):
        self.runs.append(len(given))
        return [await self.send_or_refuse(tx, caller, command) for caller, command in given]

    async def send_or_refuse(self, tx, caller, command):
        if isinstance((self.fail.get(command.text) or [None])[0], ExpectedError):
            self.tried[command.text] += 1
            return self.fail[command.text].pop(0)
        return await self.send(tx, caller, command)


@pytest.fixture
def handlers():
    return Handlers()


@pytest_asyncio.fixture
async def said(database):
    """A table of what was said, and how to read it."""
    async with database.transaction() as tx:
        await tx.execute(
            "create table said (id int generated always as identity, room text, text text)"
        )

    async def read():
        async with database.transaction() as tx:
            return await tx.value(
                list[str], "select coalesce(array_agg(text order by id), '{}') from said"
            )

    return read


@pytest_asyncio.fixture
async def connection(database_url, said):
    opened = await asyncpg.connect(database_url)
    await prepare_connection(opened)
    yield opened
    await opened.close()


@pytest.fixture
def make_lane(database_settings, redis, handlers, clock, bell):
    def make(handlers=handlers):
        return Lane(
            database_settings,
            redis=redis,
            partitions=PARTITIONS,
            handlers=handlers.commands,
            clock=clock,
            bell=bell,
        )

    return make


@pytest_asyncio.fixture
async def lane(make_lane):
    made = make_lane()
    await made._log.prepare()
    return made


async def give(redis, *envelopes):
    for envelope in envelopes:
        stream = command_stream(command_partition(envelope.command, envelope.user))
        await redis.xadd(stream, {COMMAND_FIELD: encode_command(envelope)})


async def outcomes(database):
    """Return every outcome that was told, in order."""
    async with database.transaction() as tx:
        bodies = await tx.value(
            list[bytes], "select coalesce(array_agg(body order by id), '{}') from outbox"
        )
    return [decode_event(decode_topic_entry(body).body) for body in bodies]


async def left(redis):
    return sum([await redis.xlen(command_stream(each)) for each in PARTITIONS])


def said_in(room, *texts):
    return [a_command_envelope(command=a_message_command(room=room, text=each)) for each in texts]


class TestALane:
    async def test_carries_out_commands_on_one_aggregate_in_order(
        self, lane, connection, redis, said
    ):
        texts = [f"message {number}" for number in range(100)]
        await give(redis, *said_in(a_room_id(), *texts))

        while await left(redis):
            await lane.turn(connection)

        assert await said() == texts

    async def test_tells_the_user_what_became_of_it(self, lane, connection, redis, database):
        envelope = a_command_envelope()
        await give(redis, envelope)

        await lane.turn(connection)

        (outcome,) = await outcomes(database)
        assert isinstance(outcome, CommandCommitted)
        assert outcome.key == envelope.key
        assert outcome.result.seq == 1

    async def test_keeps_the_others_when_one_is_refused(
        self, lane, connection, redis, handlers, said, database
    ):
        handlers.fail["b"] = [RoomClosedError("The room is closed.")]
        await give(redis, *said_in(a_room_id(), "a", "b", "c"))

        await lane.turn(connection)

        assert await said() == ["a", "c"]
        _, refused, _ = await outcomes(database)
        assert (refused.code, refused.message) == ("room_closed", "The room is closed.")

    async def test_takes_on_a_partition_only_when_nobody_else_has_it(
        self, make_lane, redis, said, database
    ):
        texts = [f"message {number}" for number in range(200)]
        running = [asyncio.create_task(for_ever(make_lane().run, name="lane")) for _ in range(2)]

        for chunk in range(2):
            await give(redis, *said_in(a_room_id(), *texts[chunk * 100 : chunk * 100 + 100]))
            async with database.transaction() as tx:
                await tx.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'rialto-lane' and datname = current_database()"
                )

        async def all_said():
            return len(await said()) >= len(texts)

        await until(all_said)
        for each in running:
            each.cancel()
        assert sorted(await said()) == sorted(texts)


class TestTheSameKeyAgain:
    async def test_tells_the_same_outcome_again(self, lane, connection, redis, said, database):
        envelope = a_command_envelope()
        await give(redis, envelope)
        await lane.turn(connection)
        await give(redis, envelope)

        await lane.turn(connection)

        first, second = await outcomes(database)
        assert first == second
        assert len(await said()) == 1

    async def test_tells_the_same_refusal_again(self, lane, connection, redis, handlers, database):
        envelope = a_command_envelope(command=a_message_command(text="no"))
        handlers.fail["no"] = [RoomClosedError("The room is closed.")]
        await give(redis, envelope, envelope)

        await lane.turn(connection)

        first, second = await outcomes(database)
        assert isinstance(first, CommandRejected)
        assert first == second

    async def test_within_one_batch_counts_once(self, lane, connection, redis, said, database):
        envelope = a_command_envelope()
        await give(redis, envelope, envelope)

        await lane.turn(connection)

        assert len(await said()) == 1
        assert len(await outcomes(database)) == 2

    async def test_among_others_counts_once_and_so_do_they(
        self, lane, connection, redis, said, database
    ):
        room = a_room_id()
        first, again, other, last = said_in(room, "first", "again", "other", "last")
        await give(redis, first, again)
        await lane.turn(connection)

        await give(redis, other, again, last)
        await lane.turn(connection)
        await give(redis, again, last)
        await lane.turn(connection)

        assert await said() == ["first", "again", "other", "last"]
        keys = [told.key for told in await outcomes(database)]
        given = [first, again, other, again, last, again, last]
        assert keys == [each.key for each in given]

    async def test_with_another_command_is_a_conflict(
        self, lane, connection, redis, said, database
    ):
        first = a_command_envelope(command=a_message_command(text="first"))
        other = msgspec.structs.replace(first, command=a_message_command(text="other"))
        await give(redis, first)
        await lane.turn(connection)
        await give(redis, other)

        await lane.turn(connection)

        assert await said() == ["first"]
        assert (await outcomes(database))[1].code == "key_conflict"

    async def test_of_another_user_is_another_key(self, lane, connection, redis, said):
        first = a_command_envelope()
        await give(redis, first, msgspec.structs.replace(first, user=a_user_id()))

        await lane.turn(connection)

        assert len(await said()) == 2

    async def test_is_forgotten_after_three_days(
        self, lane, connection, redis, said, database, clock
    ):
        envelope = a_command_envelope()
        await give(redis, envelope)
        await lane.turn(connection)
        clock.advance(hours=73)
        async with database.transaction() as tx:
            await forget_old_outcomes(tx)
        await give(redis, envelope)

        await lane.turn(connection)

        assert len(await said()) == 2


class TestAWorkerThatDies:
    async def test_between_commit_and_acknowledgement_repeats_nothing(
        self, lane, make_lane, connection, redis, said, database, monkeypatch
    ):
        async def power_cut(_entries):
            raise PowerCutError

        lane._log.finish = power_cut
        await give(redis, *said_in(a_room_id(), "a", "b"))
        with pytest.raises(PowerCutError):
            await lane.turn(connection)
        assert await left(redis) == 2

        await make_lane()._sweep(connection)

        assert await said() == ["a", "b"]
        assert len(await outcomes(database)) == 2
        assert await left(redis) == 0

    async def test_before_the_commit_loses_nothing(
        self, lane, make_lane, connection, redis, said, handlers, database
    ):
        handlers.fail["b"] = [PowerCutError()]
        await give(redis, *said_in(a_room_id(), "a", "b", "c"))
        with pytest.raises(PowerCutError):
            await lane.turn(connection)
        assert await said() == []

        await make_lane()._sweep(connection)

        assert await said() == ["a", "b", "c"]

    async def test_over_one_command_again_and_again_buries_it(
        self, make_lane, connection, redis, said, handlers, database
    ):
        handlers.fail["poison"] = [PowerCutError() for _ in range(100)]
        await give(redis, *said_in(a_room_id(), "before", "poison", "after"))
        for _ in range(lanes.DELIVERIES_MAX):
            lane = make_lane()
            await lane._log.prepare()
            with pytest.raises(PowerCutError):
                await lane.turn(connection)

        await make_lane()._sweep(connection)

        assert await said() == ["before", "after"]
        assert [type(each) for each in await outcomes(database)] == [
            CommandCommitted,
            CommandRejected,
            CommandCommitted,
        ]


class TestACommandThatFailsBySurprise:
    @pytest.fixture(autouse=True)
    def _without_pauses(self, monkeypatch):
        monkeypatch.setattr(lanes, "RETRY_BASE_SECONDS", 0.001)

    async def test_is_tried_again_while_others_go_on(self, lane, connection, redis, said, handlers):
        handlers.fail["hiccup"] = [ZeroDivisionError()]
        await give(redis, *said_in(a_room_id(), "hiccup"), *said_in(a_room_id(), "other"))

        while await left(redis):
            await lane.turn(connection)

        assert await said() == ["other", "hiccup"]

    async def test_holds_back_those_behind_it_on_the_same_aggregate(
        self, lane, connection, redis, said, handlers
    ):
        room = a_room_id()
        handlers.fail["hiccup"] = [ZeroDivisionError(), ZeroDivisionError()]
        await give(redis, *said_in(room, "before", "hiccup", "behind"))
        await lane.turn(connection)
        await give(redis, *said_in(room, "later"))

        while await left(redis):
            await lane.turn(connection)

        assert await said() == ["before", "hiccup", "behind", "later"]

    async def test_is_buried_and_rejected_after_its_last_try(
        self, lane, connection, redis, said, handlers, database
    ):
        handlers.fail["poison"] = [ZeroDivisionError() for _ in range(100)]
        (envelope,) = said_in(a_room_id(), "poison")
        await give(redis, envelope)

        while await left(redis):
            await lane.turn(connection)

        assert handlers.tried["poison"] == lanes.ATTEMPTS_MAX
        (outcome,) = await outcomes(database)
        assert (outcome.key, outcome.code) == (envelope.key, "internal")
        partition = command_partition(envelope.command, envelope.user)
        assert await redis.xlen(command_dead_stream(partition)) == 1

    async def test_by_a_deadlock_makes_the_whole_batch_run_again(
        self, lane, connection, redis, said, handlers
    ):
        handlers.fail["b"] = [asyncpg.DeadlockDetectedError("in the way")]
        await give(redis, *said_in(a_room_id(), "a", "b"))

        await lane.turn(connection)

        assert await said() == ["a", "b"]
        assert handlers.tried["a"] == 2

    async def test_by_a_deadlock_without_end_is_buried(
        self, lane, connection, redis, said, handlers, database
    ):
        handlers.fail["stuck"] = [asyncpg.DeadlockDetectedError("in the way") for _ in range(100)]
        await give(redis, *said_in(a_room_id(), "stuck"), *said_in(a_room_id(), "free"))

        while await left(redis):
            await lane.turn(connection)

        assert await said() == ["free"]
        assert "internal" in {getattr(each, "code", None) for each in await outcomes(database)}


class TestCommandsThatAreCarriedOutTogether:
    @pytest.fixture
    def handlers(self, monkeypatch):
        monkeypatch.setattr(lanes, "RETRY_BASE_SECONDS", 0.001)
        return HandlersOfMany()

    async def test_are_given_to_their_handler_at_once(
        self, lane, connection, redis, handlers, said
    ):
        room, other = a_room_id(), a_room_id()
        await give(redis, *said_in(room, "a", "b"), *said_in(other, "c"), *said_in(room, "d"))

        await lane.turn(connection)

        assert handlers.runs == [4]
        assert [text for text in await said() if text != "c"] == ["a", "b", "d"]

    async def test_stay_in_order_with_others_on_the_same_aggregate(
        self, lane, connection, redis, handlers, said
    ):
        room = a_room_id()
        await give(redis, *said_in(room, "a", "b"))
        await give(redis, a_command_envelope(command=JoinRoom(room=room)))
        await give(redis, *said_in(room, "c", "d"))

        await lane.turn(connection)

        assert handlers.runs == [2, 2]
        assert await said() == ["a", "b", "joined", "c", "d"]

    async def test_go_on_when_some_are_refused_and_run_once_each(
        self, lane, connection, redis, handlers, said, database
    ):
        handlers.fail["b"] = [RoomClosedError("The room is closed.")]
        await give(redis, *said_in(a_room_id(), "a", "b", "c"))

        await lane.turn(connection)

        assert await said() == ["a", "c"]
        assert handlers.runs == [3]
        assert handlers.tried == {"a": 1, "b": 1, "c": 1}
        _, refused, _ = await outcomes(database)
        assert (refused.code, refused.message) == ("room_closed", "The room is closed.")

    async def test_count_once_when_they_have_the_same_key(
        self, lane, connection, redis, handlers, said, database
    ):
        room = a_room_id()
        first, second = said_in(room, "a", "b")
        other = msgspec.structs.replace(first, command=a_message_command(room=room, text="other"))
        await give(redis, first, first, second, other)

        await lane.turn(connection)

        assert sorted(await said()) == ["a", "b"]
        told = await outcomes(database)
        assert sorted(each.key for each in told) == sorted([first.key] * 3 + [second.key])
        assert [each.code for each in told if isinstance(each, CommandRejected)] == ["key_conflict"]

    async def test_are_taken_apart_when_one_fails_by_surprise(
        self, lane, connection, redis, handlers, said, database
    ):
        room = a_room_id()
        handlers.fail["hiccup"] = [ZeroDivisionError() for _ in range(3)]
        await give(redis, *said_in(room, "before", "hiccup", "behind"))
        await give(redis, *said_in(a_room_id(), "other"))
        await lane.turn(connection)
        first_said = await said()

        while await left(redis):
            await lane.turn(connection)

        assert sorted(first_said) == ["before", "other"]
        assert [text for text in await said() if text != "other"] == ["before", "hiccup", "behind"]
        assert [type(each) for each in await outcomes(database)] == [CommandCommitted] * 4

    async def test_leave_nothing_when_the_worker_dies_meanwhile(
        self, lane, make_lane, connection, redis, said, handlers, database
    ):
        handlers.fail["b"] = [PowerCutError()]
        await give(redis, *said_in(a_room_id(), "a", "b", "c"))
        with pytest.raises(PowerCutError):
            await lane.turn(connection)
        assert await said() == []

        await make_lane()._sweep(connection)

        assert await said() == ["a", "b", "c"]
        assert len(await outcomes(database)) == 3


class TestAnEntryThatIsNoCommand:
    async def test_is_buried_with_the_reason(self, lane, connection, redis):
        await redis.xadd(command_stream(3), {"envelope": b"not msgpack"})
        await redis.xadd(command_stream(3), {"other": b"field"})

        await lane.turn(connection)

        assert await left(redis) == 0
        (_, fields), _ = await redis.xrange(command_dead_stream(3))
        assert fields[b"reason"].startswith(b"malformed")


class TestRedisThatLostItsData:
    async def test_gets_its_consumer_groups_again(self, lane, connection, redis, said):
        await redis.flushall()
        await lane.turn(connection)
        await give(redis, *said_in(a_room_id(), "after the flood"))

        await lane.turn(connection)

        assert await said() == ["after the flood"]
        groups = await redis.xinfo_groups(command_stream(0))
        assert [group["name"] for group in groups] == [COMMAND_GROUP.encode()]
