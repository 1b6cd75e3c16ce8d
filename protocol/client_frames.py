"""Everything a client may send over its WebSocket.

A frame with an `id` is answered by exactly one server frame with the same `id`: the named answer,
or `error`. Frames without one are signals and are not answered.
"""

from typing import Annotated, Final

import msgspec

from protocol.commands import AnyCommand
from protocol.ids import AnyProductId, AnyUserId, CommandKey, DeviceId
from protocol.topics import Position, TopicName

TOPICS_MAX: Final = 128
"""Topics one connection may be subscribed to."""

WATCHED_PRODUCTS_MAX: Final = 200
"""Products one connection may watch; they do not count as topics."""

WATCHED_PEOPLE_MAX: Final = 200
"""Users whose presence one connection may follow, outside of rooms."""

TICKET_CHARS_MAX: Final = 4096

FrameId = Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]
"""The client's number for a question; unique among the questions not yet answered."""

Ticket = Annotated[str, msgspec.Meta(min_length=1, max_length=TICKET_CHARS_MAX)]
Positions = Annotated[dict[TopicName, Position], msgspec.Meta(max_length=TOPICS_MAX)]

_Version = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
_AgeMs = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
WatchedProducts = Annotated[
    dict[AnyProductId, _Version], msgspec.Meta(max_length=WATCHED_PRODUCTS_MAX)
]
WatchedPeople = Annotated[list[AnyUserId], msgspec.Meta(max_length=WATCHED_PEOPLE_MAX)]


class ClientFrame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything a client may send."""


class Hello(ClientFrame, frozen=True, kw_only=True, tag="hello"):
    """Open the conversation; must be the first frame, within 10 s. Answer: `welcome`.

    `positions` names the topics to subscribe to at once and where the client stands in each.
    The user's own topic is always subscribed to, from the position given here if there is one.
    `session` is what an earlier `welcome` gave, and goes on with this socket: the one that held
    it, on whichever worker, is closed (4009).
    """

    id: FrameId
    ticket: Ticket
    device: DeviceId
    session: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    positions: Positions = {}
    visible: bool = True


class Subscribe(ClientFrame, frozen=True, kw_only=True, tag="subscribe"):
    """Hear a topic, from `position` on or from now. Answer: `subscribed`."""

    id: FrameId
    topic: TopicName
    position: Position | None = None


class Unsubscribe(ClientFrame, frozen=True, kw_only=True, tag="unsubscribe"):
    """Stop hearing a topic. Answer: `ok`."""

    id: FrameId
    topic: TopicName


class Resume(ClientFrame, frozen=True, kw_only=True, tag="resume"):
    """Hear several topics from where the client stands in each. Answer: `resumed`."""

    id: FrameId
    positions: Positions


class GiveCommand(ClientFrame, frozen=True, kw_only=True, tag="command"):
    """Ask commerce to do something. Answer: `accepted`; the outcome follows as an event."""

    id: FrameId
    key: CommandKey
    body: AnyCommand


class SetTyping(ClientFrame, frozen=True, kw_only=True, tag="typing"):
    """Say that the user is writing in a room (repeat every 3 s) or has stopped. Not answered."""

    topic: TopicName
    on: bool


class SetStatus(ClientFrame, frozen=True, kw_only=True, tag="status"):
    """Say whether this page can be seen, and whether its user has been idle. Not answered.

    A page that is seen but `idle` (no key, no pointer for 5 min) counts as hidden.
    """

    visible: bool
    idle: bool = False


class Watch(ClientFrame, frozen=True, kw_only=True, tag="watch"):
    """Follow the products a page shows, in place of those before. Answer: `watching`.

    `products` gives the version of each that the client has, 0 if none; `age_ms` how long ago, at
    most, those versions were read or last confirmed. Newer states follow as `product`.
    """

    id: FrameId
    products: WatchedProducts
    age_ms: _AgeMs = 0


class WatchPeople(ClientFrame, frozen=True, kw_only=True, tag="watch_people"):
    """Follow the presence of the users a page shows, in place of those before.

    Answer: `watching_people`, with the state of each; changes follow as `person`.
    """

    id: FrameId
    users: WatchedPeople


class Ping(ClientFrame, frozen=True, kw_only=True, tag="ping"):
    """Show that one is alive. Answer: `pong`."""

    id: FrameId


class Refresh(ClientFrame, frozen=True, kw_only=True, tag="refresh"):
    """Present a fresh ticket of the same user before the old one expires. Answer: `refreshed`."""

    id: FrameId
    ticket: Ticket


AnyClientFrame = (
    Hello
    | Subscribe
    | Unsubscribe
    | Resume
    | GiveCommand
    | SetTyping
    | SetStatus
    | Watch
    | WatchPeople
    | Ping
    | Refresh
)
