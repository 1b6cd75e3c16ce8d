"""Everything a client may receive over its WebSocket."""

from typing import Annotated, Final, Literal

import msgspec

from protocol.client_frames import WATCHED_PEOPLE_MAX, WATCHED_PRODUCTS_MAX
from protocol.events import AnyEvent
from protocol.ids import EventId, ProductId, UserId
from protocol.signals import AnySignal, PersonState
from protocol.topics import Position, Topic
from protocol.views import Product

GapReason = Literal["trimmed", "epoch", "too_far", "lost"]
"""Why events cannot be replayed: trimmed from the log, the log was rebuilt, more than a resume
may carry, or lost on the way."""

NoticeLevel = Literal["info", "warning"]

NOTICE_TEXT_CHARS_MAX: Final = 500

NoticeText = Annotated[str, msgspec.Meta(min_length=1, max_length=NOTICE_TEXT_CHARS_MAX)]


class ServerFrame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything a client may receive."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """So many a minute, and so many at once."""

    per_minute: int
    burst: int


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gateway holds this connection to.

    `frames` is the rate of frames on this socket; `commands` that of commands, by their type, over
    all sockets of the user, and `other_commands` that of each type not named there. Who exceeds one
    is refused with `rate_limited` and told when to ask again.
    """

    frame_bytes_max: int
    message_text_bytes_max: int
    topics_max: int
    replay_events_max: int
    replay_bytes_max: int | None = None
    connections_max: int | None = None
    frames: Rate | None = None
    commands: dict[str, Rate] = {}
    other_commands: Rate | None = None
    watched_products_max: int = WATCHED_PRODUCTS_MAX
    watched_people_max: int = WATCHED_PEOPLE_MAX


class Welcome(ServerFrame, frozen=True, kw_only=True, tag="welcome"):
    """The answer to `hello`.

    `positions` gives, for the user's own topic and every topic named in `hello` that the user may
    hear, the place from which this connection continues. For each topic whose position came from
    the client there follows exactly one `replayed` or `gap`.
    `session` goes on when the next `hello` names it.
    A client that was silent for `heartbeat_ms` sends `ping`; one silent for more than twice as long
    is closed (4012). Each client is given another `heartbeat_ms`, so that not all ping at once.
    """

    id: int
    session: str
    user: UserId
    name: str
    positions: dict[Topic, Position]
    heartbeat_ms: int
    ticket_expires_in_ms: int
    server_time_ms: int
    limits: Limits


class Subscribed(ServerFrame, frozen=True, kw_only=True, tag="subscribed"):
    """The answer to `subscribe`; if it gave a position, one `replayed` or `gap` follows."""

    id: int
    topic: Topic
    position: Position


class Resumed(ServerFrame, frozen=True, kw_only=True, tag="resumed"):
    """The answer to `resume`: where each topic the user may hear continues."""

    id: int
    positions: dict[Topic, Position]


class EventFrame(ServerFrame, frozen=True, kw_only=True, tag="event"):
    """The event at `offset` of a topic; offsets come without gaps, each once.

    `id` is the same wherever the same event is told (an order event on two topics), `at_ms` the
    time it was committed, in Unix milliseconds.
    """

    topic: Topic
    offset: int
    id: EventId
    at_ms: int
    body: AnyEvent


class SignalFrame(ServerFrame, frozen=True, kw_only=True, tag="signal"):
    """The newest ephemeral state of a topic."""

    topic: Topic
    body: AnySignal


class Watching(ServerFrame, frozen=True, kw_only=True, tag="watching"):
    """The answer to `watch`: from now on every newer state of these products is told.

    States newer than the client's follow as `product`. Of the products in `stale` the gateway
    cannot tell whether the client's version is the newest: re-read them.
    """

    id: int
    stale: list[ProductId] = []


class ProductState(ServerFrame, frozen=True, kw_only=True, tag="product"):
    """The newest state of a watched product. A version lower than one you have is to be ignored."""

    product: Product


class Stale(ServerFrame, frozen=True, kw_only=True, tag="stale"):
    """Changes of watched products may have been lost: re-read these. They are still watched."""

    products: list[ProductId]


class WatchingPeople(ServerFrame, frozen=True, kw_only=True, tag="watching_people"):
    """The answer to `watch_people`: the state of each user now, in the order asked."""

    id: int
    people: list[PersonState]


class PersonFrame(ServerFrame, frozen=True, kw_only=True, tag="person"):
    """A followed user's presence is now as given."""

    person: PersonState


class Accepted(ServerFrame, frozen=True, kw_only=True, tag="accepted"):
    """The command is durable in the stream; its outcome follows on the user's topic."""

    id: int
    key: str


class Ok(ServerFrame, frozen=True, kw_only=True, tag="ok"):
    """Done."""

    id: int


class Refreshed(ServerFrame, frozen=True, kw_only=True, tag="refreshed"):
    """The fresh ticket is taken."""

    id: int
    ticket_expires_in_ms: int


class Gap(ServerFrame, frozen=True, kw_only=True, tag="gap"):
    """Events of a topic cannot be given: re-read its state. Delivery goes on after `position`."""

    topic: Topic
    position: Position
    reason: GapReason


class Replayed(ServerFrame, frozen=True, kw_only=True, tag="replayed"):
    """Everything missed was told (`count` events); what follows is live."""

    topic: Topic
    position: Position
    count: int


class Unsubscribed(ServerFrame, frozen=True, kw_only=True, tag="unsubscribed"):
    """The gateway ended a subscription: the right to hear the topic was lost."""

    topic: Topic


class Reconnect(ServerFrame, frozen=True, kw_only=True, tag="reconnect"):
    """This worker is going away: reconnect at a random moment within `within_ms`."""

    within_ms: int


class Notice(ServerFrame, frozen=True, kw_only=True, tag="notice"):
    """Those who run the shop have something to say: show it to the user, as plain text.

    It is told once to whoever is connected, and not replayed. `topic` names the topic whose
    listeners it was meant for, if it was meant for some only.
    """

    text: NoticeText
    level: NoticeLevel
    at_ms: int
    topic: Topic | None = None


class Pong(ServerFrame, frozen=True, kw_only=True, tag="pong"):
    """The answer to `ping`."""

    id: int
    server_time_ms: int


class Error(ServerFrame, frozen=True, kw_only=True, tag="error"):
    """Something was refused. `id` is the question's, where there was one; see `error_codes`."""

    code: int
    name: str
    message: str
    temporary: bool
    id: int | None = None
    topic: str | None = None
    retry_after_ms: int | None = None


AnyServerFrame = (
    Welcome
    | Subscribed
    | Resumed
    | EventFrame
    | SignalFrame
    | Watching
    | ProductState
    | Stale
    | WatchingPeople
    | PersonFrame
    | Accepted
    | Ok
    | Refreshed
    | Gap
    | Replayed
    | Unsubscribed
    | Reconnect
    | Notice
    | Pong
    | Error
)
