"""Accept sockets, as many as can be served; tell the others over HTTP to come back."""

import errno
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import trio
from prometheus_client import Counter

from gateway.connections.addresses import Addresses
from gateway.connections.line import Line, SocketLine, linger
from gateway.errors import PortTakenError
from gateway.limits import (
    ACCEPT_FAILURE_PAUSE_SECONDS,
    ACCEPTS_AT_ONCE,
    HANDSHAKE_WAIT_SECONDS_MAX,
    HANDSHAKES_MAX,
    LISTEN_BACKLOG,
    REFUSAL_SECONDS_MAX,
    REFUSALS_MAX,
    RETRY_AFTER_SECONDS,
)
from shared.logging import get_logger

_log = get_logger("gateway.listener")
_accepted: Final = Counter("rialto_gateway_accepts_total", "Sockets accepted.")
_turned_away: Final = Counter(
    "rialto_gateway_turned_away_total", "Sockets refused before the upgrade, by why.", ["reason"]
)
_OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})

_REFUSAL: Final = "HTTP/1.1 {}\r\nRetry-After: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

Serve = Callable[[Line, Callable[[], None]], Awaitable[None]]
"""Serves one socket to its end; calls the second argument once its handshake is over."""


class ListenerStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Sockets this worker holds now."""

    sockets_count: int
    handshakes_count: int


def open_listening_socket(host: str, port: int) -> socket.socket:
    """Listen on a port that other workers may share.

    Raises:
        PortTakenError: if another program has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
        listening.listen(LISTEN_BACKLOG)
    except OSError as error:
        listening.close()
        raise PortTakenError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}"
        ) from error
    listening.settimeout(0)
    return listening


class Listener:
    """Takes sockets in and holds the tasks that serve them."""

    def __init__(
        self,
        listening: socket.socket,
        *,
        serve: Serve,
        connections_max: int,
        addresses: Addresses,
    ) -> None:
        self._listening = listening
        self._serve = serve
        self._connections_max = connections_max
        self._addresses = addresses
        self._accepting = trio.CancelScope()
        self._is_draining = False
        self._sockets_count = 0
        self._handshakes_count = 0
        self._refusals_count = 0
        self._crowded_since = 0.0
        self._room = trio.Event()

    def statistics(self) -> ListenerStatistics:
        """Count the sockets."""
        return ListenerStatistics(
            sockets_count=self._sockets_count, handshakes_count=self._handshakes_count
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Accept until `stop_accepting`, then go on until every socket has ended."""
        async with trio.open_nursery() as sockets:
            task_status.started()
            with self._listening:
                with self._accepting:
                    await self._accept_forever(sockets)
                self._turn_away_the_queue(sockets)

    def refuse_newcomers(self) -> None:
        """Let nobody in any more, but tell everybody who knocks."""
        self._is_draining = True

    def stop_accepting(self) -> None:
        """Do not even listen. Those in the kernel's queue are told so; a reset would not."""
        self._accepting.cancel()

    async def _accept_forever(self, sockets: trio.Nursery) -> None:
        while True:
            await trio.lowlevel.wait_readable(self._listening)
            for _ in range(ACCEPTS_AT_ONCE):
                if not await self._accept_one(sockets):
                    break

    async def _accept_one(self, sockets: trio.Nursery) -> bool:
        """Accept who knocks; say no if nobody does."""
        try:
            connected, address = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False  # another worker was faster, or the client has gone
        except OSError as error:
            if error.errno not in _OUT_OF_RESOURCES:
                raise
            _log.warning("accept.failed", reason=os.strerror(error.errno))
            await trio.sleep(ACCEPT_FAILURE_PAUSE_SECONDS)
            return False
        _accepted.inc()
        await self._take_in(connected, str(address[0]), sockets)
        return True

    async def _take_in(self, connected: socket.socket, peer: str, sockets: trio.Nursery) -> None:
        reason = await self._why_not(peer)
        if reason is None:
            self._sockets_count += 1
            self._handshakes_count += 1
            sockets.start_soon(self._serve_one, SocketLine(connected), peer)
        else:
            self._turn_away(connected, sockets, reason)

    async def _why_not(self, peer: str) -> str | None:
        """Return why this one cannot be let in now, or None."""
        if self._is_draining:
            return "draining"
        if self._sockets_count >= self._connections_max:
            return "full"
        if self._addresses.knock(peer) > 0:
            return "address"
        crowded = await self._why_crowded()
        if crowded is None and not self._addresses.begin(peer):
            return "address"
        return crowded

    async def _why_crowded(self) -> str | None:
        """Return why, if too many are at the door. A short crowd is waited out."""
        if self._handshakes_count < HANDSHAKES_MAX:
            self._crowded_since = trio.current_time()
            return None
        with trio.move_on_at(self._crowded_since + HANDSHAKE_WAIT_SECONDS_MAX):
            self._room = trio.Event()
            await self._room.wait()
        return None if self._handshakes_count < HANDSHAKES_MAX else "crowded"

    async def _serve_one(self, line: Line, peer: str) -> None:
        settled = False

        def settle() -> None:
            nonlocal settled
            if not settled:
                settled = True
                self._handshakes_count -= 1
                self._addresses.end(peer)
                self._room.set()

        try:
            await self._serve(line, settle)
        finally:
            settle()
            self._sockets_count -= 1

    def _turn_away(self, connected: socket.socket, sockets: trio.Nursery, reason: str) -> None:
        _turned_away.labels(reason=reason).inc()
        if self._refusals_count >= REFUSALS_MAX:
            connected.close()
            return
        self._refusals_count += 1
        sockets.start_soon(self._refuse, SocketLine(connected), reason)

    async def _refuse(self, line: SocketLine, reason: str) -> None:
        status = "429 Too Many Requests" if reason == "address" else "503 Service Unavailable"
        try:
            line.send(_REFUSAL.format(status, RETRY_AFTER_SECONDS).encode())
            with trio.move_on_after(REFUSAL_SECONDS_MAX):
                await linger(line)
        except OSError:
            return  # it has gone: nobody is left to be told
        finally:
            self._refusals_count -= 1
            line.close(abort=False)

    def _turn_away_the_queue(self, sockets: trio.Nursery) -> None:
        for _ in range(LISTEN_BACKLOG):
            try:
                connected, _address = self._listening.accept()
            except OSError:
                return
            self._turn_away(connected, sockets, "draining")
