import itertools

import pytest
import trio
import trio_websocket
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from loadtest.limits import FRAME_BYTES_MAX
from loadtest.sockets import SocketAddress, SocketClosedError, connect
from loadtest.wire import (
    BINARY,
    CLOSE,
    TEXT,
    FrameReader,
    Upgrade,
    WireError,
    build_close,
    build_frame,
    close_code,
)


def server_sends(*events):
    server = Connection(ConnectionType.SERVER)
    return b"".join(server.send(event) for event in events)


def received_in_pieces(sent, piece_bytes):
    reader = FrameReader()
    pieces = [sent[at : at + piece_bytes] for at in range(0, len(sent), piece_bytes)]
    return [whole for piece in pieces for whole in reader.receive(piece)]


class TestFramesFromTheServer:
    @pytest.mark.parametrize(
        ("length", "piece_bytes"),
        [
            *itertools.product([0, 1, 125, 126], [1, 2, 3, 7, 1000]),
            *itertools.product([65_535, 65_536], [1000, 100_000]),
        ],
    )
    def test_are_read_however_they_are_cut(self, length, piece_bytes):
        sent = server_sends(BytesMessage(data=b"x" * length), TextMessage(data="end"))

        first, second = received_in_pieces(sent, piece_bytes)

        assert (first.opcode, len(first.payload)) == (BINARY, length)
        assert (second.opcode, second.payload) == (TEXT, b"end")

    def test_may_come_as_fragments_with_control_frames_between(self):
        server = Connection(ConnectionType.SERVER)
        start = server.send(TextMessage(data="Hel", message_finished=False))
        close = bytes((0x80 | CLOSE, 2)) + (1000).to_bytes(2, "big")
        rest = server.send(TextMessage(data="lo", message_finished=True))

        control, whole = received_in_pieces(start + close + rest, 4)

        assert close_code(control.payload) == 1000
        assert whole.payload == b"Hello"

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(bytes((0xC1, 0)), id="an extension nobody agreed on"),
            pytest.param(bytes((0x81, 0x80)), id="a mask"),
            pytest.param(bytes((0x80, 0)), id="a fragment without its beginning"),
            pytest.param(bytes((0x01, 0, 0x01, 0)), id="two beginnings"),
            pytest.param(
                bytes((0x82, 127)) + (FRAME_BYTES_MAX + 1).to_bytes(8, "big"), id="too large"
            ),
        ],
    )
    def test_are_refused_with(self, broken):
        with pytest.raises(WireError):
            FrameReader().receive(broken)


class TestFramesToTheServer:
    @pytest.mark.parametrize("length", [0, 1, 3, 4, 125, 126, 70_000])
    def test_are_understood_by_another_implementation(self, length):
        server = Connection(ConnectionType.SERVER)
        payload = bytes(number % 251 for number in range(length))

        server.receive_data(build_frame(BINARY, payload))

        heard = b"".join(event.data for event in server.events())
        assert heard == payload

    def test_are_masked_differently_each_time(self):
        assert build_frame(TEXT, b"the same") != build_frame(TEXT, b"the same")

    def test_say_goodbye_with_a_code(self):
        server = Connection(ConnectionType.SERVER)

        server.receive_data(build_close(1000))

        assert list(server.events()) == [CloseConnection(code=1000, reason="")]


class TestTheHandshake:
    def test_is_refused_unless_the_answer_is_101(self):
        with pytest.raises(WireError, match="503"):
            Upgrade().response(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")

    def test_is_refused_when_the_answer_belongs_to_another(self):
        with pytest.raises(WireError, match="belong"):
            Upgrade().response(
                b"HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: c3RyYW5nZXI=\r\n\r\n"
            )

    def test_is_refused_when_the_answer_is_not_http(self):
        with pytest.raises(WireError, match="HTTP"):
            Upgrade().response(b"220 smtp\r\n\r\n"[4:])

    def test_waits_for_the_whole_answer_but_not_for_ever(self):
        upgrade = Upgrade()

        assert upgrade.response(b"HTTP/1.1 101 Switching\r\nUpg") is None
        with pytest.raises(WireError, match="long"):
            upgrade.response(b"x" * 20_000)


class TestASocketUrl:
    def test_names_host_port_and_path(self):
        address = SocketAddress.parse("ws://localhost:8301/ws")

        assert (address.host, address.port, address.path) == ("localhost", 8301, "/ws")

    def test_has_the_port_of_its_scheme_by_default(self):
        assert SocketAddress.parse("wss://shop.example").port == 443

    def test_must_be_one(self):
        with pytest.raises(ValueError, match="WebSocket URL"):
            SocketAddress.parse("http://localhost")


class TestASocketToARealServer:
    @pytest.fixture
    async def address(self, nursery):
        async def echo(request):
            if request.path == "/elsewhere":
                await request.reject(404)
                return
            socket = await request.accept(subprotocol=request.proposed_subprotocols[0])
            try:
                while True:
                    message = await socket.get_message()
                    if message == "leave":
                        await socket.send_message("goodbye")
                        await socket.aclose(code=4001)
                    await socket.ping()
                    await socket.send_message(message)
            except trio_websocket.ConnectionClosed:
                return

        server = await nursery.start(
            lambda task_status: trio_websocket.serve_websocket(
                echo, "127.0.0.1", 0, None, task_status=task_status
            )
        )
        return SocketAddress(host="127.0.0.1", port=server.port, path="/", tls=False)

    async def test_sends_and_receives_and_answers_pings(self, address):
        socket = await connect(address, "json")
        for message in (b"one", "zwölf".encode()):
            await socket.send(message)

            assert await socket.receive() == [message]
        await socket.aclose()

    async def test_is_told_the_close_code_after_the_last_message(self, address):
        socket = await connect(address, "json")
        await socket.send(b"leave")

        assert await socket.receive() == [b"goodbye"]
        with pytest.raises(SocketClosedError) as closed:
            await socket.receive()
        assert closed.value.code == 4001
        await socket.aclose()

    async def test_is_not_opened_where_the_server_refuses(self, address):
        elsewhere = SocketAddress(
            host=address.host, port=address.port, path="/elsewhere", tls=False
        )

        with pytest.raises(WireError, match="404"):
            await connect(elsewhere, "json")

    async def test_ends_when_its_own_side_cuts_it(self, address):
        socket = await connect(address, "json")
        await socket.abort()

        with pytest.raises(SocketClosedError):
            await socket.receive()
        with pytest.raises(SocketClosedError):
            await socket.send(b"too late")
        await trio.lowlevel.checkpoint()
