from functools import partial

import pytest
import trio

from loadtest.http_pool import HttpError, HttpPool, open_pool
from loadtest.people import NobodySignedInError, sign_in_everybody
from loadtest.rest import RestError, open_shop


class ScriptedServer:
    """Answers each request on a connection with the next bytes of a script; then hangs up."""

    def __init__(self, *connections):
        self.connections = list(connections)
        self.heard = []
        self.url = ""

    async def serve(self, stream):
        for answer in self.connections.pop(0):
            request = b""
            while b"\r\n\r\n" not in request:
                chunk = await stream.receive_some()
                if not chunk:
                    return
                request += chunk
            self.heard.append(request)
            await stream.send_all(answer)
        await stream.aclose()


@pytest.fixture
def start(nursery):
    async def start(*connections):
        server = ScriptedServer(*connections)
        listeners = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
        server.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        return server

    return start


def ok(body, *, headers=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


def refused(status, *, headers=""):
    return f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n{headers}\r\n".encode()


class TestAPool:
    async def test_uses_a_connection_again(self, start):
        server = await start([ok("one"), ok("two")])
        async with open_pool(server.url) as pool:
            first = await pool.request("GET", "/a", query={"q": "x y"})
            second = await pool.request("POST", "/b", body=b"{}")

        assert (first.body, second.body) == (b"one", b"two")
        assert server.heard[0].startswith(b"GET /a?q=x+y HTTP/1.1")
        assert server.connections == []

    async def test_reads_an_answer_in_chunks(self, start):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        server = await start([head + b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"])
        async with open_pool(server.url) as pool:
            answer = await pool.request("GET", "/")

        assert answer.body == b"onetwo"

    async def test_asks_again_when_a_kept_connection_was_closed(self, start):
        server = await start([ok("one")], [ok("two")])
        async with open_pool(server.url) as pool:
            await pool.request("GET", "/")
            answer = await pool.request("GET", "/")

        assert answer.body == b"two"

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"SSH-2.0\r\n\r\n", id="another protocol"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", id="half an answer"),
        ],
    )
    async def test_says_so_when_a_server_answers(self, start, answer):
        server = await start([answer])
        async with open_pool(server.url) as pool:
            with pytest.raises(HttpError):
                await pool.request("GET", "/")

    async def test_says_so_when_nobody_listens(self):
        async with open_pool("http://127.0.0.1:1") as pool:
            with pytest.raises(HttpError):
                await pool.request("GET", "/")

    def test_is_for_web_addresses_only(self):
        with pytest.raises(ValueError, match="web address"):
            HttpPool("ws://localhost")


class TestTheShop:
    async def test_tells_what_was_refused_and_when_to_come_back(self, start):
        server = await start([refused(429, headers="Retry-After: 7\r\n")])
        async with open_shop(server.url, recorder=None, now=trio.current_time) as shop:
            with pytest.raises(RestError) as error:
                await shop.products()

        assert (error.value.status, error.value.retry_after_seconds) == (429, 7.0)
        assert shop.counts().failures == {"GET /v1/products 429": 1}

    async def test_does_not_trust_what_it_reads(self, start):
        server = await start([ok("[]")])
        async with open_shop(server.url, recorder=None, now=trio.current_time) as shop:
            with pytest.raises(RestError, match="cannot be read"):
                await shop.products()


class TestSigningIn:
    async def sign_in(self, server, count):
        async with open_shop(server.url, recorder=None, now=trio.current_time) as shop:
            return await sign_in_everybody(shop, server.url, count, told=lambda _: None)

    async def test_takes_demo_users_where_there_are_any(self, start):
        server = await start([ok('{"token": "t"}')] * 2)

        assert await self.sign_in(server, 1) == ["t"]

    async def test_registers_users_elsewhere_and_keeps_their_tokens(
        self, start, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        server = await start([refused(404), ok('{"token": "mine"}'), refused(404), ok("{}")])

        first = await self.sign_in(server, 1)
        server.connections = [[refused(404), ok("{}")]]
        second = await self.sign_in(server, 1)

        assert first == second == ["mine"]
        assert server.heard[-1].startswith(b"GET /v1/me")
        assert [path.stat().st_mode & 0o777 for path in tmp_path.rglob("users-*")] == [0o600]

    async def test_gives_up_where_nobody_is_let_in(self, start, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        server = await start([refused(404), refused(403)])

        with pytest.raises(NobodySignedInError, match="403"):
            await self.sign_in(server, 1)
