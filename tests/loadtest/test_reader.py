import select
import socket

import pytest
import trio
import trio.testing
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from loadtest.decoding import SharedDecoder
from loadtest.limits import DECODED_KEPT_MAX
from loadtest.reader import Reader
from loadtest.sockets import Socket, SocketClosedError
from protocol.codec import encode_frame
from protocol.server_frames import Pong

pytestmark = [
    pytest.mark.trio,
    pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll here"),
]
SECONDS_MAX = 20


class Pair:
    """Our socket on a shared reader, and a server's end that speaks WebSocket."""

    def __init__(self, reader):
        ours, self.theirs = socket.socketpair()
        for each in (ours, self.theirs):
            each.settimeout(0)
        self.socket = Socket(
            trio.SocketStream(trio.socket.from_stdlib_socket(ours)), "json", b"", shared=reader
        )
        self.protocol = Connection(ConnectionType.SERVER)
        self.heard = []
        self.news = trio.Event()

    def say(self, *events):
        self.theirs.sendall(b"".join(self.protocol.send(event) for event in events))

    def hear(self, messages):
        self.heard += messages
        self.news.set()
        self.news = trio.Event()

    async def wait_heard(self, count):
        with trio.fail_after(SECONDS_MAX):
            while len(self.heard) < count:
                await self.news.wait()

    async def listen_until_closed(self):
        with pytest.raises(SocketClosedError) as closed:
            await self.socket.listen(self.hear)
        return closed.value.code


@pytest.fixture
async def make_pair(nursery):
    """Return what makes pairs on one reader; both ends of each are closed in the end."""
    reader = Reader()
    nursery.start_soon(reader.run)
    made = []

    def make():
        made.append(Pair(reader))
        return made[-1]

    yield make
    for pair in made:
        await pair.socket.abort()
        pair.theirs.close()


class TestASharedReader:
    async def test_hands_every_message_to_the_listener_of_its_socket(self, make_pair, nursery):
        pairs = [make_pair() for _ in range(3)]
        for pair in pairs:
            nursery.start_soon(pair.listen_until_closed)
        await trio.testing.wait_all_tasks_blocked()

        for number, pair in enumerate(pairs):
            pair.say(*(TextMessage(data=f"{number} {turn}") for turn in range(50)))

        for number, pair in enumerate(pairs):
            await pair.wait_heard(50)
            assert pair.heard == [f"{number} {turn}".encode() for turn in range(50)]

    async def test_tells_the_close_code_after_the_messages_before_it(self, make_pair):
        pair = make_pair()
        pair.say(TextMessage(data="last"), CloseConnection(code=4008))

        with trio.fail_after(SECONDS_MAX):
            assert await pair.listen_until_closed() == 4008
        assert pair.heard == [b"last"]

    async def test_answers_pings(self, make_pair, nursery):
        pair = make_pair()
        nursery.start_soon(pair.listen_until_closed)
        await trio.testing.wait_all_tasks_blocked()

        pair.say(Ping(payload=b"there?"))

        with trio.fail_after(SECONDS_MAX):
            await trio.lowlevel.wait_readable(pair.theirs)
        assert pair.theirs.recv(1000)[0] == 0x8A

    @pytest.mark.parametrize("end", ["theirs", "ours"])
    async def test_ends_the_listening_when_the_connection_ends(self, make_pair, nursery, end):
        pair = make_pair()
        ended = trio.Event()
        codes = []

        async def listen():
            codes.append(await pair.listen_until_closed())
            ended.set()

        nursery.start_soon(listen)
        await trio.testing.wait_all_tasks_blocked()
        if end == "theirs":
            pair.theirs.close()
        else:
            await pair.socket.abort()

        with trio.fail_after(SECONDS_MAX):
            await ended.wait()
        assert codes == [1006]

    async def test_raises_what_a_listener_raises_in_its_own_task(self, make_pair):
        pair = make_pair()
        pair.say(TextMessage(data="hello"))

        def refuse(_messages):
            raise ValueError("not that")

        with trio.fail_after(SECONDS_MAX), pytest.raises(ValueError, match="not that"):
            await pair.socket.listen(refuse)

    async def test_reads_nothing_of_a_socket_that_is_paused_and_all_of_it_later(
        self, make_pair, nursery
    ):
        slow, other = make_pair(), make_pair()
        for pair in (slow, other):
            nursery.start_soon(pair.listen_until_closed)
        await trio.testing.wait_all_tasks_blocked()
        slow.socket.pause(on=True)
        slow.say(TextMessage(data="late"))
        other.say(TextMessage(data="now"))
        await other.wait_heard(1)
        assert slow.heard == []

        slow.socket.pause(on=False)

        await slow.wait_heard(1)


class TestTheSharedDecoder:
    async def test_decodes_equal_bytes_once(self):
        decoder = SharedDecoder()
        message = encode_frame(Pong(id=1, server_time_ms=5), "json")

        first = decoder.decode(message, "json")

        assert first == Pong(id=1, server_time_ms=5)
        assert decoder.decode(bytes(bytearray(message)), "json") is first

    async def test_forgets_what_was_not_heard_for_long(self):
        decoder = SharedDecoder()
        messages = [
            encode_frame(Pong(id=number, server_time_ms=5), "json")
            for number in range(3 * DECODED_KEPT_MAX)
        ]
        first = decoder.decode(messages[0], "json")
        for message in messages[1:]:
            decoder.decode(message, "json")

        assert decoder.decode(messages[0], "json") is not first
