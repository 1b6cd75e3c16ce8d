"""Calls and channels on a cluster whose slots move and whose masters die."""

import functools

import pytest
import trio

from gateway.streams import topic_log
from gateway.streams.address import ClusterAddress, MalformedAddressError, parse_streams_address
from gateway.streams.link import LinkDownError, LinkReplyError
from gateway.streams.opening import make_streams
from gateway.streams.slots import slot_of, slot_of_call
from protocol.stream_names import GATEWAY_WORKERS_KEY, topic_meta
from tests.gateway.builders import a_product
from tests.gateway.waiting import wait_until

pytestmark = pytest.mark.timeout(90)
KEYS = [f"key-{number}" for number in range(40)]


@pytest.fixture
def cluster(valkey_cluster):
    valkey_cluster.flush()
    return valkey_cluster


@pytest.fixture
async def streams(cluster, nursery):
    """A link and channels that are up."""
    link, channels = make_streams(cluster.url)
    await nursery.start(link.run)
    await nursery.start(channels.run)
    return link, channels


@pytest.fixture
def link(streams):
    return streams[0]


@pytest.fixture
def channels(streams):
    return streams[1]


def in_thread(work, *args, **options):
    return trio.to_thread.run_sync(functools.partial(work, *args, **options))


async def until_answered(link, *words):
    """Call until it is answered, as a client does that is told `unavailable`."""
    with trio.fail_after(30):
        while True:
            try:
                return await link.call(*words)
            except LinkDownError:
                await trio.sleep(0.05)


class TestASlot:
    def test_is_that_of_the_part_in_braces(self, cluster):
        for key in ("foo", "{user}.x", "foo{}{bar}", "foo{{bar}}zap", "a{b}{c}", "{", "", "é{ß}"):
            assert slot_of(key.encode()) == cluster.slot_of(key)

    def test_of_a_call_is_that_of_its_first_key(self):
        assert slot_of_call(("GET", "foo")) == slot_of(b"foo")
        assert slot_of_call(("EVALSHA", "digest", 2, b"foo", "{foo}")) == slot_of(b"foo")
        assert slot_of_call(("PING",)) is None
        assert slot_of_call(("EVAL", "return 1", 0, "argument")) is None


class TestTheAddressOfACluster:
    def test_names_some_nodes_and_one_way_to_sign_in(self):
        found = parse_streams_address("rediss+cluster://ada:p%40ss@one:7001,two")

        assert isinstance(found, ClusterAddress)
        assert [(seed.host, seed.port) for seed in found.seeds] == [("one", 7001), ("two", 6379)]
        assert {(seed.user, seed.password, seed.tls) for seed in found.seeds} == {
            ("ada", "p@ss", True)
        }

    @pytest.mark.parametrize(
        "url", ["redis+cluster://", "redis+cluster://a,,b", "redis+cluster://a/1", "x+cluster://a"]
    )
    def test_is_refused_when_malformed(self, url):
        with pytest.raises(MalformedAddressError):
            parse_streams_address(url)


class TestACall:
    async def test_goes_to_the_master_that_has_its_key(self, link, cluster):
        for key in KEYS:
            await link.call("SET", key, key)

        assert [await link.call("GET", key) for key in KEYS] == [key.encode() for key in KEYS]
        for node in cluster.masters():
            assert 0 < node.ask("DBSIZE") < len(KEYS)

    async def test_that_is_refused_says_so(self, link):
        await link.call("SET", "text", "not a number")

        with pytest.raises(LinkReplyError, match="not an integer"):
            await link.call("INCR", "text")

    async def test_follows_a_slot_that_has_moved(self, link, cluster):
        await link.call("SET", "wanderer", "here")

        await in_thread(cluster.move_slot, "wanderer")

        assert await link.call("GET", "wanderer") == b"here"
        assert await link.call("SET", "wanderer", "there") == b"OK"

    async def test_finds_a_key_wherever_it_is_while_its_slot_is_moving(self, link, cluster):
        slot, source = cluster.slot_of("{s}a"), cluster.master_of("{s}a")
        target = cluster.another_master(source)
        for name in "abcd":
            await link.call("SET", f"{{s}}{name}", name)
        cluster.begin_move(slot, source, target)
        moved = cluster.move_keys(slot, source, target, count=2)

        found = [await link.call("GET", f"{{s}}{name}") for name in "abcd"]
        await link.call("SET", "{s}new", "new")

        assert len(moved) == 2
        assert found == [b"a", b"b", b"c", b"d"]
        cluster.move_keys(slot, source, target)
        cluster.end_move(slot, source, target)
        assert await link.call("GET", "{s}new") == b"new"

    async def test_of_keys_that_are_torn_apart_waits_until_they_are_together(
        self, link, cluster, nursery
    ):
        topic = a_product()
        before = await topic_log.head(link, topic)
        key = topic_meta(topic)
        await link.call("XADD", f"topic:{{{topic}}}:log", "1-0", "entry", "x")
        slot, source = cluster.slot_of(key), cluster.master_of(key)
        target = cluster.another_master(source)
        cluster.begin_move(slot, source, target)
        cluster.move_keys(slot, source, target, count=1)

        async def finish():
            await trio.sleep(0.2)
            await in_thread(cluster.move_keys, slot, source, target)
            await in_thread(cluster.end_move, slot, source, target)

        nursery.start_soon(finish)
        with trio.fail_after(20):
            after = await topic_log.head(link, topic)

        assert after == before

    @pytest.mark.fault
    async def test_is_refused_when_its_master_dies_until_the_replica_has_its_place(
        self, link, cluster
    ):
        await link.call("SET", "survivor", "alive")
        master = cluster.master_of("survivor")
        replica = cluster.replica_of(master)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(in_thread, cluster.replace_master, master, replica)
            await wait_until(lambda: not link.is_up, seconds=20)
            with pytest.raises(LinkDownError):
                await link.call("GET", "survivor")
            assert await until_answered(link, "GET", "survivor") == b"alive"
        await wait_until(lambda: link.is_up, seconds=20)
        cluster.bring_back(master)


class TestAChannel:
    async def test_on_any_node_is_heard(self, link, channels):
        heard = {name: [] for name in KEYS}
        for name, messages in heard.items():
            await channels.attach(name, messages.append)

        for name in KEYS:
            assert await link.call("SPUBLISH", name, name) == 1

        await wait_until(lambda: all(heard.values()))
        assert heard == {name: [name.encode()] for name in KEYS}

    async def test_that_is_detached_is_heard_no_more(self, link, channels):
        heard = []
        await channels.attach("news", heard.append)

        await channels.detach("news")

        await wait_until(lambda: channels.statistics().attached_count == 0)
        assert await link.call("SPUBLISH", "news", "late") == 0
        assert heard == []

    async def test_follows_its_slot_and_says_that_messages_may_be_missing(
        self, link, channels, cluster
    ):
        heard, reconnected = [], []
        await channels.attach("{move}news", heard.append)
        await channels.attach("{stay}news", heard.append)
        channels.on_reconnected = lambda: reconnected.append(True)
        before = channels.connects_count

        await in_thread(cluster.move_slot, "{move}news")
        await wait_until(lambda: reconnected and channels.is_up, seconds=20)
        assert await link.call("SPUBLISH", "{move}news", "moved") == 1
        assert await link.call("SPUBLISH", "{stay}news", "stayed") == 1

        await wait_until(lambda: len(heard) == 2)
        assert sorted(heard) == [b"moved", b"stayed"]
        assert channels.connects_count > before

    @pytest.mark.fault
    async def test_is_heard_from_the_replica_that_took_its_masters_place(
        self, link, channels, cluster
    ):
        heard, reconnected = [], []
        await channels.attach("news", heard.append)
        channels.on_reconnected = lambda: reconnected.append(True)
        master = cluster.master_of("news")
        replica = cluster.replica_of(master)

        await in_thread(cluster.replace_master, master, replica)
        await wait_until(lambda: reconnected and channels.is_up, seconds=20)
        assert await until_answered(link, "SPUBLISH", "news", "hello") == 1

        await wait_until(lambda: heard == [b"hello"])
        cluster.bring_back(master)

    async def test_on_a_cluster_that_cannot_be_reached_is_refused(self, nursery):
        link, channels = make_streams("redis+cluster://127.0.0.1:1")
        nursery.start_soon(link.run)
        nursery.start_soon(channels.run)
        await trio.sleep(0.05)

        with pytest.raises(LinkDownError):
            await channels.attach("news", lambda _message: None)
        with trio.fail_after(10), pytest.raises(LinkDownError):
            await link.call("GET", GATEWAY_WORKERS_KEY)
        assert not link.is_up
        assert not channels.is_up
