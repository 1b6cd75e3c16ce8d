"""What Redis may do to a live topic: each time every event arrives, or `gap` is told."""

import functools
import os
import shutil

import pytest
import trio

from deploy.engines.ports import free_port
from deploy.engines.running import running
from deploy.engines.valkey import Valkey
from gateway.streams.opening import make_streams
from protocol.server_frames import EventFrame, Gap, Replayed
from protocol.stream_names import topic_live_channel, topic_log, topic_meta
from protocol.topics import Position
from tests.gateway.builders import a_message, a_product, mint
from tests.gateway.live.publisher import Publisher, entry_of
from tests.gateway.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(60)]

MANY = """
for index = 2, #ARGV do
  local offset = redis.call('HINCRBY', KEYS[2], 'offset', 1)
  redis.call('XADD', KEYS[1], offset .. '-0', 'entry', ARGV[index])
  local at = redis.call('HGET', KEYS[2], 'epoch') .. ' ' .. offset .. ' '
  redis.call('PUBLISH', ARGV[1], at .. ARGV[index])
end
"""


class Shop:
    """A gateway worker, commerce's side, and a Redis that only this test hurts."""

    def __init__(self, server, worker, link):
        self.server = server
        self.worker = worker
        self.link = link
        self.commerce = Publisher(link)
        self.topic = a_product()
        self.told = []

    async def tell(self, count):
        """Publish new events."""
        for _ in range(count):
            event, event_id = a_message(str(len(self.told))), mint("evt")
            self.told.append((event, event_id))
            await self.commerce.publish(self.topic, event, event_id=event_id)

    async def tell_again(self, events):
        """Publish events a second time, as the relay does to a Redis that lost them."""
        for event, event_id in events:
            await self.commerce.publish(self.topic, event, event_id=event_id)

    async def come_back(self, swap):
        """Kill Redis, change its files, and start it; return when the gateway is back, too."""
        self.server.kill()
        await wait_until(lambda: not self.link.is_up)
        swap(self.server.engine.folder)
        self.server.start()
        await wait_until(lambda: self.link.is_up, seconds=20)
        with trio.fail_after(20):
            while await self.gateway_connections_count() < 2:  # noqa: ASYNC110 - it rings no bell
                await trio.sleep(0.02)

    async def gateway_connections_count(self):
        return (await self.link.call("CLIENT", "LIST")).count(b"name=rialto-gateway")

    async def tell_at_once(self, count, characters):
        """Publish large events in one step, so that all of them wait for the channel at once."""
        entries = [entry_of(a_message("x" * characters)) for _ in range(count)]
        keys = (topic_log(self.topic), topic_meta(self.topic))
        channel = topic_live_channel(self.topic)
        await self.link.call("EVAL", MANY, 2, *keys, channel, *entries)


@pytest.fixture
def server(tmp_path):
    engine = Valkey(folder=tmp_path / "valkey", port=free_port(), tuning="fast")
    with running(engine, log=tmp_path / "valkey.log") as running_server:
        yield running_server


@pytest.fixture
async def shop(server, start_worker_on, nursery):
    worker = await start_worker_on(server.engine.url())
    link, _ = make_streams(server.engine.url(), name="test")
    await nursery.start(link.run)
    return Shop(server, worker, link)


def offsets(frames):
    assert all(isinstance(frame, EventFrame) for frame in frames), frames
    return [frame.offset for frame in frames]


class OlderData:
    """Ways to get a Redis whose data are those of a moment ago; each returns what to do then."""

    async def cut_file(self, shop, _tmp_path):
        """The append-only file loses its tail."""
        await trio.lowlevel.checkpoint()
        (file,) = shop.server.engine.folder.glob("appendonlydir/*.incr.aof")
        size = file.stat().st_size
        return lambda _folder: os.truncate(file, size)

    async def lagging_replica(self, shop, tmp_path):
        """A replica that hears nothing from now on takes the place."""
        replica = Valkey(folder=tmp_path / "replica", port=free_port(), tuning="fast")
        await shop.link.call("CONFIG", "SET", "repl-diskless-sync-delay", 0)
        with running(replica, log=tmp_path / "replica.log"):
            link, _ = make_streams(replica.url(), name="replica")
            async with trio.open_nursery() as nursery:
                await nursery.start(link.run)
                await link.call("REPLICAOF", "127.0.0.1", shop.server.engine.port)
                with trio.fail_after(20):
                    while not await self.has_everything(link, shop.link):  # noqa: ASYNC110
                        await trio.sleep(0.02)
                await link.call("REPLICAOF", "NO", "ONE")
                nursery.cancel_scope.cancel()
        return functools.partial(take_the_place, replica.folder)

    async def has_everything(self, replica, master):
        offset = (await master.call("ROLE"))[1]
        _, _, _, state, received = await replica.call("ROLE")
        return state == b"connected" and received >= offset


def take_the_place(folder, place):
    shutil.rmtree(place)
    shutil.move(folder, place)


@pytest.fixture(params=["cut_file", "lagging_replica"])
def older_data(request, tmp_path):
    """Remembers the data as they are now; returns how Redis comes back with them."""

    async def make(shop):
        return await getattr(OlderData(), request.param)(shop, tmp_path)

    return make


class TestARedisWithOlderData:
    async def test_that_is_told_again_what_it_lost_doubles_and_misses_nothing(
        self, shop, older_data
    ):
        async with shop.worker.connect() as client:
            await client.hello()
            await client.subscribe(shop.topic)
            await shop.tell(5)
            swap = await older_data(shop)
            await shop.tell(3)
            before = await client.receive_many(8)
            await shop.come_back(swap)

            await shop.tell_again(shop.told[5:])
            await shop.tell(2)
            after = await client.receive_many(2)

        assert offsets(before) == list(range(1, 9))
        assert offsets(after) == [9, 10]

    async def test_that_gives_the_places_of_lost_events_to_others_is_a_gap(self, shop, older_data):
        async with shop.worker.connect() as client:
            await client.hello()
            await client.subscribe(shop.topic)
            await shop.tell(5)
            swap = await older_data(shop)
            await shop.tell(3)
            await client.receive_many(8)
            await shop.come_back(swap)

            await shop.tell(2)
            gap, *after = await client.receive_many(3)

        assert isinstance(gap, Gap)
        assert (gap.reason, gap.position.offset) == ("lost", 5)
        assert offsets(after) == [6, 7]

    async def test_has_no_past_for_a_client_that_knows_more(
        self, shop, older_data, start_worker_on
    ):
        async with shop.worker.connect() as client:
            await client.hello()
            epoch = (await client.subscribe(shop.topic)).position.epoch
            await shop.tell(5)
            swap = await older_data(shop)
            await shop.tell(3)
            await client.receive_many(8)
        await shop.come_back(swap)
        await shop.tell_again(shop.told[5:7])
        other = await start_worker_on(shop.server.engine.url())

        async with other.connect() as client:
            await client.hello()
            await client.subscribe(shop.topic, Position(epoch, 8))
            gap = await client.receive()

        assert isinstance(gap, Gap)
        assert gap.reason == "lost"


class TestARedisThatIsFlushed:
    async def test_is_a_gap_with_the_next_event_though_no_connection_was_lost(self, shop):
        async with shop.worker.connect() as client:
            await client.hello()
            await client.subscribe(shop.topic)
            await shop.tell(3)
            await client.receive_many(3)

            await shop.link.call("FLUSHALL", "SYNC")
            await shop.tell(1)
            gap = await client.receive()
            await shop.tell(1)
            event = await client.receive()

        assert isinstance(gap, Gap)
        assert (gap.reason, gap.position.offset) == ("epoch", 1)
        assert offsets([event]) == [2]


class TestALogThatIsTrimmed:
    async def test_behind_what_was_missed_is_a_gap(self, shop):
        async with shop.worker.connect() as client:
            await client.hello()
            await client.subscribe(shop.topic)
            await shop.tell(1)
            await client.receive()
            for _ in range(5):
                await shop.commerce.publish(shop.topic, a_message(), silently=True)
            await shop.commerce.trim(shop.topic, 2)

            await shop.link.call("CLIENT", "KILL", "TYPE", "pubsub")
            gap = await client.receive()

        assert isinstance(gap, Gap)
        assert (gap.reason, gap.position.offset) == ("trimmed", 6)


class TestAConnectionThatRedisEndsBecauseTooMuchWaitsOnIt:
    async def test_is_made_anew_and_what_it_missed_is_read_from_the_log(self, shop):
        limit = ("CONFIG", "SET", "client-output-buffer-limit")
        async with shop.worker.connect("msgpack") as client:
            await client.hello()
            await client.subscribe(shop.topic)
            await shop.tell(1)
            await shop.link.call(*limit, "pubsub 32768 32768 0")
            await shop.tell_at_once(20, 4_000)
            ended = await shop.link.call("INFO", "stats")
            await shop.link.call(*limit, "pubsub 0 0 0")
            await shop.tell(1)
            told = await client.receive_many(22)

        assert b"client_output_buffer_limit_disconnections:0" not in ended
        assert offsets(told) == list(range(1, 23))

    async def test_does_not_end_a_resume_meanwhile(self, shop):
        async with shop.worker.connect() as client:
            await client.hello()
            epoch = (await client.subscribe(shop.topic)).position.epoch
            await shop.tell(3)
            await client.receive_many(3)
            await shop.link.call("CLIENT", "KILL", "TYPE", "pubsub")
            await client.resume({shop.topic: Position(epoch, 1)})
            first, second, replayed = await client.receive_many(3)

        assert offsets([first, second]) == [2, 3]
        assert isinstance(replayed, Replayed)
