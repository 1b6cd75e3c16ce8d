"""Pub/sub over any number of reconnects."""

import random
from functools import partial

import pytest
import trio
import trio.testing

from gateway.streams.address import parse_address
from gateway.streams.channels import Channels, LinkDownError
from tests.gateway.waiting import wait_until


class TestAnAttachedChannel:
    async def test_is_heard_from_the_moment_attach_returns(self, channels, operator):
        heard = []

        await channels.attach("news", heard.append)
        await operator.call("PUBLISH", "news", b"first \x00")

        await wait_until(lambda: heard == [b"first \x00"])

    async def test_gives_its_messages_in_order_and_to_its_own_receiver(self, channels, operator):
        heard = {"a": [], "b": []}
        for name, messages in heard.items():
            await channels.attach(name, messages.append)

        for number in range(1000):
            await operator.call("PUBLISH", "a" if number % 2 else "b", number)

        await wait_until(lambda: len(heard["a"]) + len(heard["b"]) == 1000)
        assert heard["a"] == [b"%d" % number for number in range(1, 1000, 2)]
        assert heard["b"] == [b"%d" % number for number in range(0, 1000, 2)]

    async def test_is_not_heard_once_it_is_detached(self, channels, operator):
        heard = []
        await channels.attach("news", heard.append)

        await channels.detach("news")
        await operator.call("PUBLISH", "news", "late")
        await _round_trip(channels, operator)

        assert heard == []
        assert await _subscribers(operator, "news") == 0

    async def test_has_one_receiver_the_latest(self, channels, operator):
        first, second = [], []
        await channels.attach("news", first.append)

        await channels.attach("news", second.append)
        await operator.call("PUBLISH", "news", "hello")

        await wait_until(lambda: second == [b"hello"])
        assert first == []

    async def test_that_fails_to_receive_does_not_silence_the_others(self, channels, operator):
        def fail(_message):
            raise RuntimeError("a mistake")

        heard = []
        await channels.attach("broken", fail)
        await channels.attach("news", heard.append)

        await operator.call("PUBLISH", "broken", "x")
        await operator.call("PUBLISH", "news", "hello")

        await wait_until(lambda: heard == [b"hello"])
        assert channels.statistics().receiver_failures_count == 1


class TestAttachingAndDetachingAtOnce:
    async def test_the_last_call_wins(self, channels, operator):
        heard = []
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(channels.attach, "news", heard.append)
                nursery.start_soon(channels.detach, "news")

        await channels.attach("news", heard.append)
        await operator.call("PUBLISH", "news", "once")

        await wait_until(lambda: heard)
        await _round_trip(channels, operator)
        assert heard == [b"once"]

    async def test_an_attach_during_a_detach_is_heard(self, channels, operator):
        first, second = [], []
        await channels.attach("news", first.append)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(channels.detach, "news")
            await trio.testing.wait_all_tasks_blocked(0)
            nursery.start_soon(channels.attach, "news", second.append)
        await operator.call("PUBLISH", "news", "hello")

        await wait_until(lambda: second == [b"hello"])
        assert first == []

    async def test_in_any_order_ends_as_the_order_says(self, channels, operator):
        dice = random.Random(7)  # noqa: S311  # repeatable, not secret
        truth = {}

        def switch(name):
            attached = truth[name] = dice.random() < 0.5
            return (
                partial(channels.attach, name, _ignore)
                if attached
                else partial(channels.detach, name)
            )

        async with trio.open_nursery() as nursery:
            for _ in range(500):
                nursery.start_soon(switch(f"c{dice.randrange(5)}"))
                await trio.testing.wait_all_tasks_blocked(0)
        await _round_trip(channels, operator)

        for name, attached in truth.items():
            assert await _subscribers(operator, name) == int(attached)

    async def test_a_canceled_attach_leaves_nothing_attached(
        self, channels, operator, valkey_server
    ):
        valkey_server.pause()
        try:
            with trio.move_on_after(0.05) as scope:
                await channels.attach("news", _ignore)
        finally:
            valkey_server.resume()
        await _round_trip(channels, operator)

        assert scope.cancelled_caught
        assert await _subscribers(operator, "news") == 0


class TestALostConnection:
    async def test_is_replaced_and_everything_attached_again(self, channels, operator):
        heard = {name: [] for name in ("a", "b", "c")}
        for name, messages in heard.items():
            await channels.attach(name, messages.append)
        reconnected = []
        channels.on_reconnected = lambda: reconnected.append(channels.is_up)

        await operator.call("CLIENT", "KILL", "TYPE", "pubsub")
        await wait_until(lambda: reconnected)
        for name in heard:
            assert await operator.call("PUBLISH", name, "hello") == 1

        await wait_until(lambda: all(messages == [b"hello"] for messages in heard.values()))
        assert reconnected == [True]
        assert channels.connects_count == 2

    @pytest.mark.fault
    async def test_because_redis_was_killed_is_replaced(self, channels, valkey_server, operator):
        heard = []
        await channels.attach("news", heard.append)
        reconnected = []
        channels.on_reconnected = lambda: reconnected.append(True)

        valkey_server.kill()
        try:
            await wait_until(lambda: not channels.is_up)
            with trio.fail_after(0.1), pytest.raises(LinkDownError):
                await channels.attach("other", _ignore)
        finally:
            valkey_server.start()
        await wait_until(lambda: reconnected and operator.is_up)
        await operator.call("PUBLISH", "news", "hello")

        await wait_until(lambda: heard == [b"hello"])

    @pytest.mark.fault
    async def test_fails_every_attach_that_is_not_confirmed(self, channels, valkey_server):
        failed = []

        async def attach(name):
            try:
                await channels.attach(name, _ignore)
            except LinkDownError:
                failed.append(name)

        valkey_server.pause()
        try:
            with trio.fail_after(8):
                async with trio.open_nursery() as nursery:
                    for name in ("a", "a", "b", "c"):
                        nursery.start_soon(attach, name)
                    await trio.testing.wait_all_tasks_blocked(0.01)
                    await channels.detach("b")
        finally:
            valkey_server.resume()

        assert sorted(failed) == ["a", "a", "b", "c"]
        await wait_until(lambda: channels.is_up)
        assert channels.statistics().attached_count == 0


class TestChannelsThatAreDown:
    async def test_forget_what_is_detached_meanwhile(self, channels, operator, nursery):
        await channels.attach("news", _ignore)
        await channels.attach("other", _ignore)

        await operator.call("CLIENT", "KILL", "TYPE", "pubsub")
        await wait_until(lambda: not channels.is_up)
        await channels.detach("news")
        await wait_until(lambda: channels.is_up)
        await _round_trip(channels, operator)

        assert await _subscribers(operator, "news") == 0
        assert await _subscribers(operator, "other") == 1

    async def test_start_nevertheless(self, nursery):
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        await listener.aclose()
        channels = Channels(parse_address(f"redis://127.0.0.1:{port}"))

        await nursery.start(channels.run)

        assert not channels.is_up
        assert channels.statistics().last_failure


def _ignore(_message):
    pass


async def _round_trip(channels, operator):
    """Return when the channels have heard everything sent before."""
    heard = []
    await channels.attach("round-trip", heard.append)
    await operator.call("PUBLISH", "round-trip", "")
    await wait_until(lambda: heard)


async def _subscribers(operator, name):
    return (await operator.call("PUBSUB", "NUMSUB", name))[1]
