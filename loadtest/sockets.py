"""One WebSocket over a trio stream, as a client."""

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec
import trio

from loadtest.limits import RECEIVE_BYTES
from loadtest.reader import Reader
from loadtest.wire import (
    ABNORMAL,
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    Received,
    Upgrade,
    WireError,
    build_close,
    build_frame,
    close_code,
)
from protocol.version import SUBPROTOCOLS, WireFormat

_NORMAL_CLOSURE: Final = 1000
_CLOSE_SECONDS_MAX: Final = 1
_SUBPROTOCOL_OF: Final = {wire_format: name for name, wire_format in SUBPROTOCOLS.items()}


class SocketClosedError(Exception):
    """The connection is over, with a WebSocket close code (1006 when there was none)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the socket was closed with {code}")
        self.code = code


class SocketAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gateway listens: parsed from `ws://host:port/path`."""

    host: str
    port: int
    path: str
    tls: bool
    pinned_to: str | None = None

    @classmethod
    def parse(cls, url: str) -> "SocketAddress":
        """Return the address in `url`.

        Raises:
            ValueError: if it is not a WebSocket URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname:
            raise ValueError(f"{url!r} is not a WebSocket URL (ws://… or wss://…)")
        tls = parts.scheme == "wss"
        return cls(
            host=parts.hostname,
            port=parts.port or (443 if tls else 80),
            path=parts.path or "/",
            tls=tls,
        )


class Socket:
    """Whole messages in, whole messages out. One task receives or listens; any may send."""

    def __init__(
        self,
        stream: trio.abc.Stream,
        wire_format: WireFormat,
        rest: bytes,
        *,
        shared: Reader | None = None,
    ) -> None:
        self.wire_format: WireFormat = wire_format
        self._stream = stream
        self._shared = shared if isinstance(stream, trio.SocketStream) else None
        self._reader = FrameReader()
        self._waiting = self._reader.receive(rest)
        self._closed_with: int | None = None
        self._send_lock = trio.Lock()
        self._opcode = TEXT if wire_format == "json" else BINARY

    async def send(self, message: bytes) -> None:
        """Send one message.

        Cancelled: the socket is given up, for half a frame may have left.

        Raises:
            SocketClosedError: if the connection is over.
        """
        await self._send_frame(build_frame(self._opcode, message))

    async def receive(self) -> list[bytes]:
        """Return the messages that have arrived, at least one; pings are answered on the way.

        Raises:
            SocketClosedError: if the connection is over.
        """
        while True:
            arrived, self._waiting = self._waiting, []
            messages = [one.payload for one in arrived if one.opcode in {TEXT, BINARY}]
            if len(messages) < len(arrived):
                await self._serve_control(arrived)
            if messages:
                return messages
            if self._closed_with is not None:
                raise SocketClosedError(self._closed_with)
            self._waiting = await self._receive_some()

    async def listen(self, hear: Callable[[list[bytes]], None]) -> None:
        """Hand messages to `hear` as they arrive, until the connection is over.

        Raises:
            SocketClosedError: when it is over; and whatever `hear` raises.
        """
        if self._shared is None or not isinstance(self._stream, trio.SocketStream):
            while True:
                hear(await self.receive())
        arrived, self._waiting = self._waiting, []
        listening = _Listening(self._reader, hear)
        listening.sort(arrived)
        descriptor = self._stream.socket.fileno()
        self._shared.add(descriptor, listening.take)
        try:
            while not listening.is_over:
                await listening.something.wait()
                listening.something = trio.Event()
                await self._serve_control(listening.collect_control())
        finally:
            self._shared.remove(descriptor, listening.take)
        if listening.error is not None:
            raise listening.error
        raise SocketClosedError(ABNORMAL if self._closed_with is None else self._closed_with)

    def pause(self, *, on: bool) -> None:
        """Leave what arrives in the system's buffers, as a frozen client does, or go on.

        Does nothing where there is no shared reader.
        """
        if self._shared is not None and isinstance(self._stream, trio.SocketStream):
            self._shared.pause(self._stream.socket.fileno(), on=on)

    async def aclose(self) -> None:
        """Say goodbye and close; waits only briefly for the goodbye to leave."""
        with trio.move_on_after(_CLOSE_SECONDS_MAX, shield=True):
            with contextlib.suppress(SocketClosedError):  # it is over, which is what we want
                await self._send_frame(build_close(_NORMAL_CLOSURE))
        await self.abort()

    async def abort(self) -> None:
        """Cut the connection as a lost network would."""
        if self._shared is not None and isinstance(self._stream, trio.SocketStream):
            self._shared.abandon(self._stream.socket.fileno())
        await trio.aclose_forcefully(self._stream)

    async def _receive_some(self) -> list[Received]:
        try:
            chunk = await self._stream.receive_some(RECEIVE_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise SocketClosedError(ABNORMAL) from None
        if not chunk:
            raise SocketClosedError(ABNORMAL)
        try:
            return self._reader.receive(bytes(chunk))
        except WireError:
            raise SocketClosedError(ABNORMAL) from None

    async def _serve_control(self, arrived: list[Received]) -> None:
        for one in arrived:
            if one.opcode == PING:
                await self._send_frame(build_frame(PONG, one.payload))
            elif one.opcode == CLOSE:  # told by the next call: messages came before it
                self._closed_with = close_code(one.payload)

    async def _send_frame(self, frame: bytes) -> None:
        async with self._send_lock:
            try:
                await self._stream.send_all(frame)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                raise SocketClosedError(ABNORMAL) from None
            except trio.Cancelled:  # half a frame may have left: nothing can follow it
                await self.abort()
                raise


class _Listening:
    """What one socket's listener has heard through the shared reader and not yet dealt with."""

    __slots__ = ("_control", "_frames", "_hear", "error", "is_over", "something")

    def __init__(self, frames: FrameReader, hear: Callable[[list[bytes]], None]) -> None:
        self.something = trio.Event()
        self.is_over = False
        self.error: Exception | None = None
        self._frames = frames
        self._hear = hear
        self._control: list[Received] = []

    def take(self, chunk: bytes) -> None:
        """Hear what arrived; the listener's own task is woken only for what needs it."""
        if not chunk:
            self._end(None)
        elif not self.is_over:
            try:
                self.sort(self._frames.receive(chunk))
            except WireError:
                self._end(None)
            except Exception as error:  # noqa: BLE001  it is the listener's, and raised there
                self._end(error)

    def sort(self, arrived: list[Received]) -> None:
        """Hand on messages, and keep control frames for the listener's task."""
        messages = [one.payload for one in arrived if one.opcode in {TEXT, BINARY}]
        if len(messages) < len(arrived):
            self._control += [one for one in arrived if one.opcode not in {TEXT, BINARY}]
            self.is_over = self.is_over or any(one.opcode == CLOSE for one in self._control)
            self.something.set()
        if messages:
            self._hear(messages)

    def collect_control(self) -> list[Received]:
        """Return the control frames that nobody has dealt with."""
        collected, self._control = self._control, []
        return collected

    def _end(self, error: Exception | None) -> None:
        self.error = self.error or error
        self.is_over = True
        self.something.set()


async def pin(address: SocketAddress) -> SocketAddress:
    """Look the host's name up once, so that thousands of connects need not do it again.

    Raises:
        OSError: if the server cannot be reached.
    """
    tcp = await trio.open_tcp_stream(address.host, address.port)
    async with tcp:
        return msgspec.structs.replace(address, pinned_to=tcp.socket.getpeername()[0])


async def connect(
    address: SocketAddress,
    wire_format: WireFormat,
    *,
    origin: str | None = None,
    shared: Reader | None = None,
) -> Socket:
    """Open a WebSocket that speaks `wire_format`; `shared` reads it while it is listened to.

    Raises:
        OSError: if the server cannot be reached.
        WireError: if it refuses.
    """
    stream = await _open_stream(address)
    try:
        rest = await _upgrade(stream, address, wire_format, origin=origin)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return Socket(stream, wire_format, rest, shared=shared)


async def _open_stream(address: SocketAddress) -> trio.abc.Stream:
    tcp = await trio.open_tcp_stream(address.pinned_to or address.host, address.port)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not address.tls:
        return tcp
    return trio.SSLStream(tcp, ssl.create_default_context(), server_hostname=address.host)


async def _upgrade(
    stream: trio.abc.Stream, address: SocketAddress, wire_format: WireFormat, *, origin: str | None
) -> bytes:
    """Do the opening handshake, and return what came right behind it."""
    upgrade = Upgrade()
    subprotocol = _SUBPROTOCOL_OF[wire_format]
    host = f"{address.host}:{address.port}"
    arrived = b""
    try:
        await stream.send_all(
            upgrade.request(host=host, path=address.path, subprotocol=subprotocol, origin=origin)
        )
        while (answer := upgrade.response(arrived)) is None:
            chunk = await stream.receive_some(RECEIVE_BYTES)
            if not chunk:
                raise WireError("the server closed the connection during the handshake")
            arrived += chunk
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise WireError("the connection broke during the handshake") from error
    if answer[0] != subprotocol:
        raise WireError(f"the server speaks {answer[0]!r} instead of {subprotocol!r}")
    return answer[1]
