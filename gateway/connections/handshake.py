"""From an HTTP upgrade to an admitted client: path, origin, subprotocol, hello, ticket."""

from collections.abc import Callable, Sequence
from typing import Final, NoReturn
from urllib.parse import urlsplit

import msgspec
import trio
from prometheus_client import Counter
from trio_websocket import WebSocketConnection, WebSocketRequest

from gateway.connections.addresses import Addresses
from gateway.connections.inbound import FrameTooLargeError, RefusedFrameError, read_frame
from gateway.connections.long_way import read_request
from gateway.connections.outbox import Lane
from gateway.connections.request import answer_to, read_plain
from gateway.connections.transport import Transport
from gateway.limits import RETRY_AFTER_SECONDS
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
_upgraded = _upgrades.labels(status="101")


class UpgradeRefusedError(Exception):
    """There will be no WebSocket: it was refused over HTTP, or never properly asked for."""


class HelloRefusedError(Exception):
    """The client did not say properly who it is."""

    def __init__(self, close: CloseCode) -> None:
        super().__init__(close.name)
        self.close = close


class UpgradeRules(msgspec.Struct, frozen=True, kw_only=True):
    """Who may open a WebSocket, and how the far end's address is found."""

    origins: frozenset[str]
    addresses: Addresses
    peer: Callable[[], str]


class Upgraded(msgspec.Struct, frozen=True, kw_only=True):
    """A WebSocket on which nothing was said yet; `socket` if trio-websocket has it already."""

    socket: WebSocketConnection | None
    wire_format: WireFormat


async def upgrade(nursery: trio.Nursery, transport: Transport, *, rules: UpgradeRules) -> Upgraded:
    """Answer the HTTP request for a WebSocket.

    Raises:
        UpgradeRefusedError: if none was opened.
    """
    received = await transport.receive_first()
    if not received:
        count_absent()
        raise UpgradeRefusedError("the client has gone")
    plain = read_plain(received)
    if plain is None:
        request = await read_request(nursery, transport, unread=received)
        return await _accept(request, _why_not(_asked_in(request), rules))
    asked = _Asked(target=plain.target, origin=plain.origin, forwarded_for=plain.forwarded_for)
    refusal = _why_not(asked, rules)
    if refusal is not None:
        request = await read_request(nursery, transport, unread=received)
        return await _accept(request, refusal)
    chosen = _choose(plain.subprotocols)
    transport.push(answer_to(plain, subprotocol=chosen), Lane.CONTROL)
    _upgraded.inc()
    return Upgraded(socket=None, wire_format=_wire_format(chosen))


def count_absent() -> None:
    """Count a client that asked for nothing, or not in time."""
    _upgrades.labels(status="none").inc()


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether a request is granted."""

    target: str
    origin: str | None
    forwarded_for: str


class _Refusal(msgspec.Struct, frozen=True):
    """Why it is not."""

    status: int
    body: bytes


def _why_not(asked: _Asked, rules: UpgradeRules) -> _Refusal | None:
    """Return why a request is refused; asked once for each, because it counts who knocks."""
    if urlsplit(asked.target).path != SOCKET_PATH:
        return _Refusal(404, b"The WebSocket is at /ws.\n")
    if not _is_allowed(asked.origin, rules.origins):
        return _Refusal(403, b"This origin may not open a WebSocket here.\n")
    if _knocks_too_often(asked, rules):
        return _Refusal(_TOO_MANY, b"Too many at once from your address; wait.\n")
    return None


async def _accept(request: WebSocketRequest, refusal: _Refusal | None) -> Upgraded:
    if refusal is not None:
        await _reject(request, refusal)
    chosen = _choose(request.proposed_subprotocols)
    socket = await request.accept(subprotocol=chosen)
    _upgraded.inc()
    return Upgraded(socket=socket, wire_format=_wire_format(chosen))


def _choose(offered: Sequence[str]) -> str | None:
    return next((name for name in SUBPROTOCOLS if name in offered), None)


def _wire_format(chosen: str | None) -> WireFormat:
    return DEFAULT_WIRE_FORMAT if chosen is None else SUBPROTOCOLS[chosen]


def _asked_in(request: WebSocketRequest) -> _Asked:
    return _Asked(
        target=request.path,
        origin=_header(request, b"origin"),
        forwarded_for=_header(request, b"x-forwarded-for") or "",
    )


def _header(request: WebSocketRequest, wanted: bytes) -> str | None:
    found = [value for name, value in request.headers if name.lower() == wanted]
    return None if not found else b", ".join(found).decode("latin-1")


def _knocks_too_often(asked: _Asked, rules: UpgradeRules) -> bool:
    """Count a client behind a proxy; whoever comes by themselves was counted at the door."""
    addresses = rules.addresses
    if not addresses.has_proxies or not addresses.is_trusted(peer := rules.peer()):
        return False
    return addresses.knock(addresses.client_of(peer, asked.forwarded_for)) > 0


def _is_allowed(origin: str | None, origins: frozenset[str]) -> bool:
    """Only browsers send an origin, and they always do."""
    return origin is None or ANY_ORIGIN in origins or origin in origins


async def _reject(request: WebSocketRequest, refusal: _Refusal) -> NoReturn:
    _upgrades.labels(status=str(refusal.status)).inc()
    headers = [(b"Content-Type", b"text/plain"), (b"Connection", b"close")]
    if refusal.status == _TOO_MANY:
        headers.append((b"Retry-After", b"%d" % RETRY_AFTER_SECONDS))
    await request.reject(refusal.status, extra_headers=headers, body=refusal.body)
    raise UpgradeRefusedError(f"refused with {refusal.status}")


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
