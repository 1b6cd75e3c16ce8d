"""The pipelined connection to Redis."""

import pytest
import trio
import trio.testing

from gateway.streams.address import parse_address
from gateway.streams.link import Link, LinkDownError, LinkFullError, LinkReplyError
from gateway.streams.scripts import Script
from gateway.streams.wire import UNSENT_BYTES_MAX
from tests.gateway.waiting import wait_until


class TestCalls:
    async def test_are_answered(self, link):
        await link.call("SET", "name", "Rialto")

        assert await link.call("GET", "name") == b"Rialto"
        assert await link.call("GET", "nothing") is None
        assert await link.call("RPUSH", "list", 1, 2.5, b"\x00\xff") == 3
        assert await link.call("LRANGE", "list", 0, -1) == [b"1", b"2.5", b"\x00\xff"]

    async def test_from_a_hundred_tasks_each_get_their_own_answer(self, link):
        wrong = []

        async def ask(task):
            for turn in range(100):
                asked = f"{task}:{turn}".encode()
                if await link.call("ECHO", asked) != asked:
                    wrong.append(asked)

        async with trio.open_nursery() as nursery:
            for task in range(100):
                nursery.start_soon(ask, task)

        assert not wrong
        assert link.statistics().calls_count == 10_000
        assert link.statistics().waiting_count == 0

    async def test_are_sent_in_the_order_they_are_made(self, link):
        async with trio.open_nursery() as nursery:
            for number in range(500):
                nursery.start_soon(link.call, "RPUSH", "made", number)
                await trio.testing.wait_all_tasks_blocked(0)

        made = await link.call("LRANGE", "made", 0, -1)
        assert [int(number) for number in made] == list(range(500))

    async def test_canceled_in_their_middle_do_not_disturb_the_others(self, link):
        async def ask_and_give_up(number):
            with trio.move_on_after(number % 10 * 0.0002):
                await link.call("ECHO", f"given up {number}")

        wrong = []

        async def ask(number):
            if await link.call("ECHO", f"kept {number}") != f"kept {number}".encode():
                wrong.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(ask_and_give_up, number)
                nursery.start_soon(ask, number)

        assert not wrong
        assert await link.call("ECHO", "afterwards") == b"afterwards"

    async def test_that_hang_are_given_up_by_their_callers_scope(self, link, valkey_server):
        valkey_server.pause()
        try:
            with trio.move_on_after(0.1) as scope:
                await link.call("GET", "name")
        finally:
            valkey_server.resume()

        assert scope.cancelled_caught
        assert await link.call("ECHO", "next") == b"next"

    async def test_that_are_refused_fail_alone(self, link):
        await link.call("SET", "text", "not a number")
        outcomes = {}

        async def call(name, *words):
            try:
                outcomes[name] = await link.call(*words)
            except LinkReplyError as refusal:
                outcomes[name] = str(refusal)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(call, "before", "ECHO", "before")
            nursery.start_soon(call, "refused", "INCR", "text")
            nursery.start_soon(call, "after", "ECHO", "after")

        assert outcomes["before"] == b"before"
        assert outcomes["after"] == b"after"
        assert "not an integer" in outcomes["refused"]
        assert link.is_up
        assert link.statistics().refused_count == 1

    async def test_with_a_word_redis_cannot_hold_fail_before_they_are_sent(self, link):
        with pytest.raises(TypeError):
            await link.call("SET", "key", None)

        assert await link.call("ECHO", "next") == b"next"


class TestALostConnection:
    async def test_fails_what_waits_and_comes_back(self, link, operator):
        failures = []

        async def wait_for_nothing():
            try:
                await link.call("BLPOP", "nothing", 0)
            except LinkDownError as failure:
                failures.append(failure)

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(wait_for_nothing)
            await trio.testing.wait_all_tasks_blocked(0.01)
            client_id = await _client_id(operator, "rialto-gateway")
            await operator.call("CLIENT", "KILL", "ID", client_id)

        assert len(failures) == 10
        await wait_until(lambda: link.is_up)
        assert await link.call("ECHO", "again") == b"again"
        assert link.statistics().disconnects_count == 1

    @pytest.mark.fault
    async def test_is_dialed_again_when_redis_was_killed(self, link, valkey_server):
        await link.call("SET", "kept", "yes")

        valkey_server.kill()
        try:
            await wait_until(lambda: not link.is_up)
            with trio.fail_after(0.1), pytest.raises(LinkDownError):
                await link.call("GET", "kept")
        finally:
            valkey_server.start()

        await wait_until(lambda: link.is_up)
        assert await link.call("GET", "kept") == b"yes"

    @pytest.mark.fault
    async def test_is_noticed_when_redis_merely_stalls(self, link, valkey_server):
        valkey_server.pause()
        try:
            with trio.fail_after(8), pytest.raises(LinkDownError):
                await link.call("GET", "name")
            await wait_until(lambda: "stalled" in link.statistics().last_failure)
        finally:
            valkey_server.resume()

        await wait_until(lambda: link.is_up)
        assert await link.call("ECHO", "again") == b"again"


class TestALinkThatIsDown:
    async def test_starts_nevertheless_and_refuses_at_once(self, nursery, unused_address):
        link = Link(unused_address)

        await nursery.start(link.run)

        assert not link.is_up
        with trio.fail_after(0.1), pytest.raises(LinkDownError):
            await link.call("PING")
        assert link.statistics().failed_count == 1

    async def test_says_why_when_its_password_is_wrong(self, redis_url, nursery):
        url = redis_url.replace("redis://", "redis://nobody:wrongsecret@")
        link = Link(parse_address(url))

        await nursery.start(link.run)

        assert not link.is_up
        assert "WRONGPASS" in link.statistics().last_failure
        assert "wrongsecret" not in link.statistics().last_failure


class TestALinkWithAnAccount:
    async def test_signs_in_names_itself_and_chooses_its_database(
        self, redis_url, operator, nursery
    ):
        await operator.call("ACL", "SETUSER", "alice", "on", ">pass/word", "~*", "+@all")
        url = redis_url.replace("redis://", "redis://alice:pass%2Fword@").replace("/0", "/3")
        link = Link(parse_address(url), name="signed-in")

        await nursery.start(link.run)

        assert await link.call("ACL", "WHOAMI") == b"alice"
        assert await link.call("CLIENT", "GETNAME") == b"signed-in"
        await link.call("SET", "where", "here")
        assert await operator.call("EXISTS", "where") == 0
        await operator.call("ACL", "DELUSER", "alice")


class TestWhatWaitsForRedis:
    @pytest.mark.fault
    async def test_is_bounded_in_bytes(self, link, valkey_server):
        refused = 0

        async def push():
            nonlocal refused
            try:
                await link.call("SET", "large", bytes(1_000_000))
            except LinkFullError:
                refused += 1
            except LinkDownError:
                pass

        valkey_server.pause()
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(40):
                    nursery.start_soon(push)
                await trio.testing.wait_all_tasks_blocked(0.01)
                assert link.statistics().unsent_bytes <= UNSENT_BYTES_MAX
                nursery.cancel_scope.cancel()
        finally:
            valkey_server.resume()

        assert refused >= 40 - 30

    async def test_is_bounded_in_number(self, redis_url, nursery):
        link = Link(parse_address(redis_url), waiters_max=5)
        await nursery.start(link.run)
        async with trio.open_nursery() as waiting:
            for _ in range(5):
                waiting.start_soon(link.call, "BLPOP", "nothing", 0)
            await trio.testing.wait_all_tasks_blocked(0.01)

            with pytest.raises(LinkFullError):
                await link.call("PING")
            waiting.cancel_scope.cancel()


class TestAServerThatBreaksTheProtocol:
    @pytest.mark.parametrize("nonsense", [b"+unasked\r\n", b"!nonsense\r\n", b"?"])
    async def test_is_left_and_dialed_again(self, nursery, nonsense):
        dialed = []

        async def talk_nonsense(stream):
            dialed.append(stream)
            await stream.receive_some()
            await stream.send_all(b"+OK\r\n")
            await stream.send_all(nonsense)

        address = await _serve(nursery, talk_nonsense)
        link = Link(address)
        nursery.start_soon(link.run)

        await wait_until(lambda: len(dialed) > 2)

    async def test_and_closes_during_the_greeting_is_dialed_again(self, nursery):
        dialed = []

        async def hang_up(stream):
            dialed.append(stream)
            await stream.receive_some()

        address = await _serve(nursery, hang_up)
        link = Link(address)
        await nursery.start(link.run)

        await wait_until(lambda: len(dialed) > 2)
        assert not link.is_up


class TestAScript:
    async def test_runs_even_if_redis_has_forgotten_it(self, link, tmp_path):
        path = tmp_path / "count.lua"
        path.write_text("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        script = Script(path)

        first = await script.run(link, keys=["counter"], arguments=[2])
        await link.call("SCRIPT", "FLUSH")
        second = await script.run(link, keys=["counter"], arguments=[3])

        assert (first, second) == (2, 5)

    async def test_that_fails_says_so(self, link, tmp_path):
        path = tmp_path / "wrong.lua"
        path.write_text("return redis.call('INCR')")

        with pytest.raises(LinkReplyError):
            await Script(path).run(link, keys=[], arguments=[])


async def _client_id(operator, name):
    clients = (await operator.call("CLIENT", "LIST")).decode().splitlines()
    return next(
        client.split()[0].removeprefix("id=") for client in clients if f" name={name} " in client
    )


async def _serve(nursery, handler):
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, handler, [listener])
    port = listener.socket.getsockname()[1]
    return parse_address(f"redis://127.0.0.1:{port}/0")


@pytest.fixture
async def unused_address():
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    return parse_address(f"redis://127.0.0.1:{port}/0")
