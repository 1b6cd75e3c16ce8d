"""What an operator may ask for, and what is answered."""

from typing import Annotated

import msgspec

from gateway.limits import OPERATOR_PAGE, OPERATOR_PAGE_MAX
from protocol.ids import ConnectionId, DeviceId, Id
from protocol.server_frames import NoticeLevel, NoticeText
from protocol.topics import TopicName
from protocol.version import WireFormat

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Filters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which connections to list. Those given must all hold; `after` is the last page's `next`.

    `older_than` and `slower_than` are seconds: since it was admitted; that a frame has waited.
    """

    user: Id | None = None
    topic: TopicName | None = None
    device: DeviceId | None = None
    address: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    older_than: Seconds | None = None
    slower_than: Seconds | None = None
    after: Id | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=OPERATOR_PAGE_MAX)] = OPERATOR_PAGE


class Kick(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to close: `reconnect` says whether the client is to come back by itself."""

    reconnect: bool = True


class Broadcast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to say, and to whom: the listeners of a topic, one user, or everybody."""

    text: NoticeText
    level: NoticeLevel = "info"
    topic: TopicName | None = None
    user: Id | None = None


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One connection, as operators see it."""

    id: ConnectionId
    user: str
    name: str
    device: str
    address: str
    format: WireFormat
    visible: bool
    topics: int
    open_seconds: float
    silent_seconds: float
    waiting_bytes: int
    waiting_seconds: float


class ConnectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Connections in the order they were opened; `next` is null on the last page."""

    connections: list[ConnectionView]
    next: ConnectionId | None


class TopicView(msgspec.Struct, frozen=True, kw_only=True):
    """One topic of this worker; `offset` grows by one with each event."""

    topic: str
    listeners: int
    offset: int
    waiting_bytes: int


class Top(msgspec.Struct, frozen=True, kw_only=True):
    """The sockets that are slowest now, and the topics that wait longest or are heard most."""

    slowest: list[ConnectionView]
    topics: list[TopicView]
