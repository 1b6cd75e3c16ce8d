"""From an HTTP upgrade to an admitted client: path, origin, subprotocol, hello, ticket."""

from typing import Final
from urllib.parse import urlsplit

import msgspec
import trio
from prometheus_client import Counter
from trio_websocket import WebSocketConnection, WebSocketRequest, wrap_server_stream

from gateway.connections.addresses import Addresses
from gateway.connections.inbound import FrameTooLargeError, RefusedFrameError, read_frame
from gateway.connections.transport import Transport
from gateway.limits import (
    INBOUND_MESSAGE_CHARACTERS_MAX,
    RECEIVE_BYTES,
    RETRY_AFTER_SECONDS,
)
from protocol.client_frames import Hello
from protocol.close_codes import (
    INVALID_TICKET,
    MALFORMED,
    TICKET_EXPIRED,
    CloseCode,
)
from protocol.version import DEFAULT_WIRE_FORMAT, SUBPROTOCOLS, WireFormat
from shared.clock import Clock
from shared.tickets import ExpiredTicketError, InvalidTicketError, TicketClaims, TicketVerifier

SOCKET_PATH: Final = "/ws"
ANY_ORIGIN: Final = "*"
_TOO_MANY: Final = 429

_upgrades = Counter(
    "rialto_gateway_upgrades_total", "HTTP upgrades, by how they were answered.", ["status"]
)


class UpgradeRefusedError(Exception):
    """There will be no WebSocket: it was refused over HTTP, or never properly asked for."""


class HelloRefusedError(Exception):
    """The client did not say properly who it is."""

    def __init__(self, close: CloseCode) -> None:
        super().__init__(close.name)
        self.close = close


class UpgradeRules(msgspec.Struct, frozen=True, kw_only=True):
    """Who may open a WebSocket, and who asks."""

    origins: frozenset[str]
    addresses: Addresses
    peer: str


class Upgraded(msgspec.Struct, frozen=True, kw_only=True):
    """A WebSocket on which nothing was said yet."""

    socket: WebSocketConnection
    wire_format: WireFormat


async def upgrade(
    nursery: trio.Nursery, transport: Transport, *, rules: UpgradeRules, until: float
) -> Upgraded:
    """Answer the HTTP request for a WebSocket, if it has come by the time `until`.

    Raises:
        UpgradeRefusedError: if none was opened.
    """
    with trio.move_on_at(until) as patience:
        transport.on_end = patience.cancel
        request = await wrap_server_stream(
            nursery,
            transport,
            message_queue_size=1,
            max_message_size=INBOUND_MESSAGE_CHARACTERS_MAX,
            receive_buffer_size=RECEIVE_BYTES,
        )
        upgraded = await _answer(request, rules)
        transport.on_end = _nothing
        return upgraded
    _upgrades.labels(status="none").inc()
    raise UpgradeRefusedError("no proper request came")


def _nothing() -> None:
    """Stand in for the hook: from now on trio-websocket itself notices the end."""


async def _answer(request: WebSocketRequest, rules: UpgradeRules) -> Upgraded:
    if urlsplit(request.path).path != SOCKET_PATH:
        await _reject(request, 404, b"The WebSocket is at /ws.\n")
    if not _is_allowed(_header(request, b"origin"), rules.origins):
        await _reject(request, 403, b"This origin may not open a WebSocket here.\n")
    if _knocks_too_often(request, rules):
        await _reject(request, 429, b"Too many at once from your address; wait.\n")
    offered = set(request.proposed_subprotocols)
    chosen = next((name for name in SUBPROTOCOLS if name in offered), None)
    socket = await request.accept(subprotocol=chosen)
    _upgrades.labels(status="101").inc()
    wire_format = DEFAULT_WIRE_FORMAT if chosen is None else SUBPROTOCOLS[chosen]
    return Upgraded(socket=socket, wire_format=wire_format)


def _header(request: WebSocketRequest, wanted: bytes) -> str | None:
    found = [value for name, value in request.headers if name.lower() == wanted]
    return None if not found else b", ".join(found).decode("latin-1")


def _knocks_too_often(request: WebSocketRequest, rules: UpgradeRules) -> bool:
    """Count a client behind a proxy; whoever comes by themselves was counted at the door."""
    if not rules.addresses.is_trusted(rules.peer):
        return False
    forwarded = _header(request, b"x-forwarded-for") or ""
    return rules.addresses.knock(rules.addresses.client_of(rules.peer, forwarded)) > 0


def _is_allowed(origin: str | None, origins: frozenset[str]) -> bool:
    """Only browsers send an origin, and they always do."""
    return origin is None or ANY_ORIGIN in origins or origin in origins


async def _reject(request: WebSocketRequest, status: int, body: bytes) -> None:
    _upgrades.labels(status=str(status)).inc()
    headers = [(b"Content-Type", b"text/plain"), (b"Connection", b"close")]
    if status == _TOO_MANY:
        headers.append((b"Retry-After", b"%d" % RETRY_AFTER_SECONDS))
    await request.reject(status, extra_headers=headers, body=body)
    raise UpgradeRefusedError(f"refused with {status}")


def hello_in(message: str | bytes, wire_format: WireFormat) -> Hello:
    """Return what a client's first message says.

    Raises:
        HelloRefusedError: if it is not a hello.
    """
    try:
        frame = read_frame(message, wire_format)
    except (FrameTooLargeError, RefusedFrameError):
        raise HelloRefusedError(MALFORMED) from None
    if not isinstance(frame, Hello):
        raise HelloRefusedError(MALFORMED)
    return frame


def check_ticket(ticket: str, *, verifier: TicketVerifier, clock: Clock) -> TicketClaims:
    """Return what a good ticket says.

    Raises:
        HelloRefusedError: if it is not good (any more).
    """
    try:
        return verifier.verify(ticket, clock.now())
    except ExpiredTicketError:
        raise HelloRefusedError(TICKET_EXPIRED) from None
    except InvalidTicketError:
        raise HelloRefusedError(INVALID_TICKET) from None
