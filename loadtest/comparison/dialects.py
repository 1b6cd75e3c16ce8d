"""How each server is spoken to: from the upgrade to being in the rooms, then messages."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import msgspec
from typing_extensions import override

from protocol.client_frames import Hello, Ping, SetTyping, Subscribe
from protocol.codec import encode_frame
from protocol.topics import Position, Topic
from protocol.views import ChatMessage

_encode: Final = msgspec.json.encode


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Who a socket is, and what it wants to hear."""

    number: int
    ticket: str
    topics: Sequence[Topic]


class Answer(msgspec.Struct, frozen=True):
    """What to say next, whether what was heard counts, and whether all rooms are entered now."""

    say: tuple[bytes, ...] = ()
    counts: bool = False
    joined: bool = False


class UnwelcomeError(Exception):
    """The server does not want this client."""


class Dialect(Protocol):
    """What one kind of server and its clients say. Payloads, not WebSocket frames."""

    @property
    def path(self) -> str:
        """Where the WebSocket is."""
        ...

    @property
    def subprotocol(self) -> str:
        """What to agree on; empty if nothing."""
        ...

    def opening(self, guest: Guest) -> Iterator[bytes]:
        """Yield what a client says before it has heard anything."""
        ...

    def join(self, guest: Guest, payload: bytes, heard: int) -> Answer:
        """Answer a payload on the way in; `heard` counts the answers that mattered so far."""
        ...

    def say(self, message: ChatMessage, topic: Topic) -> bytes:
        """Return what makes the server broadcast a message."""
        ...

    def typing(self, topic: Topic) -> bytes:
        """Return what says that one is writing in a room."""
        ...

    def heartbeat(self) -> bytes | None:
        """Return what shows that a client is alive; None if only the server asks."""
        ...

    def reply(self, payload: bytes) -> bytes | None:
        """Return what a payload that is no message must be answered with."""
        ...


class RialtoDialect:
    """The gateway's own protocol; messages get into it by Redis, so `say` is never used."""

    path: Final = "/ws"
    subprotocol: Final = "rialto.v1.json"

    def opening(self, guest: Guest) -> Iterator[bytes]:
        """Say hello and subscribe in one go; the answers come in that order."""
        device = f"bench{guest.number:08d}"
        yield encode_frame(Hello(id=1, ticket=guest.ticket, device=device), "json")
        for number, topic in enumerate(guest.topics, start=2):
            yield encode_frame(Subscribe(id=number, topic=topic), "json")

    def join(self, guest: Guest, payload: bytes, heard: int) -> Answer:
        """Wait for every subscription."""
        if payload.startswith(b'{"type":"error"'):
            raise UnwelcomeError(payload.decode())
        wanted = b'{"type":"subscribed"' if guest.topics else b'{"type":"welcome"'
        counts = payload.startswith(wanted)
        return Answer(counts=counts, joined=counts and heard + 1 >= len(guest.topics))

    def say(self, message: ChatMessage, topic: Topic) -> bytes:
        """Have no way in: a message is durable before anybody hears of it."""
        raise NotImplementedError

    def typing(self, topic: Topic) -> bytes:
        """Return the signal."""
        return encode_frame(SetTyping(topic=topic, on=True), "json")

    def heartbeat(self) -> bytes | None:
        """Return a ping; the gateway answers with a pong."""
        return encode_frame(Ping(id=1), "json")

    def reply(self, payload: bytes) -> bytes | None:
        """Nothing the gateway says asks for an answer."""
        return None


class SocketIoDialect:
    """Socket.IO 4 over Engine.IO 4, WebSocket only."""

    path: Final = "/socket.io/?EIO=4&transport=websocket"
    subprotocol: Final = ""

    def opening(self, guest: Guest) -> Iterator[bytes]:
        """Say nothing: the server opens."""
        yield from ()

    def join(self, guest: Guest, payload: bytes, heard: int) -> Answer:
        """Connect to the namespace with the ticket, then enter the rooms."""
        if payload.startswith(b"0"):
            return Answer(say=(b"40" + _encode({"ticket": guest.ticket}),))
        if payload.startswith(b"40"):
            return Answer(say=(b"421" + _encode(["join", list(guest.topics)]),))
        if payload.startswith(b"44"):
            raise UnwelcomeError(payload.decode())
        return Answer(joined=payload.startswith(b"431"))

    def say(self, message: ChatMessage, topic: Topic) -> bytes:
        """Return the event that is broadcast."""
        return b"42" + _encode(["say", {**msgspec.to_builtins(message), "room": topic}])

    def typing(self, topic: Topic) -> bytes:
        """Return the event."""
        return b"42" + _encode(["typing", topic])

    def heartbeat(self) -> bytes | None:
        """Say nothing: the server asks every 25 s."""
        return None

    def reply(self, payload: bytes) -> bytes | None:
        """Answer the server's ping."""
        return b"3" if payload == b"2" else None


class PlainDialect:
    """JSON objects with a type: what one writes with `ws` or `websockets` alone."""

    path: Final = "/"
    subprotocol: Final = ""

    def opening(self, guest: Guest) -> Iterator[bytes]:
        """Say who one is and which rooms one wants."""
        yield _encode({"type": "hello", "ticket": guest.ticket, "rooms": list(guest.topics)})

    def join(self, guest: Guest, payload: bytes, heard: int) -> Answer:
        """Wait to be welcome."""
        return Answer(joined=payload.startswith(b'{"type":"welcome"'))

    def say(self, message: ChatMessage, topic: Topic) -> bytes:
        """Return what is broadcast."""
        return _encode({"type": "say", **msgspec.to_builtins(message), "room": topic})

    def typing(self, topic: Topic) -> bytes:
        """Return the signal."""
        return _encode({"type": "typing", "room": topic})

    def heartbeat(self) -> bytes | None:
        """Return a ping of the application."""
        return b'{"type":"ping"}'

    def reply(self, payload: bytes) -> bytes | None:
        """Nothing asks for an answer."""
        return None


class ResumingDialect(RialtoDialect):
    """A client of the gateway that comes back to where it stood."""

    def __init__(self, positions_of: Callable[[Guest], dict[str, Position]]) -> None:
        """Ask `positions_of` where a guest stands in each topic, its own included."""
        self._positions_of = positions_of

    @override
    def opening(self, guest: Guest) -> Iterator[bytes]:
        """Say hello with the positions."""
        device = f"bench{guest.number:08d}"
        positions = self._positions_of(guest)
        hello = Hello(id=1, ticket=guest.ticket, device=device, positions=positions)
        yield encode_frame(hello, "json")

    @override
    def join(self, guest: Guest, payload: bytes, heard: int) -> Answer:
        """Wait until everything missed was told, in every topic."""
        if payload.startswith((b'{"type":"error"', b'{"type":"gap"')):
            raise UnwelcomeError(payload.decode())
        counts = payload.startswith(b'{"type":"replayed"')
        return Answer(counts=counts, joined=counts and heard >= len(guest.topics))
