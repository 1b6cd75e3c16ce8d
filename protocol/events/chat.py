"""Facts about rooms, told on the room's topic; read marks on the reader's own."""

from protocol.events.event import Event
from protocol.ids import MessageId, RoomId, UserId
from protocol.views import ChatMessage, Person


class MessageSent(Event, frozen=True, kw_only=True, tag="message_sent"):
    """Somebody said something."""

    message: ChatMessage


class MessageEdited(Event, frozen=True, kw_only=True, tag="message_edited"):
    """A message is now as given."""

    message: ChatMessage


class MessageDeleted(Event, frozen=True, kw_only=True, tag="message_deleted"):
    """A message was taken back; its number stays taken."""

    room: RoomId
    message: MessageId
    seq: int
    version: int


class MemberJoined(Event, frozen=True, kw_only=True, tag="member_joined"):
    """Somebody became a member of the room."""

    room: RoomId
    member: Person


class MemberLeft(Event, frozen=True, kw_only=True, tag="member_left"):
    """Somebody is no longer a member; in a private room the gateway stops their delivery."""

    room: RoomId
    user: UserId


class ReadMarked(Event, frozen=True, kw_only=True, tag="read_marked"):
    """The user has read a room up to and with `seq`; `unread` messages are left."""

    room: RoomId
    seq: int
    unread: int
