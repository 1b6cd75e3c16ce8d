"""The two ways of a byte stream, without waiting where the caller must not wait."""

import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from gateway.limits import RECEIVE_BYTES, SEND_BUFFER_BYTES


class Line(Protocol):
    """A connected byte stream. A TCP socket is one; tests have another, in memory."""

    @property
    def peer(self) -> str:
        """Return the address of the far end, "" if it is not known (any more)."""
        ...

    @property
    def send(self) -> Callable[[bytes | memoryview], int]:
        """Return what hands over as much as can be taken at once, and says how much that was.

        It raises BlockingIOError if that is nothing, another OSError if the peer is gone.
        """
        ...

    def receive(self, bytes_max: int) -> bytes:
        """Return what has come, b"" at the end; errors as for `send`."""
        ...

    def wait_writable(self) -> Awaitable[None]:
        """Wait until `send` may take something; ClosedResourceError once it is closed here."""
        ...

    def wait_readable(self) -> Awaitable[None]:
        """Wait until `receive` may return something; ClosedResourceError once closed here."""
        ...

    def finish_sending(self) -> None:
        """Tell the peer that nothing more comes; OSError if it is gone."""
        ...

    def close(self, *, abort: bool) -> None:
        """Let go of the stream; with `abort` also of what the kernel still holds for the peer."""
        ...


class SocketLine:
    """A TCP socket."""

    __slots__ = ("_socket", "send")

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(0)
        with contextlib.suppress(OSError):  # the peer may be gone already; the first read tells
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._socket = connected
        self.send = connected.send

    @property
    def peer(self) -> str:
        """The address of the far end; asked for when it is wanted, so that it costs no memory."""
        try:
            return str(self._socket.getpeername()[0])
        except OSError:
            return ""

    def receive(self, bytes_max: int) -> bytes:
        """Return what has come."""
        return self._socket.recv(bytes_max)

    def wait_writable(self) -> Awaitable[None]:
        """Wait until the kernel takes bytes again."""
        return trio.lowlevel.wait_writable(self._socket)  # noqa: ASYNC105 - the caller awaits it

    def wait_readable(self) -> Awaitable[None]:
        """Wait until bytes or the end have come."""
        return trio.lowlevel.wait_readable(self._socket)  # noqa: ASYNC105 - the caller awaits it

    def finish_sending(self) -> None:
        """Send a FIN after what the kernel still holds."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self, *, abort: bool) -> None:
        """Close the socket; with `abort` by a reset, so that the kernel forgets it at once."""
        if self._socket.fileno() < 0:
            return
        trio.lowlevel.notify_closing(self._socket)
        if abort:
            with contextlib.suppress(OSError):  # nothing is left to be reset
                self._socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
        self._socket.close()


async def linger(line: Line) -> None:
    """Send a FIN and wait for the peer's, so that no reset overtakes what was sent last.

    The deadline is the caller's scope.
    """
    try:
        line.finish_sending()
        while await _receive_more(line):
            pass
    except (trio.ClosedResourceError, OSError):
        return


async def _receive_more(line: Line) -> bool:
    await line.wait_readable()
    try:
        return bool(line.receive(RECEIVE_BYTES))
    except BlockingIOError:
        return True
