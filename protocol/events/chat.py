"""Facts about rooms, told on the room's topic; read marks and mentions on the user's own."""

from protocol.events.event import Event
from protocol.ids import MessageId, RoomId, UserId
from protocol.views import ChatMessage, MemberRole, Person, Reactions


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


class ReactionsChanged(Event, frozen=True, kw_only=True, tag="reactions_changed"):
    """The reactions to a message are now as given, all of them: `user` set or took back `emoji`.

    Who keeps the highest `reactions.version` never shows an older truth. One's own reactions are
    what one read, changed by the events of which one is the `user`.
    """

    room: RoomId
    message: MessageId
    seq: int
    reactions: Reactions
    user: UserId
    emoji: str
    on: bool


class Mentioned(Event, frozen=True, kw_only=True, tag="mentioned"):
    """A message names the user; told on the user's topic. `text` is how the message begins."""

    user: UserId
    room: RoomId
    room_title: str
    message: MessageId
    seq: int
    author: Person
    text: str


class MemberJoined(Event, frozen=True, kw_only=True, tag="member_joined"):
    """Somebody became a member of the room."""

    room: RoomId
    member: Person


class MemberLeft(Event, frozen=True, kw_only=True, tag="member_left"):
    """Somebody is no longer a member; in a private room the gateway stops their delivery."""

    room: RoomId
    user: UserId


class MemberChanged(Event, frozen=True, kw_only=True, tag="member_changed"):
    """A member's role and mute are now as given; who is muted may read and not write."""

    room: RoomId
    user: UserId
    role: MemberRole
    muted_until_ms: int | None = None


class MemberBanned(Event, frozen=True, kw_only=True, tag="member_banned"):
    """Somebody may not come back into the room, and the gateway stops their delivery."""

    room: RoomId
    user: UserId


class MemberUnbanned(Event, frozen=True, kw_only=True, tag="member_unbanned"):
    """Somebody may come into the room again."""

    room: RoomId
    user: UserId


class RoomChanged(Event, frozen=True, kw_only=True, tag="room_changed"):
    """The rules of the room are now as given; in slow mode a member waits between messages."""

    room: RoomId
    slow_mode_seconds: int


class ReadMarked(Event, frozen=True, kw_only=True, tag="read_marked"):
    """The user has read a room up to and with `seq`; `unread` messages are left."""

    room: RoomId
    seq: int
    unread: int
