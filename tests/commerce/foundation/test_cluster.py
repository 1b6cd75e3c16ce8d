"""Commerce on a Redis Cluster: its client, its relay, and servers that come and go."""

import asyncio
import functools

import asyncpg
import pytest
import pytest_asyncio
from redis.exceptions import RedisError, ResponseError

from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.model import User
from commerce.foundation.command_log import CommandLog
from commerce.foundation.database import prepare_connection
from commerce.foundation.leadership import for_ever
from commerce.foundation.publisher import open_publisher
from commerce.foundation.redis_client import open_redis, pipelined
from commerce.foundation.redis_url import cluster_url
from commerce.foundation.relay import Relay
from commerce.foundation.settings import RedisSettings
from protocol.codec import decode_event, decode_topic_entry
from protocol.events import SessionRevoked
from protocol.stream_names import (
    ACCESS_READY_KEY,
    COMMAND_FIELD,
    COMMAND_PARTITIONS,
    command_stream,
    topic_access,
    topic_live_channel,
    topic_log,
    topic_meta,
)
from protocol.topics import user_topic
from tests.builders import a_session_id, a_user_id
from tests.commerce.waiting import until

pytestmark = pytest.mark.timeout(90)
KEYS = [f"key-{number}" for number in range(40)]


@pytest.fixture
def cluster(valkey_cluster):
    valkey_cluster.flush()
    return valkey_cluster


@pytest.fixture
def settings(cluster):
    return RedisSettings(url=cluster.url)


@pytest_asyncio.fixture
async def redis(settings):
    async with open_redis(settings) as client:
        yield client


@pytest_asyncio.fixture
async def connection(database_url):
    opened = await asyncpg.connect(database_url)
    await prepare_connection(opened)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def relay(settings, database_settings, database):
    async with open_publisher(settings) as publisher:
        yield Relay(database_settings, database=database, publisher=publisher)


def in_thread(work, *args, **options):
    return asyncio.to_thread(functools.partial(work, *args, **options))


def topics_of(cluster, count=9):
    """Return topics that lie on every master, as many on each."""
    found = {node.port: [] for node in cluster.masters()}
    each = count // len(found)
    while any(len(topics) < each for topics in found.values()):
        topic = user_topic(a_user_id())
        mine = found[cluster.master_of(topic_log(topic)).port]
        if len(mine) < each:
            mine.append(topic)
    return [topic for topics in found.values() for topic in topics]


async def tell(database, topics, told):
    """Tell one event on each topic, and add it to what was told there."""
    for topic in topics:
        session = a_session_id()
        async with database.transaction() as tx:
            await tx.emit(topic, SessionRevoked(session=session))
        told.setdefault(topic, []).append(session)


async def logs_of(redis, topics):
    """Return what the topics' logs hold, in order; offsets must be without a hole."""
    logs = {}
    for topic in topics:
        found = await redis.xrange(topic_log(topic))
        assert [identity for identity, _ in found] == [
            b"%d-0" % (at + 1) for at in range(len(found))
        ]
        logs[topic] = [
            decode_event(decode_topic_entry(fields[b"entry"]).body).session for _, fields in found
        ]
    return logs


class TestTheUrlOfACluster:
    def test_names_servers_and_how_to_sign_in(self):
        found = cluster_url("rediss+cluster://ada:pass@one:7001,two")

        assert found.addresses == ["one:7001", "two:6379"]
        assert found.of("three:1") == "rediss://ada:pass@three:1/0"
        assert cluster_url("redis://one:7001/0") is None


class TestTheClient:
    async def test_finds_every_key_and_keeps_the_order_of_answers(self, redis):
        await pipelined(redis, [("SET", key, key) for key in KEYS])

        assert await pipelined(redis, [("GET", key) for key in KEYS]) == [
            key.encode() for key in KEYS
        ]

    async def test_says_what_is_refused(self, redis):
        await redis.set("text", "no number")

        with pytest.raises(ResponseError):
            await pipelined(redis, [("SET", "a", 1), ("INCR", "text")])
        ok, refused = await pipelined(
            redis, [("SET", "a", 1), ("INCR", "text")], raise_on_error=False
        )
        assert ok
        assert isinstance(refused, ResponseError)

    async def test_follows_slots_that_move(self, redis, cluster):
        await pipelined(redis, [("SET", key, key) for key in KEYS])
        for key in KEYS[:3]:
            await in_thread(cluster.move_slot, key)

        assert await redis.get(KEYS[0]) == KEYS[0].encode()
        assert await pipelined(redis, [("GET", key) for key in KEYS]) == [
            key.encode() for key in KEYS
        ]

    async def test_finds_keys_of_a_slot_that_is_moving(self, redis, cluster):
        slot, source = cluster.slot_of("{s}a"), cluster.master_of("{s}a")
        target = cluster.another_master(source)
        await pipelined(redis, [("SET", f"{{s}}{name}", name) for name in "abcd"])
        cluster.begin_move(slot, source, target)
        cluster.move_keys(slot, source, target, count=2)

        found = await pipelined(redis, [("GET", f"{{s}}{name}") for name in "abcd"])

        assert found == [b"a", b"b", b"c", b"d"]
        cluster.move_keys(slot, source, target)
        cluster.end_move(slot, source, target)

    async def test_signs_users_in_and_out(self, redis, clock):
        sessions = RedisSessions(redis, clock)
        user = User(id=a_user_id(), email="ada@example.org", name="Ada", roles=())
        tokens = [(await sessions.begin(user))[0] for _ in range(5)]

        assert all([await sessions.authenticate(token) for token in tokens])
        await sessions.end(tokens[0])
        assert await sessions.authenticate(tokens[0]) is None
        await sessions.end_all(user.id)
        assert not any([await sessions.authenticate(token) for token in tokens])


class TestACommandLog:
    async def test_reads_partitions_that_lie_on_different_servers(self, redis):
        log = CommandLog(redis, range(COMMAND_PARTITIONS))
        await log.prepare()
        for number in range(3 * COMMAND_PARTITIONS):
            stream = command_stream(number % COMMAND_PARTITIONS)
            await redis.xadd(stream, {COMMAND_FIELD: b"%d" % number})
        read = []

        async def everything_is_read():
            read.extend(await log.read(count=32, wait_ms=100))
            return len(read) >= 3 * COMMAND_PARTITIONS

        await until(everything_is_read)
        log.stop_reading()

        assert sorted(int(entry.payload) for entry in read) == list(range(3 * COMMAND_PARTITIONS))
        left = await log.left_behind(())
        assert {entry.place for entry in left} == {entry.place for entry in read}
        await log.finish(read)
        assert await log.left_behind(()) == []

    async def test_is_made_anew_after_everything_was_lost(self, redis, cluster):
        log = CommandLog(redis, range(COMMAND_PARTITIONS))
        await log.prepare()
        assert await log.read(count=1, wait_ms=1) == []
        cluster.flush()
        await redis.xadd(command_stream(5), {COMMAND_FIELD: b"after"})
        read = []

        async def is_read():
            read.extend(await log.read(count=32, wait_ms=100))
            return read

        await until(is_read)
        log.stop_reading()

        assert [entry.payload for entry in read] == [b"after"]


class TestTheRelay:
    async def test_publishes_on_every_server_in_order(
        self, relay, connection, database, redis, cluster
    ):
        topics, told = topics_of(cluster), {}
        for _ in range(3):
            await tell(database, topics, told)
            await relay.relay_batch(connection)

        assert await logs_of(redis, topics) == told
        assert await redis.exists(ACCESS_READY_KEY)

    async def test_tells_sharded_channels(self, relay, connection, database, cluster):
        topic = user_topic(a_user_id())
        master = cluster.master_of(topic_log(topic))
        await relay.relay_batch(connection)
        before = master.ask("PUBSUB", "SHARDNUMSUB", topic_live_channel(topic))

        await tell(database, [topic], {})
        await relay.relay_batch(connection)

        assert before[1] == 0
        assert b"cmdstat_spublish" in master.ask("INFO", "commandstats")

    async def test_goes_on_while_a_topics_slot_is_moving(
        self, relay, connection, database, redis, cluster
    ):
        topics, told = topics_of(cluster), {}
        await tell(database, topics, told)
        await relay.relay_batch(connection)
        key = topic_log(topics[0])
        slot, source = cluster.slot_of(key), cluster.master_of(key)
        target = cluster.another_master(source)
        running = asyncio.create_task(for_ever(relay.run, name="relay"))
        cluster.begin_move(slot, source, target)
        await tell(database, topics, told)
        cluster.move_keys(slot, source, target, count=1)
        await tell(database, topics, told)
        cluster.move_keys(slot, source, target)
        await tell(database, topics, told)
        cluster.end_move(slot, source, target)
        await tell(database, topics, told)

        async def everything_is_there():
            return await logs_of(redis, topics) == told

        await until(everything_is_there)
        running.cancel()

    async def test_gives_an_emptied_server_its_rights_anew_and_no_other_a_new_epoch(
        self, settings, database_settings, database, connection, redis, cluster
    ):
        topics, told = topics_of(cluster), {}

        async def rights(_tx):
            for topic in topics:
                yield topic, "*", "reader"

        async with open_publisher(settings) as publisher:
            relay = Relay(
                database_settings, database=database, publisher=publisher, access_sources=(rights,)
            )
            await tell(database, topics, told)
            await relay.relay_batch(connection)
            epochs = {topic: await redis.hget(topic_meta(topic), "epoch") for topic in topics}
            emptied = cluster.master_of(topic_log(topics[0]))
            emptied.ask("FLUSHALL", "SYNC")
            await tell(database, topics, told)
            await relay.relay_batch(connection)

        for topic in topics:
            same = await redis.hget(topic_meta(topic), "epoch") == epochs[topic]
            assert same == (cluster.master_of(topic_log(topic)) is not emptied)
            assert await redis.hgetall(topic_access(topic)) == {b"*": b"reader"}

    @pytest.mark.fault
    async def test_tells_a_replica_that_lagged_what_it_lacks_in_the_old_places(
        self, relay, database, redis, cluster
    ):
        topics, told = topics_of(cluster), {}
        master = cluster.master_of(topic_log(topics[0]))
        replica = cluster.replica_of(master)
        running = asyncio.create_task(for_ever(relay.run, name="relay"))

        async def everything_is_there():
            try:
                return await logs_of(redis, topics) == told
            except RedisError:
                return False

        await tell(database, topics, told)
        await until(everything_is_there)
        await in_thread(cluster.detach_replica, replica, master)
        for _ in range(3):
            await tell(database, topics, told)
        await until(everything_is_there)
        epochs = {topic: await redis.hget(topic_meta(topic), "epoch") for topic in topics}

        await in_thread(cluster.replace_master, master, replica)
        await tell(database, topics, told)

        await until(everything_is_there)
        running.cancel()
        assert epochs == {topic: await redis.hget(topic_meta(topic), "epoch") for topic in topics}
        cluster.bring_back(master)
