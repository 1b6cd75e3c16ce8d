"""Presence and typing over a real Valkey and real time: what the fake must agree with."""

import pytest
import trio

from gateway.streams.opening import make_streams
from protocol.stream_names import GATEWAY_WORKERS_KEY, topic_presence
from tests.gateway.presence.cluster import ROOM, Worker, person
from tests.gateway.waiting import wait_until


async def start_real_worker(nursery, redis_url, name):
    link, channels = make_streams(redis_url, name=name)
    await nursery.start(link.run)
    await nursery.start(channels.run)
    worker = Worker(name, link, channels)
    await nursery.start(worker.run)
    await worker.tracker.open(ROOM)
    return worker


@pytest.fixture
async def here(nursery, redis_url):
    """A worker that hears the room."""
    return await start_real_worker(nursery, redis_url, "wrk_here")


@pytest.fixture
async def there(nursery, redis_url):
    """Another one."""
    return await start_real_worker(nursery, redis_url, "wrk_there")


class TestTwoWorkersOnValkey:
    async def test_know_each_others_users(self, here, there):
        here.enter("Ada")
        there.enter("Bob", visible=False)

        both = {"Ada": "online", "Bob": "away"}
        await wait_until(lambda: here.present() == there.present() == both, seconds=4)

        here.leave("Ada")
        await wait_until(lambda: there.present() == {"Bob": "away"}, seconds=4)

    async def test_leave_lists_and_heartbeats_that_run_out(self, here):
        here.enter("Ada")
        fields = []

        with trio.fail_after(4):
            while not fields:
                fields = await here.link.call("HGETALL", topic_presence(ROOM))
                await trio.sleep(0.01)

        assert fields[0] == b"wrk_here"
        assert 50 < await here.link.call("TTL", topic_presence(ROOM)) <= 60
        assert await here.link.call("ZRANGE", GATEWAY_WORKERS_KEY, 0, -1) == [b"wrk_here"]

    async def test_know_who_is_writing(self, here, there):
        here.board.set(ROOM, person("Ada"), on=True)
        await wait_until(lambda: there.writing() == ["Ada"], seconds=4)

        here.board.set(ROOM, person("Ada"), on=False)
        await wait_until(lambda: there.writing() == [], seconds=4)

    async def test_sweep_a_worker_long_silent(self, here):
        hour_ago = 1_000_000
        await here.link.call("ZADD", GATEWAY_WORKERS_KEY, hour_ago, "wrk_dead")

        with trio.fail_after(6):
            while await here.link.call("ZCARD", GATEWAY_WORKERS_KEY) != 1:  # noqa: ASYNC110  # Redis tells nobody
                await trio.sleep(0.01)

        assert await here.link.call("ZRANGE", GATEWAY_WORKERS_KEY, 0, -1) == [b"wrk_here"]

    @pytest.mark.fault
    async def test_agree_again_after_valkey_was_killed(self, here, there, valkey_server):
        here.enter("Ada")
        await wait_until(lambda: there.present() == {"Ada": "online"}, seconds=4)

        valkey_server.kill()
        try:
            await wait_until(lambda: not here.link.is_up)
            here.enter("Bob")
            there.enter("Eve")
        finally:
            valkey_server.start()

        everybody = dict.fromkeys(("Ada", "Bob", "Eve"), "online")
        await wait_until(lambda: here.present() == there.present() == everybody, seconds=10)
        await wait_until(lambda: here.told[-1][1] == there.told[-1][1], seconds=4)
