"""One socket from its first byte to its last, and the wall around it.

One task a client, which reads the socket and hands small messages on (`tap.py`). When something
special comes, trio-websocket takes over with a task that reads (`long_way.py`), and the one here
takes the messages it finds. Neither waits for anybody, so the socket is always drained, and pings
and closes are heard however busy the user's actor is. Whatever goes wrong inside ends this one
socket and nothing else.
"""

from collections.abc import Callable
from math import inf
from typing import Protocol

import msgspec
import trio
from prometheus_client import Counter
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from gateway.connections.addresses import Addresses
from gateway.connections.connection import Connection, count_close
from gateway.connections.handshake import (
    HelloRefusedError,
    UpgradeRefusedError,
    UpgradeRules,
    check_ticket,
    count_absent,
    hello_in,
    upgrade,
)
from gateway.connections.inbound import FrameTooLargeError, RefusedFrameError, read_frame
from gateway.connections.line import Line
from gateway.connections.long_way import take_over
from gateway.connections.transport import Transport
from gateway.connections.wire import close_frame
from gateway.limits import CLOSE_SECONDS_MAX, HELLO_SECONDS_MAX, REFUSAL_SECONDS_MAX
from protocol.client_frames import AnyClientFrame, Hello
from protocol.close_codes import HELLO_TIMEOUT, INTERNAL, MALFORMED, CloseCode
from protocol.error_codes import RATE_LIMITED
from protocol.ids import ConnectionId
from protocol.version import DEFAULT_WIRE_FORMAT, WireFormat
from shared.clock import Clock
from shared.ids import mint_id
from shared.logging import get_logger
from shared.tickets import TicketVerifier

_log = get_logger("gateway.connections")
_crashes = Counter(
    "rialto_gateway_connection_crashes_total", "Sockets ended by a bug of the gateway."
)
_ABNORMAL = 1006


class Host(Protocol):
    """Whom clients talk to. It answers through the connection; nothing here waits."""

    def admit(self, connection: Connection, hello: Hello) -> None:
        """Take in a client whose ticket is good, or close it."""
        ...

    def receive(self, connection: Connection, frame: AnyClientFrame) -> None:
        """Take a frame of an admitted client."""
        ...

    def leave(self, connection: Connection) -> None:
        """Forget a client that was given to `admit`; its socket is gone."""
        ...


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On what terms clients are let in."""

    origins: frozenset[str]
    addresses: Addresses
    verifier: TicketVerifier
    clock: Clock


class Conversation:
    """Everything between one socket's first byte and its last."""

    __slots__ = (
        "_connection",
        "_has_met",
        "_host",
        "_is_upgraded",
        "_nursery",
        "_on_settled",
        "_patience",
        "_socket",
        "_terms",
        "_transport",
        "_wire_format",
    )

    def __init__(self, *, terms: Terms, host: Host, on_settled: Callable[[], None]) -> None:
        self._terms = terms
        self._host = host
        self._on_settled = on_settled
        self._transport: Transport | None = None
        self._nursery: trio.Nursery | None = None
        self._patience: trio.CancelScope | None = None
        self._socket: WebSocketConnection | None = None
        self._wire_format: WireFormat = DEFAULT_WIRE_FORMAT
        self._connection: Connection | None = None
        self._is_upgraded = False
        self._has_met = False

    async def run(self, line: Line) -> None:
        """Serve the client until either side ends it. Raises nothing but `Cancelled`."""
        try:
            await self._run_within_walls(line)
            if self._transport is not None:
                with trio.move_on_after(REFUSAL_SECONDS_MAX):
                    await self._transport.linger()
        finally:
            self._on_settled()
            self._end(line)

    def _end(self, line: Line) -> None:
        if self._transport is None:
            line.close(abort=True)
            return
        if self._is_upgraded:
            count_close(self._transport.close_code or _ABNORMAL)
        self._transport.end()

    async def _run_within_walls(self, line: Line) -> None:
        try:
            async with trio.open_nursery() as nursery:
                self._transport, self._nursery = Transport(line, nursery), nursery
                try:
                    await self._talk(nursery, self._transport)
                finally:
                    self._part()
                    nursery.cancel_scope.cancel()
        except* (ConnectionClosed, LocalProtocolError, RemoteProtocolError, UpgradeRefusedError):
            pass
        except* Exception as crash:  # noqa: BLE001 - this is the wall: a bug ends one socket
            self._note_crash(crash)

    def _part(self) -> None:
        if self._connection is not None:
            self._connection.has_left = True
            self._host.leave(self._connection)

    def _note_crash(self, crash: BaseException) -> None:
        _crashes.inc()
        user = self._connection.user if self._connection else None
        _log.error("connection.crashed", user=user, exc_info=crash)
        if self._transport is not None and self._transport.close_code is None:
            self._transport.close_with(close_frame(INTERNAL))

    async def _talk(self, nursery: trio.Nursery, transport: Transport) -> None:
        is_open = True
        with trio.move_on_after(HELLO_SECONDS_MAX) as self._patience:
            await self._upgrade(nursery, transport, patience=self._patience)
            while is_open and not self._has_met:
                is_open = await self._hear_next(nursery, transport)
        if not self._is_upgraded:
            count_absent()
            raise UpgradeRefusedError("no proper request came")
        if is_open and not self._has_met:
            self._refuse(HELLO_TIMEOUT, transport, nursery)
        self._patience = None
        while is_open:  # here a socket spends its life: each call less is memory less
            if self._socket is not None:
                is_open = await self._hear_next(nursery, transport)
            elif (left := await transport.hear()) is not None:
                is_open = await self._go_on(nursery, transport, left)

    async def _upgrade(
        self, nursery: trio.Nursery, transport: Transport, *, patience: trio.CancelScope
    ) -> None:
        transport.on_end = patience.cancel  # while trio-websocket reads the request it tells nobody
        rules = UpgradeRules(
            origins=self._terms.origins,
            addresses=self._terms.addresses,
            peer=lambda: transport.peer,
        )
        upgraded = await upgrade(nursery, transport, rules=rules)
        transport.on_end = _nothing
        self._is_upgraded = True
        self._socket, self._wire_format = upgraded.socket, upgraded.wire_format
        transport.tap(self._hear_at_once)

    async def _hear_next(self, nursery: trio.Nursery, transport: Transport) -> bool:
        """Take what comes next; say whether more may come."""
        if self._socket is None:
            left = await transport.hear()
            return left is None or await self._go_on(nursery, transport, left)
        try:
            self._hear(await self._socket.get_message())
        except ConnectionClosed:
            transport.end()
            return False
        return True

    async def _go_on(self, nursery: trio.Nursery, transport: Transport, left: bytes) -> bool:
        """Leave the socket to trio-websocket, unless the client has gone: then say no."""
        if left:
            with trio.CancelScope(shield=True):  # or what was read would be lost
                self._socket = await take_over(nursery, transport, unread=left)
        else:
            transport.end()
        return bool(left)

    def _hear_at_once(self, message: str | bytes) -> None:
        try:
            self._hear(message)
        except Exception as crash:  # noqa: BLE001 - the wall is not around trio-websocket's task
            self._note_crash(crash)
            if self._nursery is not None:
                self._nursery.cancel_scope.cancel()

    def _hear(self, message: str | bytes) -> None:
        if self._has_met:
            self._take(message)
            return
        assert self._transport is not None
        assert self._nursery is not None
        if self._patience is not None:
            self._patience.deadline = inf
        self._meet(message, self._transport, self._nursery)

    def _meet(self, message: str | bytes, transport: Transport, nursery: trio.Nursery) -> None:
        """Take the client's first message."""
        try:
            hello = hello_in(message, self._wire_format)
            self._introduce(hello, transport, nursery)
        except HelloRefusedError as refused:
            self._refuse(refused.close, transport, nursery)
        else:
            self._has_met = True
            self._on_settled()

    def _refuse(self, close: CloseCode, transport: Transport, nursery: trio.Nursery) -> None:
        self._has_met = True
        transport.close_with(close_frame(close))
        nursery.cancel_scope.deadline = trio.current_time() + CLOSE_SECONDS_MAX
        self._on_settled()

    def _introduce(self, hello: Hello, transport: Transport, nursery: trio.Nursery) -> None:
        clock = self._terms.clock
        claims = check_ticket(hello.ticket, verifier=self._terms.verifier, clock=clock)
        connection = Connection(
            connection_id=ConnectionId(mint_id("con", clock.now())),
            transport=transport,
            wire_format=self._wire_format,
            claims=claims,
            lifetime_seconds=claims.exp - clock.now().timestamp(),
            nursery=nursery,
        )
        connection.device, connection.visible = hello.device, hello.visible
        self._connection = connection
        self._host.admit(connection, hello)

    def _take(self, message: str | bytes) -> None:
        connection = self._connection
        if connection is None or connection.closed_with is not None:
            return
        try:
            frame = read_frame(message, connection.wire_format)
        except FrameTooLargeError:
            connection.close(MALFORMED)
        except RefusedFrameError as refused:
            connection.send_error(refused.code, refused.reason, question=refused.question)
            connection.strike()
        else:
            self._hand_over(connection, frame)

    def _hand_over(self, connection: Connection, frame: AnyClientFrame) -> None:
        pause = connection.take_inbound_token()
        if pause > 0:
            question = getattr(frame, "id", None)
            connection.send_error(RATE_LIMITED, question=question, retry_after_seconds=pause)
            connection.note_flood()
        else:
            self._host.receive(connection, frame)


def _nothing() -> None:
    """Stand in for the hook: from now on whoever reads notices the end."""
