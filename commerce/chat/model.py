"""What rooms, members and messages are, and what may be done to them. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec

from commerce.chat.errors import (
    BlankMessageError,
    FixedMembersError,
    InvalidRoomError,
    MessageDeletedError,
    MessageTooLongError,
    NotYourMessageError,
    RoomForbiddenError,
)
from protocol.commands import MESSAGE_TEXT_BYTES_MAX
from protocol.ids import MessageId, ProductId, RoomId, UserId
from protocol.views import ChatMessage, Person, RoomKind
from shared.clock import unix_ms

MemberRole = Literal["owner", "moderator", "member"]

GROUP_MEMBERS_MAX: Final = 50
"""Everyone in a group hears everything said in it, so a group is what a person can follow."""

ROOMS_JOINED_MAX: Final = 1_000
"""Rooms a user may enter by themselves; the list of one's rooms is sorted anew at each reading."""

TITLE_CHARS_MAX: Final = 80

READER_ROLE: Final = "reader"
"""What everyone is to a public room, in the access projection."""

_RANK: Final[dict[MemberRole, int]] = {"member": 0, "moderator": 1, "owner": 2}

# C0 and C1 controls except tab and line feed, and halves of surrogate pairs, which are no UTF-8.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Letters and symbols that show nothing: Hangul fillers and the empty Braille pattern.
_EMPTY_SIGNS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn"})

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UnixMicroseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A place where things are said. The title of a direct room is empty: see `Summary`."""

    id: RoomId
    kind: RoomKind
    title: str
    last_seq: int
    created_at: datetime
    active_at: datetime
    product_id: ProductId | None = None
    direct_pair: str | None = None

    @property
    def is_public(self) -> bool:
        """Say whether anyone may read it, signed in or not, and anyone signed in may join."""
        return self.kind == "product"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a room. `joined_seq` is the last message before they came."""

    room_id: RoomId
    user_id: UserId
    user_name: str
    role: MemberRole
    joined_at: datetime
    joined_seq: int = 0

    @property
    def person(self) -> Person:
        """The member, as others see them."""
        return Person(id=self.user_id, name=self.user_name)

    @property
    def place(self) -> "JoinedAfter":
        """Where the member stands in the list."""
        return JoinedAfter(joined_at_us=_unix_us(self.joined_at), user_id=self.user_id)

    def is_above(self, other: "Member") -> bool:
        """Say whether this member may send `other` away."""
        return _RANK[self.role] > _RANK[other.role]

    def may_moderate(self) -> bool:
        """Say whether this member may take back what others said."""
        return _RANK[self.role] >= _RANK["moderator"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said."""

    id: MessageId
    room_id: RoomId
    seq: int
    version: int
    author_id: UserId
    author_name: str
    body: str
    sent_at: datetime
    reply_to: MessageId | None = None
    command_key: str | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None

    def edited(self, text: str, *, editor: UserId, now: datetime) -> "Message":
        """Return the message with a new text; itself if nothing changes.

        Raises:
            NotYourMessageError: if somebody else wrote it.
            MessageDeletedError: if it was taken back.
        """
        if editor != self.author_id:
            raise NotYourMessageError(self.id)
        if self.deleted_at is not None:
            raise MessageDeletedError(self.id)
        if text == self.body:
            return self
        return msgspec.structs.replace(self, body=text, version=self.version + 1, edited_at=now)

    def deleted(self, *, now: datetime) -> "Message":
        """Return the message without its text; itself if it was taken back before."""
        if self.deleted_at is not None:
            return self
        return msgspec.structs.replace(self, body="", version=self.version + 1, deleted_at=now)

    @property
    def view(self) -> ChatMessage:
        """The message as clients see it."""
        return ChatMessage(
            id=self.id,
            room=self.room_id,
            seq=self.seq,
            version=self.version,
            author=Person(id=self.author_id, name=self.author_name),
            text=self.body,
            sent_at_ms=unix_ms(self.sent_at),
            key=self.command_key,
            reply_to=self.reply_to,
            edited_at_ms=None if self.edited_at is None else unix_ms(self.edited_at),
            deleted=self.deleted_at is not None,
        )


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A room as one user sees it; a direct one has the other's name for a title.

    `read_seq` is the last message the user has read: marked, written by themselves, or older than
    their membership. Who is not a member has no role and has read nothing.
    """

    id: RoomId
    kind: RoomKind
    title: str
    last_seq: int
    read_seq: int
    active_at: datetime
    product_id: ProductId | None = None
    role: MemberRole | None = None

    @property
    def unread(self) -> int:
        """The number of messages after the last one read; a visitor has none."""
        return 0 if self.role is None else self.last_seq - self.read_seq


class RoomInList(msgspec.Struct, frozen=True, kw_only=True):
    """A room with the last thing that was said in it."""

    summary: Summary
    last_message: Message | None

    @property
    def place(self) -> "ListedAfter":
        """Where the room stands in the list."""
        return ListedAfter(active_at_us=_unix_us(self.summary.active_at), room_id=self.summary.id)


class ListedAfter(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a list of rooms, given by the room before it."""

    active_at_us: _UnixMicroseconds
    room_id: RoomId

    @property
    def active_at(self) -> datetime:
        """When the room before it was written in."""
        return _EPOCH + timedelta(microseconds=self.active_at_us)


class JoinedAfter(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a list of members, given by the member before it."""

    joined_at_us: _UnixMicroseconds
    user_id: UserId

    @property
    def joined_at(self) -> datetime:
        """When the member before it joined."""
        return _EPOCH + timedelta(microseconds=self.joined_at_us)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a room's messages, oldest first, and whether there are more beyond it."""

    messages: Sequence[Message]
    more: bool


def cleaned_text(text: str) -> str:
    """Return a message text without control characters, with plain line breaks, trimmed.

    Raises:
        BlankMessageError: if nothing visible is left.
        MessageTooLongError: if more than `MESSAGE_TEXT_BYTES_MAX` bytes of UTF-8 are left.
    """
    cleaned = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)).strip()
    if not _has_something_to_see(cleaned):
        raise BlankMessageError
    if len(cleaned) * 4 > MESSAGE_TEXT_BYTES_MAX:
        text_bytes = len(cleaned.encode())
        if text_bytes > MESSAGE_TEXT_BYTES_MAX:
            raise MessageTooLongError(text_bytes)
    return cleaned


def cleaned_title(title: str) -> str:
    """Return the title of a group on one line.

    Raises:
        InvalidRoomError: if nothing visible is left, or too much.
    """
    cleaned = " ".join(_CONTROLS.sub("", _LINE_BREAKS.sub(" ", title)).split())
    if not _has_something_to_see(cleaned) or len(cleaned) > TITLE_CHARS_MAX:
        raise InvalidRoomError(f"A group needs a title of 1 to {TITLE_CHARS_MAX} characters.")
    return cleaned


def product_room_id(product_id: ProductId) -> RoomId:
    """Return the room of a product, which has the product's own ULID."""
    return RoomId("rom_" + product_id[4:])


def direct_pair(one: UserId, other: UserId) -> str:
    """Return what the room of two people is known by, whoever of them asks.

    Raises:
        InvalidRoomError: if they are the same person.
    """
    if one == other:
        raise InvalidRoomError("A direct room needs somebody else in it.")
    return ":".join(sorted((one, other)))


def require_group(room: Room) -> None:
    """Make sure that members of the room can be invited and sent away.

    Raises:
        FixedMembersError: if it is a direct room.
        RoomForbiddenError: if it is a product's room.
    """
    match room.kind:
        case "direct":
            raise FixedMembersError
        case "product":
            raise RoomForbiddenError("A product's room is joined and left by everyone themselves.")
        case "group":
            return


def successor(members: Sequence[Member]) -> Member | None:
    """Return who becomes the owner when the owner has left: by role, then by age."""
    return max(
        members,
        key=lambda member: (_RANK[member.role], -member.joined_at.timestamp(), member.user_id),
        default=None,
    )


def _unix_us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _has_something_to_see(text: str) -> bool:
    return any(
        unicodedata.category(sign) not in _INVISIBLE_CATEGORIES and sign not in _EMPTY_SIGNS
        for sign in text
    )
