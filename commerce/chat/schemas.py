"""Chat over HTTP."""

from typing import Annotated, Literal

import msgspec

from commerce.chat.model import (
    GROUP_MEMBERS_MAX,
    TITLE_CHARS_MAX,
    History,
    Member,
    MemberRole,
    RoomInList,
)
from commerce.foundation.pagination import PAGE_ITEMS_DEFAULT, Limit
from protocol.ids import ProductId, RoomId, UserId
from protocol.views import ChatMessage, Person, RoomKind
from shared.clock import unix_ms

_UserId = Annotated[UserId, msgspec.Meta(pattern=r"^usr_[0-9A-HJKMNP-TV-Z]{26}$")]
_Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class NewRoom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room to make. A direct one has no title and exactly one other member."""

    kind: Literal["group", "direct"]
    members: Annotated[list[_UserId], msgspec.Meta(max_length=GROUP_MEMBERS_MAX)]
    title: Annotated[str, msgspec.Meta(max_length=TITLE_CHARS_MAX)] | None = None


class NewMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is invited to a group."""

    user: _UserId


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages: those that follow number `after`, or else the newest; below `before`."""

    after: _Seq | None = None
    before: _Seq | None = None
    limit: Limit = PAGE_ITEMS_DEFAULT


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """A room as its reader sees it; `role` is null for a visitor of a public room.

    A direct room has the other member's name for a title. `unread` counts the messages after
    `read_seq`, which writing moves forward as well as reading.
    """

    id: RoomId
    kind: RoomKind
    title: str
    role: MemberRole | None
    product: ProductId | None
    last_seq: int
    read_seq: int
    unread: int
    active_at_ms: int
    last_message: ChatMessage | None


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a room."""

    person: Person
    role: MemberRole
    joined_at_ms: int


class Messages(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a room, oldest first. `more`: there are more beyond them."""

    items: list[ChatMessage]
    more: bool


def view_room(listed: RoomInList) -> RoomView:
    """Show a room."""
    room, last = listed.summary, listed.last_message
    return RoomView(
        id=room.id,
        kind=room.kind,
        title=room.title,
        role=room.role,
        product=room.product_id,
        last_seq=room.last_seq,
        read_seq=room.read_seq,
        unread=room.unread,
        active_at_ms=unix_ms(room.active_at),
        last_message=None if last is None else last.view,
    )


def view_member(member: Member) -> MemberView:
    """Show a member."""
    return MemberView(
        person=member.person, role=member.role, joined_at_ms=unix_ms(member.joined_at)
    )


def view_history(history: History) -> Messages:
    """Show a stretch of messages."""
    return Messages(items=[message.view for message in history.messages], more=history.more)
