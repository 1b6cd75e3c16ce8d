"""Facts, in the past tense: what topics carry. Added to, never changed."""

from protocol.events.accounts import SessionRevoked
from protocol.events.cart import CartChanged
from protocol.events.catalog import ProductChanged
from protocol.events.chat import (
    MemberBanned,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberUnbanned,
    Mentioned,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    ReactionsChanged,
    ReadMarked,
    RoomChanged,
)
from protocol.events.commands import CommandCommitted, CommandRejected
from protocol.events.event import Event
from protocol.events.licenses import LicenseChanged
from protocol.events.notifications import NotificationReceived, NotificationsRead
from protocol.events.orders import (
    OrderCanceled,
    OrderExpired,
    OrderFulfilled,
    OrderPaid,
    OrderPlaced,
)

AnyEvent = (
    MessageSent
    | MessageEdited
    | MessageDeleted
    | MemberJoined
    | MemberLeft
    | ReadMarked
    | ReactionsChanged
    | Mentioned
    | MemberChanged
    | MemberBanned
    | MemberUnbanned
    | RoomChanged
    | CommandCommitted
    | CommandRejected
    | CartChanged
    | OrderPlaced
    | OrderPaid
    | OrderFulfilled
    | OrderCanceled
    | OrderExpired
    | ProductChanged
    | NotificationReceived
    | NotificationsRead
    | SessionRevoked
    | LicenseChanged
)

__all__ = [
    "AnyEvent",
    "CartChanged",
    "CommandCommitted",
    "CommandRejected",
    "Event",
    "LicenseChanged",
    "MemberBanned",
    "MemberChanged",
    "MemberJoined",
    "MemberLeft",
    "MemberUnbanned",
    "Mentioned",
    "MessageDeleted",
    "MessageEdited",
    "MessageSent",
    "NotificationReceived",
    "NotificationsRead",
    "OrderCanceled",
    "OrderExpired",
    "OrderFulfilled",
    "OrderPaid",
    "OrderPlaced",
    "ProductChanged",
    "ReactionsChanged",
    "ReadMarked",
    "RoomChanged",
    "SessionRevoked",
]
