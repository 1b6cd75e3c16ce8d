"""The outbox relay between a real Postgres and a real Valkey, and the places it may die at."""

import asyncio
import functools

import asyncpg
import pytest
import pytest_asyncio
from redis.exceptions import ConnectionError as RedisConnectionError

from commerce.foundation.database import prepare_connection
from commerce.foundation.held_cluster import MARKER_KEY
from commerce.foundation.leadership import for_ever
from commerce.foundation.publisher import Publisher, _by_topic, open_publisher
from commerce.foundation.relay import KEPT_MINUTES, Relay, forget_published
from commerce.foundation.settings import RedisSettings
from protocol.codec import decode_event, decode_topic_entry
from protocol.events import SessionRevoked
from protocol.stream_names import (
    ACCESS_READY_KEY,
    TOPIC_LOG_ENTRIES_MAX,
    topic_access,
    topic_live_channel,
    topic_log,
    topic_meta,
    topic_seen,
)
from protocol.topics import user_topic
from tests.builders import a_session_id, a_user_id
from tests.commerce.waiting import until

USER = a_user_id()
TOPIC = user_topic(USER)
OTHER_TOPIC = user_topic(a_user_id())
TOPIC_KEYS = (topic_log(TOPIC), topic_meta(TOPIC), topic_seen(TOPIC))


class PowerCutError(Exception):
    """The relay's process dies here."""


class DyingPublisher(Publisher):
    """Dies right after it has published."""

    async def publish(self, rows):
        await super().publish(rows)
        raise PowerCutError


@pytest_asyncio.fixture
async def publisher(redis_url):
    async with open_publisher(RedisSettings(url=redis_url)) as opened:
        yield opened


@pytest_asyncio.fixture
async def connection(database_url):
    opened = await asyncpg.connect(database_url)
    await prepare_connection(opened)
    yield opened
    await opened.close()


@pytest.fixture
def relay(database_settings, database, publisher):
    return Relay(database_settings, database=database, publisher=publisher)


async def tell(database, count=1, *, topic=TOPIC):
    sessions = [a_session_id() for _ in range(count)]
    for session in sessions:
        async with database.transaction() as tx:
            await tx.emit(topic, SessionRevoked(session=session))
    return sessions


async def log_of(redis, topic=TOPIC):
    """Return what the topic's log holds: offset to session."""
    found = await redis.xrange(topic_log(topic))
    return {
        int(identity.split(b"-")[0]): decode_event(
            decode_topic_entry(fields[b"entry"]).body
        ).session
        for identity, fields in found
    }


async def epoch_of(redis, topic=TOPIC):
    return await redis.hget(topic_meta(topic), "epoch")


def numbered(sessions):
    return dict(enumerate(sessions, start=1))


class TestTheRelay:
    async def test_gives_each_event_the_next_offset_in_the_order_told(
        self, relay, connection, database, redis
    ):
        sessions = await tell(database, 5)

        assert await relay.relay_batch(connection) == 5

        assert await log_of(redis) == numbered(sessions)
        assert await relay.relay_batch(connection) == 0

    async def test_tells_the_live_channel_epoch_offset_and_entry(
        self, relay, connection, database, redis
    ):
        await relay.relay_batch(connection)
        pubsub = redis.pubsub()
        await pubsub.subscribe(topic_live_channel(TOPIC))
        await pubsub.get_message(timeout=5)
        (session,) = await tell(database)

        await relay.relay_batch(connection)

        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
        epoch, offset, entry = message["data"].split(b" ", 2)
        assert (epoch, offset) == (await epoch_of(redis), b"1")
        assert decode_event(decode_topic_entry(entry).body).session == session
        await pubsub.aclose()

    async def test_never_skips_a_row_that_commits_late(self, relay, connection, database, redis):
        late = database.transaction()
        tx = await late.__aenter__()
        await tx.emit(TOPIC, SessionRevoked())
        await tx.flush()
        await tell(database)
        assert await relay.relay_batch(connection) == 1

        await late.__aexit__(None, None, None)

        assert await relay.relay_batch(connection) == 1
        assert len(await log_of(redis)) == 2

    async def test_changes_rights_in_order_with_events(self, relay, connection, database, redis):
        async with database.transaction() as tx:
            await tx.grant_access(TOPIC, USER, "member")
            await tx.emit(TOPIC, SessionRevoked())
            await tx.revoke_access(TOPIC, USER)
            await tx.grant_access(TOPIC, "*", "reader")

        await relay.relay_batch(connection)

        assert await redis.hgetall(topic_access(TOPIC)) == {b"*": b"reader"}

    async def test_keeps_the_order_of_each_of_several_topics(
        self, relay, connection, database, redis
    ):
        mine, others = [a_session_id() for _ in range(250)], [a_session_id() for _ in range(3)]
        async with database.transaction() as tx:
            for number, session in enumerate(mine):
                await tx.emit(TOPIC, SessionRevoked(session=session))
                if number in {7, 100, 249}:
                    await tx.emit(OTHER_TOPIC, SessionRevoked(session=others[0]))
                    others.append(others.pop(0))

        await relay.relay_batch(connection)

        assert await log_of(redis) == numbered(mine)
        assert await log_of(redis, OTHER_TOPIC) == numbered(others)

    async def test_lets_nothing_pass_a_right(self, relay, connection, database, redis):
        async with database.transaction() as tx:
            await tx.emit(OTHER_TOPIC, SessionRevoked())
            await tx.grant_access(TOPIC, USER, "member")
            await tx.emit(OTHER_TOPIC, SessionRevoked())
        rows = await relay._waiting(connection)

        groups = _by_topic(rows)

        assert [[row.kind for row in group] for group in groups] == [
            ["event"],
            ["grant"],
            ["event"],
        ]

    async def test_tells_at_once_whose_right_was_taken_away(
        self, relay, connection, database, redis
    ):
        async with redis.pubsub() as heard:
            await heard.subscribe(topic_live_channel(TOPIC))
            await heard.get_message(timeout=10)
            async with database.transaction() as tx:
                await tx.grant_access(TOPIC, USER, "member")
                await tx.revoke_access(TOPIC, USER)

            await relay.relay_batch(connection)

            notice = await heard.get_message(ignore_subscribe_messages=True, timeout=10)
        assert notice["data"] == f"! revoked {USER}".encode()

    async def test_keeps_a_topics_log_bounded(self, relay, connection, database, redis):
        async with database.transaction() as tx:
            for _ in range(TOPIC_LOG_ENTRIES_MAX + 300):
                await tx.emit(TOPIC, SessionRevoked())

        while await relay.relay_batch(connection):
            pass

        assert await redis.xlen(topic_log(TOPIC)) < TOPIC_LOG_ENTRIES_MAX + 200
        assert int(await redis.hget(topic_meta(TOPIC), "offset")) == TOPIC_LOG_ENTRIES_MAX + 300

    async def test_is_woken_by_a_commit(self, relay, database, redis):
        running = asyncio.create_task(for_ever(relay.run, name="relay"))
        await until(lambda: redis.exists(ACCESS_READY_KEY))

        await tell(database)

        assert await until(lambda: log_of(redis))
        running.cancel()


class TestARelayThatDies:
    async def test_between_publishing_and_marking_doubles_nothing(
        self, database_settings, relay, connection, database, redis, redis_url
    ):
        sessions = await tell(database, 3)
        dying = DyingPublisher(RedisSettings(url=redis_url))
        with pytest.raises(PowerCutError):
            await Relay(database_settings, database=database, publisher=dying).relay_batch(
                connection
            )
        await dying.aclose()
        sessions += await tell(database, 2)

        await relay.relay_batch(connection)

        assert await log_of(redis) == numbered(sessions)

    async def test_is_replaced_by_another_that_waited(
        self, database_settings, database, redis, redis_url
    ):
        async with (
            open_publisher(RedisSettings(url=redis_url)) as one,
            open_publisher(RedisSettings(url=redis_url)) as other,
        ):
            relays = [
                Relay(database_settings, database=database, publisher=each) for each in (one, other)
            ]
            running = [asyncio.create_task(for_ever(each.run, name="relay")) for each in relays]
            sessions = []
            for _ in range(3):
                sessions += await tell(database, 10)
                await self.cut_leader(database)
            await until(lambda: self.has(redis, len(sessions)))
            for each in running:
                each.cancel()

        assert await log_of(redis) == numbered(sessions)

    async def has(self, redis, count):
        return len(await log_of(redis)) >= count

    async def cut_leader(self, database):
        async def cut():
            async with database.transaction() as tx:
                return await tx.value(
                    int,
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                    " join pg_locks using (pid)"
                    " where application_name = 'rialto-relay' and datname = current_database()"
                    " and locktype = 'advisory' and granted",
                )

        await until(cut)


class OlderRedis:
    """What Redis had at one time, to be brought back: a lost tail, a replica that lagged."""

    def __init__(self, redis):
        self._redis = redis
        self._kept = {}

    async def keep(self):
        self._kept = {key: await self._redis.dump(key) for key in await self._redis.keys("*")}

    async def come_back(self, *, run="an0ther"):
        await self._redis.flushall()
        for key, value in self._kept.items():
            await self._redis.restore(key, 0, value, replace=True)
        marker = await self._redis.get(MARKER_KEY)
        if run and marker:
            await self._redis.set(MARKER_KEY, b" ".join([run.encode(), marker.split()[1]]))


@pytest.fixture
def older(redis):
    return OlderRedis(redis)


class TestRedisThatLostItsTail:
    async def test_is_told_again_only_what_it_does_not_have(
        self, relay, connection, database, redis, older
    ):
        sessions = await tell(database, 2)
        await relay.relay_batch(connection)
        await relay.relay_batch(connection)
        await older.keep()
        for _ in range(3):
            sessions += await tell(database, 2)
            await relay.relay_batch(connection)
        epoch = await epoch_of(redis)

        await older.come_back()
        sessions += await tell(database)
        await relay.relay_batch(connection)

        assert await log_of(redis) == numbered(sessions)
        assert await epoch_of(redis) == epoch

    async def test_is_told_again_however_long_ago_it_was(
        self, relay, connection, database, redis, clock, older
    ):
        sessions = await tell(database, 2)
        await relay.relay_batch(connection)
        await relay.relay_batch(connection)
        await older.keep()
        for _ in range(5):
            clock.advance(minutes=11)
            sessions += await tell(database)
            await relay.relay_batch(connection)

        await older.come_back()
        await relay.relay_batch(connection)

        assert await log_of(redis) == numbered(sessions)

    async def test_is_not_told_what_it_has_even_if_its_log_has_forgotten_it(
        self, relay, connection, database, redis, older
    ):
        async with database.transaction() as tx:
            for _ in range(TOPIC_LOG_ENTRIES_MAX + 300):
                await tx.emit(TOPIC, SessionRevoked())
        while await relay.relay_batch(connection):
            pass
        await older.keep()

        await older.come_back()
        await relay.relay_batch(connection)

        assert await redis.hget(topic_meta(TOPIC), "offset") == b"1300"

    async def test_that_the_outbox_has_forgotten_begins_new_epochs_and_gets_every_right_anew(
        self, database_settings, database, publisher, connection, redis, clock, older
    ):
        async def rights(_tx):
            yield TOPIC, USER, "member"

        relay = Relay(
            database_settings, database=database, publisher=publisher, access_sources=(rights,)
        )
        gone = user_topic(a_user_id())
        await tell(database, 2)
        await relay.relay_batch(connection)
        await redis.hset(topic_access(gone), "usr_gone", "member")
        await relay.relay_batch(connection)
        await older.keep()
        for _ in range(2):
            await tell(database)
            await relay.relay_batch(connection)
            clock.advance(minutes=KEPT_MINUTES + 1)
            async with database.transaction() as tx:
                await forget_published(tx)
        epoch = await epoch_of(redis)

        await older.come_back()
        (session,) = await tell(database)
        await relay.relay_batch(connection)

        assert await log_of(redis) == {1: session}
        assert await epoch_of(redis) != epoch
        assert not await redis.exists(topic_access(gone))
        assert await redis.hgetall(topic_access(TOPIC)) == {USER.encode(): b"member"}

    async def test_gets_the_latest_of_the_rights_it_lost(
        self, relay, connection, database, redis, older
    ):
        await relay.relay_batch(connection)
        await older.keep()
        async with database.transaction() as tx:
            await tx.grant_access(TOPIC, USER, "member")
        async with database.transaction() as tx:
            await tx.grant_access(TOPIC, USER, "owner")
        await relay.relay_batch(connection)
        await older.come_back()

        await relay.relay_batch(connection)

        assert await redis.hgetall(topic_access(TOPIC)) == {USER.encode(): b"owner"}

    async def test_hears_first_what_was_on_its_way_and_in_the_order_it_was_sent(
        self, database_settings, database, connection, redis, redis_url, older
    ):
        """A row that commits later, with a smaller number, must not take another's place."""
        late = database.transaction()
        tx = await late.__aenter__()
        await tx.emit(TOPIC, SessionRevoked(session="late"))
        await tx.flush()
        sessions = await tell(database, 2)
        async with open_publisher(RedisSettings(url=redis_url)) as publisher:
            relay = Relay(database_settings, database=database, publisher=publisher)
            await older.keep()
            failing = self.failing_once(publisher)
            with pytest.raises(RedisConnectionError):
                await relay.relay_batch(connection)
            first = await log_of(redis)
            await late.__aexit__(None, None, None)

            await older.come_back()
            await publisher.disconnect()
            await relay.relay_batch(connection)
            await relay.relay_batch(connection)

        assert failing == ["failed"]
        assert first == numbered(sessions)
        assert await log_of(redis) == numbered([*sessions, "late"])

    def failing_once(self, publisher):
        """Have the connection break just after the next rows were sent."""
        failed, publish = [], publisher.publish

        async def publish_and_fail(rows, **options):
            await publish(rows, **options)
            if not failed:
                failed.append("failed")
                raise RedisConnectionError("lost")

        publisher.publish = publish_and_fail
        return failed

    async def test_begins_a_new_epoch_where_a_leader_before_left_rows_unmarked(
        self, database_settings, relay, connection, database, redis, redis_url, older
    ):
        await tell(database, 2)
        await relay.relay_batch(connection)
        await relay.relay_batch(connection)
        await older.keep()
        epoch = await epoch_of(redis)
        (session,) = await tell(database)
        dying = DyingPublisher(RedisSettings(url=redis_url))
        with pytest.raises(PowerCutError):
            await Relay(database_settings, database=database, publisher=dying).relay_batch(
                connection
            )
        await dying.aclose()
        await older.come_back()

        async with open_publisher(RedisSettings(url=redis_url)) as publisher:
            await Relay(database_settings, database=database, publisher=publisher).relay_batch(
                connection
            )

        assert await log_of(redis) == {1: session}
        assert await epoch_of(redis) != epoch

    async def test_is_recognised_though_it_is_the_run_the_relay_once_knew(
        self, relay, connection, database, redis, older
    ):
        """Two servers take turns: the first comes back with what it had when it lost its place."""
        sessions = await tell(database, 2)
        await relay.relay_batch(connection)
        await relay.relay_batch(connection)
        await older.keep()
        sessions += await tell(database, 2)
        await relay.relay_batch(connection)
        await relay.relay_batch(connection)

        await older.come_back(run=None)
        sessions += await tell(database)
        await relay.relay_batch(connection)

        assert await log_of(redis) == numbered(sessions)


class TestRedisThatLostEverything:
    async def test_begins_new_epochs_and_hears_only_what_is_new(
        self, relay, connection, database, redis
    ):
        await tell(database, 3)
        await relay.relay_batch(connection)
        first_epoch = await epoch_of(redis)

        await redis.flushall()
        sessions = await tell(database, 2)
        await relay.relay_batch(connection)

        assert await log_of(redis) == numbered(sessions)
        assert await epoch_of(redis) != first_epoch

    async def test_gets_every_right_anew(
        self, database_settings, database, publisher, connection, redis
    ):
        async def rights(tx):
            yield TOPIC, USER, "member"
            yield TOPIC, "*", await tx.value(str, "select 'reader'")

        await redis.hset(topic_access(TOPIC), "usr_gone", "member")
        relay = Relay(
            database_settings, database=database, publisher=publisher, access_sources=(rights,)
        )

        await relay.relay_batch(connection)

        assert await redis.hgetall(topic_access(TOPIC)) == {
            USER.encode(): b"member",
            b"*": b"reader",
        }
        assert await redis.exists(ACCESS_READY_KEY)

    async def test_never_hears_anything_new_on_a_connection_made_behind_the_relays_back(
        self, publisher, redis
    ):
        await publisher.look(0)
        await redis.client_kill_filter(_type="normal", skipme=True)

        with pytest.raises(RedisConnectionError):
            await publisher.mark_access_ready()


class TestARelayWhoseRedisGoesAway:
    async def test_stays_the_leader_and_goes_on_when_it_is_back(
        self, relay, database, redis, publisher
    ):
        running = asyncio.create_task(for_ever(relay.run, name="relay"))
        sessions = []
        for _ in range(3):
            sessions += await tell(database, 5)
            await redis.client_kill_filter(_type="normal", skipme=True)
            sessions += await tell(database, 5)
            await until(functools.partial(self.has, redis, len(sessions)))
        running.cancel()

        assert await log_of(redis) == numbered(sessions)

    async def has(self, redis, count):
        return len(await log_of(redis)) >= count


class TestAnEpochWhoseMetaWasLost:
    async def test_starts_over_with_an_empty_log(self, relay, connection, database, redis):
        await tell(database, 3)
        await relay.relay_batch(connection)
        await redis.delete(topic_meta(TOPIC))

        (session,) = await tell(database)
        await relay.relay_batch(connection)

        assert await log_of(redis) == {1: session}


class TestOldRows:
    async def test_are_deleted_once_published(self, relay, connection, database, clock):
        await tell(database)
        await relay.relay_batch(connection)
        clock.advance(minutes=61)
        await tell(database)

        async with database.transaction() as tx:
            await forget_published(tx)

        async with database.transaction() as tx:
            assert await tx.value(int, "select count(*) from outbox") == 1
