"""The way in and the way out: HTTP before the upgrade, draining, the program itself."""

import signal
import socket
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from deploy.engines.ports import free_port
from gateway.connections.addresses import Addresses
from gateway.drain import window_ms
from gateway.errors import PortTakenError
from gateway.limits import (
    DRAIN_WINDOW_MS_MAX,
    DRAIN_WINDOW_MS_MIN,
    HANDSHAKES_PENDING_PER_ADDRESS_MAX,
    HANDSHAKES_PER_ADDRESS_BURST,
)
from gateway.listener import Listener, open_listening_socket
from protocol.server_frames import Pong, Reconnect, Welcome
from shared.environment import process_variables
from tests.gateway.connections.talker import REQUEST

ROOT = Path(__file__).parents[3]


async def status_of(worker, *, origin="http://localhost:8300"):
    """Ask for an upgrade by hand; return the status and the headers."""
    with trio.fail_after(10):
        async with await trio.open_tcp_stream("127.0.0.1", worker.port) as stream:
            request = REQUEST.format(path="/ws", more=f"Origin: {origin}\r\n")
            await stream.send_all(request.encode())
            answer = b""
            async for part in stream:
                answer += part
    first, *headers = answer.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    return int(first.split()[1]), dict(header.split(b": ") for header in headers)


async def look(worker, path):
    """What the operator sees."""
    url = worker.listening.operator.replace("0.0.0.0", "127.0.0.1") + path  # noqa: S104
    async with httpx.AsyncClient(trust_env=False) as operator:
        return await operator.get(url)


class TestTheDoor:
    async def test_lets_an_allowed_origin_in(self, worker):
        async with worker.connect(origin="http://localhost:8300") as client:
            assert isinstance(await client.hello(), Welcome)

    async def test_keeps_another_origin_out_before_the_upgrade(self, worker):
        assert (await status_of(worker, origin="https://evil.example"))[0] == 403

    async def test_answers_503_when_it_is_full(self, start_worker):
        worker = await start_worker(connections_max=1)
        async with worker.connect() as client:
            await client.hello()
            status, headers = await status_of(worker)

        assert status == 503
        assert int(headers[b"retry-after"]) > 0

    async def test_lets_the_next_one_in_when_somebody_has_left(self, start_worker):
        worker = await start_worker(connections_max=1)
        for _ in range(3):
            async with worker.connect() as client:
                assert isinstance(await client.hello(), Welcome)
            with trio.fail_after(5):
                while await sockets_count(worker) > 0:  # noqa: ASYNC110 - over HTTP
                    await trio.sleep(0.01)

    async def test_is_shared_by_workers_on_one_port(self, start_worker):
        port = free_port()
        for _ in range(2):
            worker = await start_worker(port=port)
        async with worker.connect() as client:
            assert isinstance(await client.hello(), Welcome)

    def test_of_another_program_is_not_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(PortTakenError):
                open_listening_socket("127.0.0.1", taken.getsockname()[1])


async def sockets_count(worker):
    text = (await look(worker, "/metrics")).text
    return next(
        float(line.split()[1])
        for line in text.splitlines()
        if line.startswith("rialto_gateway_sockets ")
    )


@asynccontextmanager
async def a_door(serve, **limits):
    """A listener for which this machine counts like any other."""
    listening = open_listening_socket("127.0.0.1", 0)
    addresses = Addresses(spares_loopback=False, **limits)
    async with trio.open_nursery() as nursery:
        listener = Listener(listening, serve=serve, connections_max=10_000, addresses=addresses)
        await nursery.start(listener.run)
        yield listening.getsockname()[1]
        nursery.cancel_scope.cancel()


async def answer_at(port):
    """What is answered at once to somebody who says nothing; b"" if that is nothing."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        with trio.fail_after(20):
            return await stream.receive_some()


class TestAnAddressThatComesTooOften:
    async def test_is_told_to_come_later(self):
        async def serve(line, settle):
            settle()
            line.close(abort=False)
            await trio.lowlevel.checkpoint()

        async with a_door(serve, per_second=0.001) as port:
            answers = [await answer_at(port) for _ in range(HANDSHAKES_PER_ADDRESS_BURST + 1)]

        assert set(answers[:-1]) == {b""}
        assert answers[-1].startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 3\r\n" in answers[-1]

    async def test_and_finishes_no_handshake_leaves_the_door_open_to_others(self):
        async def serve(line, _settle):
            try:
                await trio.sleep_forever()
            finally:
                line.close(abort=True)

        async with a_door(serve) as port, AsyncExitStack() as slow:
            for _ in range(HANDSHAKES_PENDING_PER_ADDRESS_MAX):
                stream = await trio.open_tcp_stream("127.0.0.1", port)
                await slow.enter_async_context(stream)

            assert (await answer_at(port)).startswith(b"HTTP/1.1 429 ")


class TestTheOperatorsPort:
    async def test_says_that_the_worker_lives_and_is_ready(self, worker):
        assert (await look(worker, "/livez")).status_code == 200
        assert (await look(worker, "/readyz")).status_code == 200

    async def test_counts(self, worker):
        async with worker.connect() as client:
            await client.hello()
            text = (await look(worker, "/metrics")).text

        assert "rialto_gateway_connections 1.0" in text
        assert "rialto_gateway_link_up 1.0" in text

    async def test_says_that_it_is_not_ready_without_redis(self, start_worker):
        worker = await start_worker(url=f"redis://127.0.0.1:{free_port()}/0")

        answer = await look(worker, "/readyz")

        assert (answer.status_code, answer.text) == (503, "Redis cannot be reached\n")


class TestDraining:
    async def test_tells_everybody_then_closes_resumably(self, worker):
        async with worker.connect() as polite, worker.connect() as stubborn:
            await polite.hello()
            await stubborn.hello()
            worker.stop.set()
            told = await polite.receive()
            await stubborn.receive()
            ready = await look(worker, "/readyz")
            pong = await stubborn.ping()
            await polite.socket.aclose()

            assert isinstance(told, Reconnect)
            assert DRAIN_WINDOW_MS_MIN <= told.within_ms <= DRAIN_WINDOW_MS_MAX
            assert (ready.status_code, ready.text) == (503, "draining\n")
            assert isinstance(pong, Pong)
            assert await stubborn.wait_closed() == 4001

    async def test_tells_whoever_comes_to_come_back_before_the_upgrade(self, worker):
        async with worker.connect() as client:
            await client.hello()
            worker.stop.set()
            await client.receive()

            answers = [await status_of(worker) for _ in range(3)]
            pong = await client.ping()

        assert [status for status, _ in answers] == [503] * 3
        assert all(int(headers[b"retry-after"]) > 0 for _, headers in answers)
        assert isinstance(pong, Pong)

    def test_gives_many_clients_more_time_but_not_for_ever(self):
        assert window_ms(1) < window_ms(5_000) < window_ms(100_000) == DRAIN_WINDOW_MS_MAX


def run_gateway(**variables):
    return subprocess.Popen(
        [sys.executable, "-m", "gateway"],
        cwd=ROOT,
        env={**process_variables(), "RIALTO_PROFILE": "dev", **variables},
        stderr=subprocess.PIPE,
        text=True,
    )


class TestTheProgram:
    def test_names_every_setting_that_is_wrong_before_any_port_opens(self):
        program = run_gateway(
            RIALTO_PROFILE="prod",
            RIALTO_GATEWAY_OPERATOR_PORT="many",
            RIALTO_ALLOWED_ORIGINS="*",
        )
        _, told = program.communicate(timeout=30)

        assert program.returncode == 2
        for name in (
            "GATEWAY_OPERATOR_PORT",
            "TICKET_VERIFYING_KEYS",
            "REDIS_URL",
            "ALLOWED_ORIGINS",
        ):
            assert f"RIALTO_{name}" in told

    def test_ends_with_2_when_its_port_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            program = run_gateway(RIALTO_GATEWAY_PORT=str(taken.getsockname()[1]))
            _, told = program.communicate(timeout=30)

        assert program.returncode == 2
        assert "cannot listen" in told

    def test_stops_in_order_when_it_is_told_to(self, valkey_server):
        program = run_gateway(
            RIALTO_REDIS_URL=valkey_server.engine.url(),
            RIALTO_GATEWAY_PORT="0",
            RIALTO_GATEWAY_OPERATOR_PORT="0",
        )
        told = ""
        while "gateway.ready" not in told:
            told = program.stderr.readline()
            assert told
        program.send_signal(signal.SIGTERM)
        _, rest = program.communicate(timeout=30)

        assert program.returncode == 0
        assert "drain.ended" in rest
