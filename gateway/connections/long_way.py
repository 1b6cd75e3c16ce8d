"""The long way: trio-websocket reads what the short ways leave to it, on a stream made for it.

A socket may have been opened by the short way (`request.py`), and been heard by the other
(`tap.py`), before something special comes: a ping, a fragment, a close. From then on trio-websocket
has it. It is told a request that was answered long ago, and its answer to that is not sent.
"""

from typing import Final

import trio
from trio_websocket import WebSocketConnection, WebSocketRequest, wrap_server_stream
from typing_extensions import override

from gateway.connections.transport import Transport
from gateway.limits import INBOUND_MESSAGE_CHARACTERS_MAX, RECEIVE_BYTES

_REQUEST: Final = (
    b"GET /ws HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class _Stream(trio.abc.Stream):
    """A transport from which something was read already."""

    def __init__(self, transport: Transport, unread: bytes) -> None:
        self._transport = transport
        self._unread = unread

    @override
    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what was read already, then what comes."""
        unread, self._unread = self._unread, b""
        return unread or await self._transport.receive_some(max_bytes)

    @override
    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send what trio-websocket says."""
        await self._transport.send_all(data)

    @override
    async def wait_send_all_might_not_block(self) -> None:
        """Return: `send_all` never blocks."""
        await trio.lowlevel.checkpoint()

    @override
    async def aclose(self) -> None:
        """Let go of the transport."""
        await self._transport.aclose()


class _OpenStream(_Stream):
    """One on which the WebSocket was opened before."""

    def __init__(self, transport: Transport, unread: bytes) -> None:
        super().__init__(transport, unread)
        self._is_asked = False
        self._is_answered = trio.Event()

    @override
    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the request, and what follows it only when that was answered."""
        if not self._is_asked:
            self._is_asked = True
            return _REQUEST
        await self._is_answered.wait()
        return await super().receive_some(max_bytes)

    @override
    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the answer to the request to ourselves, and send what follows."""
        if self._is_answered.is_set():
            await super().send_all(data)
        self._is_answered.set()


async def read_request(
    nursery: trio.Nursery, transport: Transport, *, unread: bytes
) -> WebSocketRequest:
    """Wait for a whole request of which `unread` was received already."""
    return await _wrap(nursery, _Stream(transport, unread))


async def take_over(
    nursery: trio.Nursery, transport: Transport, *, unread: bytes
) -> WebSocketConnection:
    """Let trio-websocket go on with an open WebSocket, from the frame that `unread` begins with.

    Nothing in here waits for the client.
    """
    request = await _wrap(nursery, _OpenStream(transport, unread))
    return await request.accept()


async def _wrap(nursery: trio.Nursery, stream: trio.abc.Stream) -> WebSocketRequest:
    return await wrap_server_stream(
        nursery,
        stream,
        message_queue_size=1,
        max_message_size=INBOUND_MESSAGE_CHARACTERS_MAX,
        receive_buffer_size=RECEIVE_BYTES,
    )
