"""Clients that stop or drip, and a worker that is told to stop: others notice nothing."""

import math
import random
import signal
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed, HandshakeError, wrap_client_stream

from deploy.engines.ports import free_port
from protocol.client_frames import Hello
from protocol.codec import decode_server_frame, encode_frame
from protocol.server_frames import EventFrame, Gap, Pong, Reconnect
from protocol.topics import Position
from shared.environment import process_variables
from tests.gateway.builders import a_message, a_product, a_ticket, a_user_id
from tests.gateway.connections.frames import close_codes, split
from tests.gateway.connections.talker import REQUEST
from tests.gateway.live.client import Client

pytestmark = pytest.mark.timeout(150)
ROOT = Path(__file__).parents[3]
READS = """
import socket, sys
port, request, hello = int(sys.argv[1]), sys.argv[2].encode(), bytes.fromhex(sys.argv[3])
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
client.connect(("127.0.0.1", port))
client.sendall(request)
assert b" 101 " in client.recv(1000)
client.sendall(hello)
while received := client.recv(65536):
    sys.stdout.buffer.write(received)
    sys.stdout.buffer.flush()
"""


def hello_bytes(topic):
    hello = Hello(id=1, ticket=a_ticket(), device="device-1", positions={topic: Position("x", 0)})
    payload = encode_frame(hello, "json")
    head = bytes((0x81, 0xFE)) + len(payload).to_bytes(2, "big") + b"\0\0\0\0"
    return head + payload


class TestAClientWhoseProcessIsPaused:
    async def test_costs_the_others_nothing_and_is_closed_resumably(self, worker, commerce):
        topic, count, text = a_product(), 500, "x" * 4000
        paused = start_reader(worker.port, topic)
        try:
            stream = await trio.to_thread.run_sync(read_until, paused, b'"gap"')
            paused.send_signal(signal.SIGSTOP)
            async with worker.connect("msgpack") as reader:
                await reader.hello()
                await reader.subscribe(topic)
                for number in range(count):
                    await commerce.publish(topic, a_message(text))
                    assert (await reader.receive()).offset == number + 1
            paused.send_signal(signal.SIGCONT)
            stream += await trio.to_thread.run_sync(paused.stdout.read)
        finally:
            end(paused)

        frames, rest = split(stream)
        assert close_codes(stream) == [4008]
        assert rest == b""
        told = [decode_server_frame(payload, "json") for opcode, payload in frames if opcode == 1]
        offsets = [frame.offset for frame in told if isinstance(frame, EventFrame)]
        assert offsets == list(range(1, len(offsets) + 1))
        assert len(offsets) < count


def start_reader(port, topic):
    """A process that says hello and copies whatever it hears."""
    request = REQUEST.format(path="/ws", more="")
    return subprocess.Popen(
        [sys.executable, "-c", READS, str(port), request, hello_bytes(topic).hex()],
        stdout=subprocess.PIPE,
    )


def read_until(process, wanted):
    stream = b""
    while wanted not in stream:
        received = process.stdout.read1(65536)
        assert received
        stream += received
    return stream


class TestClientsThatDripTheirRequests:
    async def test_keep_nobody_waiting(self, worker, nursery):
        async with AsyncExitStack() as slow:
            for _ in range(100):
                stream = await trio.open_tcp_stream("127.0.0.1", worker.port)
                await slow.enter_async_context(stream)
                nursery.start_soon(drip, stream)
            for _ in range(5):
                async with worker.connect() as client:
                    await client.hello()
                    assert isinstance(await client.ping(), Pong)
            nursery.cancel_scope.cancel()


async def drip(stream):
    try:
        for letter in REQUEST.format(path="/ws", more="X-Slow: loris\r\n" * 100).encode():
            await stream.send_all(bytes((letter,)))
            await trio.sleep(0.05)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


@asynccontextmanager
async def visiting(port):
    """A client that leaves nothing behind, however it is refused."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    try:
        async with trio.open_nursery() as nursery:
            with trio.fail_after(5):  # the library does not notice an end before the upgrade
                socket = await wrap_client_stream(
                    nursery,
                    stream,
                    f"127.0.0.1:{port}",
                    "/ws",
                    subprotocols=["rialto.v1.json"],
                    message_queue_size=math.inf,
                )
            yield Client(socket)
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)


class Follower:
    """A client that comes back as it is told, and remembers everything it heard of a topic."""

    def __init__(self, port, topic, dice):
        self.port, self.topic, self.dice = port, topic, dice
        self.user, self.session, self.position = a_user_id(), None, None
        self.offsets, self.gaps, self.visits = [], 0, 0

    async def run(self):
        while True:
            try:
                await self._visit()
            except* (OSError, HandshakeError, ConnectionClosed, trio.TooSlowError):
                await trio.sleep(self.dice.uniform(0.05, 0.2))

    async def _visit(self):
        async with visiting(self.port) as client:
            given = {} if self.position is None else {self.topic: self.position}
            welcome = await client.hello(self.user, session=self.session, positions=given)
            self.session = welcome.session
            if self.position is None:
                self.position = (await client.subscribe(self.topic)).position
            self.visits += 1
            with trio.CancelScope() as staying:
                while True:
                    self._note(await client.receive(), staying)

    def _note(self, frame, staying):
        match frame:
            case EventFrame(topic=self.topic):
                self.offsets.append(frame.offset)
                self.position = Position(self.position.epoch, frame.offset)
            case Gap():
                self.gaps += 1
            case Reconnect():
                pause = self.dice.uniform(0, frame.within_ms / 1000)
                staying.deadline = trio.current_time() + pause


def start_gateway(redis_url, port):
    """A gateway of the dev profile; what it logs is in its stderr."""
    variables = {
        "RIALTO_PROFILE": "dev",
        "RIALTO_REDIS_URL": redis_url,
        "RIALTO_GATEWAY_PORT": str(port),
        "RIALTO_GATEWAY_OPERATOR_PORT": "0",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "gateway"],
        cwd=ROOT,
        env=process_variables() | variables,
        stderr=subprocess.PIPE,
        text=True,
    )


@asynccontextmanager
async def a_process(redis_url, port):
    """A gateway in a process of its own, up."""
    program = start_gateway(redis_url, port)
    try:
        await trio.to_thread.run_sync(read_until_ready, program)
        yield program
    finally:
        end(program)


def end(program):
    """Kill it, and close what was read from it, even for a test that is canceled."""
    program.kill()
    program.communicate(timeout=30)


def read_until_ready(program):
    told = ""
    while "gateway.ready" not in told:
        told = program.stderr.readline()
        assert told


class TestAWorkerThatIsToldToStop:
    async def test_lets_its_clients_go_to_another_and_nothing_is_lost(self, redis_url, commerce):
        port, topic, dice = free_port(), a_product(), random.Random(7)  # noqa: S311 - repeatable
        followers = [Follower(port, topic, dice) for _ in range(12)]
        published = 0
        async with a_process(redis_url, port) as first, trio.open_nursery() as following:
            for follower in followers:
                following.start_soon(follower.run)
            await wait_for(lambda: all(follower.visits for follower in followers))
            async with a_process(redis_url, port):
                first.send_signal(signal.SIGTERM)
                while first.poll() is None:
                    await commerce.publish(topic, a_message(str(published)))
                    published += 1
                    await trio.sleep(0.02)
                await wait_for(
                    lambda: all(follower.offsets[-1:] == [published] for follower in followers)
                )
            following.cancel_scope.cancel()

        assert first.returncode == 0
        assert {follower.gaps for follower in followers} == {0}
        assert all(follower.visits > 1 for follower in followers)
        for follower in followers:
            assert follower.offsets == list(range(follower.offsets[0], published + 1))
            assert follower.offsets[0] == 1


async def wait_for(condition):
    with trio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - the clients have no event
            await trio.sleep(0.02)
