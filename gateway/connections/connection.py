"""One client's WebSocket, once it has said who it is: what it is told, and how it ends."""

from collections.abc import Awaitable, Callable

import trio
from prometheus_client import Counter

from gateway.connections.bucket import TokenBucket
from gateway.connections.outbox import Lane
from gateway.connections.transport import Transport
from gateway.connections.wire import close_frame, data_frame
from gateway.limits import (
    CLOSE_SECONDS_MAX,
    FLOODS_FORGOTTEN_PER_SECOND,
    FLOODS_MAX,
    INBOUND_FRAMES_BURST,
    INBOUND_FRAMES_PER_SECOND,
    STRIKE_SECONDS,
    STRIKES_MAX,
)
from protocol.close_codes import CLOSE_CODES, REPLACED, SLOW_CONSUMER, TOO_MANY_ERRORS, CloseCode
from protocol.codec import encode_frame
from protocol.error_codes import ErrorCode
from protocol.ids import ConnectionId, SessionId, UserId
from protocol.server_frames import Error, ServerFrame
from protocol.version import WireFormat
from protocol.views import Person
from shared.tickets import TicketClaims

_closes = Counter(
    "rialto_gateway_closes_total", "Sockets that ended, by WebSocket close code.", ["code"]
)
_refused = Counter(
    "rialto_gateway_refusals_total", "Frames answered with an error, by its name.", ["name"]
)
_KNOWN_CODES = frozenset({1000, 1001, 1002, 1005, 1006, 1007, 1009}) | {
    close.code for close in CLOSE_CODES
}


class Connection:
    """One admitted client."""

    __slots__ = (
        "_fence",
        "_floods",
        "_inbound",
        "_newest_fence",
        "_nursery",
        "_strikes",
        "_transport",
        "claims",
        "closed_with",
        "device",
        "expires_at",
        "has_left",
        "id",
        "opened_at",
        "session",
        "visible",
        "wire_format",
    )

    def __init__(
        self,
        *,
        connection_id: ConnectionId,
        transport: Transport,
        wire_format: WireFormat,
        claims: TicketClaims,
        lifetime_seconds: float,
        nursery: trio.Nursery,
    ) -> None:
        self.id = connection_id
        self.session: str = connection_id
        self._fence = self._newest_fence = 0
        self.wire_format: WireFormat = wire_format
        self.claims = claims
        self.expires_at = trio.current_time() + lifetime_seconds
        self.opened_at = trio.current_time()
        self.device = ""
        self.visible = True
        self.has_left = False
        self.closed_with: CloseCode | None = None
        self._transport = transport
        self._nursery = nursery
        self._inbound = TokenBucket(
            per_second=INBOUND_FRAMES_PER_SECOND, burst=INBOUND_FRAMES_BURST
        )
        self._floods = TokenBucket(per_second=FLOODS_FORGOTTEN_PER_SECOND, burst=FLOODS_MAX)
        self._strikes = TokenBucket(per_second=1 / STRIKE_SECONDS, burst=STRIKES_MAX)
        transport.on_overflow = self._overflowed

    @property
    def user(self) -> UserId:
        """Whose it is."""
        return self.claims.sub

    @property
    def sign_in(self) -> SessionId:
        """The sign-in it was opened with."""
        return self.claims.sid

    @property
    def person(self) -> Person:
        """Its user, as others see them."""
        return Person(id=self.claims.sub, name=self.claims.name)

    @property
    def transport(self) -> Transport:
        """Where prepared frames go."""
        return self._transport

    @property
    def is_open(self) -> bool:
        """Say whether it can still be told something."""
        return self._transport.is_open and not self.has_left

    def start_soon(self, work: Callable[..., Awaitable[None]], *args: object) -> None:
        """Run something that ends with this connection; a crash in it is the connection's own."""
        if not self.has_left:
            self._nursery.start_soon(work, *args)

    def send(self, frame: ServerFrame, lane: Lane = Lane.REPLY, *, key: str = "") -> None:
        """Tell the client something; see `Transport.push`."""
        payload = encode_frame(frame, self.wire_format)
        self._transport.push(data_frame(payload, self.wire_format), lane, key)

    def send_error(
        self,
        code: ErrorCode,
        message: str = "",
        *,
        question: int | None = None,
        topic: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        """Refuse something."""
        _refused.labels(name=code.name).inc()
        pause = None if retry_after_seconds is None else max(1, int(retry_after_seconds * 1000))
        self.send(
            Error(
                code=code.code,
                name=code.name,
                message=message or code.meaning,
                temporary=code.temporary,
                id=question,
                topic=topic,
                retry_after_ms=pause,
            )
        )

    def renew(self, claims: TicketClaims, *, lifetime_seconds: float) -> None:
        """Go on with a fresh ticket of the same user."""
        self.claims = claims
        self.expires_at = trio.current_time() + lifetime_seconds

    def hold(self, fence: int) -> None:
        """Note that it holds its session, by this fence."""
        self._fence = fence
        self._yield_to_newer()

    def hear_of_holder(self, fence: int) -> None:
        """Note that some connection holds its session by this fence: a greater one is newer.

        What is heard before its own claim is answered counts once the answer is there.
        """
        self._newest_fence = max(self._newest_fence, fence)
        self._yield_to_newer()

    def _yield_to_newer(self) -> None:
        if 0 < self._fence < self._newest_fence:
            self.close(REPLACED)

    def take_inbound_token(self) -> float:
        """Count one frame of the client; return 0, or the seconds it should have waited."""
        return self._inbound.take()

    def note_flood(self) -> None:
        """Note a frame refused for coming too early; only a client that never waits is closed."""
        if self._floods.take() > 0:
            self.close(TOO_MANY_ERRORS)

    def strike(self) -> None:
        """Hold a refused frame against the client; too many of them close the socket."""
        if self._strikes.take() > 0:
            self.close(TOO_MANY_ERRORS)

    def close(self, close: CloseCode) -> None:
        """Begin to close the socket. Never waits; the first reason given counts."""
        if self.closed_with is not None:
            return
        self.closed_with = close
        self._transport.close_with(close_frame(close))
        self._nursery.cancel_scope.deadline = trio.current_time() + CLOSE_SECONDS_MAX

    def _overflowed(self) -> None:
        self.close(SLOW_CONSUMER)


def count_close(code: int) -> None:
    """Count a socket that has ended."""
    _closes.labels(code=str(code) if code in _KNOWN_CODES else "other").inc()
