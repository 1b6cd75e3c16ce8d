"""Chat over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from commerce.chat.model import (
    GROUP_MEMBERS_MAX,
    REASON_CHARS_MAX,
    SLOW_MODE_SECONDS_MAX,
    TITLE_CHARS_MAX,
    Banned,
    History,
    Member,
    MemberRole,
    Power,
    Report,
    RoomInList,
    powers_of,
    rank_of,
)
from commerce.foundation.pagination import PAGE_ITEMS_DEFAULT, Limit
from protocol.ids import ID_PATTERN, MessageId, OrderId, ProductId, RoomId, UserId
from protocol.views import ChatMessage, Person, RoomKind
from shared.clock import unix_ms

_UserId = Annotated[UserId, msgspec.Meta(pattern=r"^usr_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
_Reason = Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)]
_UNIX_MS_MAX = 253_402_300_799_000
"""The last moment of the year 9999, the last that every calendar here knows."""

_Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class NewRoom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room to make. A direct one has no title and exactly one other member."""

    kind: Literal["group", "direct"]
    members: Annotated[list[_UserId], msgspec.Meta(max_length=GROUP_MEMBERS_MAX)]
    title: Annotated[str, msgspec.Meta(max_length=TITLE_CHARS_MAX)] | None = None


class NewMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is invited to a group."""

    user: _UserId


class NewRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member is to be."""

    role: MemberRole


class NewMute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when a member may only read; null, or a moment that is past, ends it."""

    until_ms: Annotated[int, msgspec.Meta(ge=0, le=_UNIX_MS_MAX)] | None


class NewBan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why somebody may not come back."""

    reason: _Reason = ""


class NewSlowMode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member waits between two messages, in seconds; 0 is not at all."""

    seconds: Annotated[int, msgspec.Meta(ge=0, le=SLOW_MODE_SECONDS_MAX)]


class NewReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with a message."""

    reason: _Reason = ""


class BannedAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of bans goes on."""

    user_id: _UserId


class ReportedBefore(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of reports goes on."""

    id: Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which words to look for; the last may be the beginning of one. Below number `before`."""

    q: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    before: _Seq | None = None
    limit: Limit = PAGE_ITEMS_DEFAULT


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages: those that follow number `after`, or else the newest; below `before`."""

    after: _Seq | None = None
    before: _Seq | None = None
    limit: Limit = PAGE_ITEMS_DEFAULT


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """A room as its reader sees it; `role` is null for a visitor of a public room.

    A direct room has the other member's name for a title. `unread` counts the messages after
    `read_seq`, which writing moves forward as well as reading. `powers` is what the reader may do
    beyond talking; who is `banned` may neither come in nor write, who is muted may not write yet.
    In slow mode a plain member waits between messages; `next_message_at_ms` is when they may write.
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
    order: OrderId | None
    slow_mode_seconds: int
    powers: list[Power]
    banned: bool
    muted_until_ms: int | None
    next_message_at_ms: int | None


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a room."""

    person: Person
    role: MemberRole
    joined_at_ms: int
    muted_until_ms: int | None


class BannedView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may not come back."""

    person: Person
    banned_at_ms: int
    banned_by: UserId
    reason: str


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """A message that somebody finds against the rules; `text` is what it said then."""

    id: str
    room: RoomId
    message: MessageId
    author: UserId
    text: str
    reporter: UserId
    reason: str
    reported_at_ms: int


class Messages(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a room, oldest first. `more`: there are more beyond them."""

    items: list[ChatMessage]
    more: bool


def view_room(listed: RoomInList, *, is_staff: bool = False) -> RoomView:
    """Show a room to its reader, who may work here."""
    room, last = listed.summary, listed.last_message
    rank = rank_of(room, is_staff=is_staff and room.kind != "group")
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
        order=room.order_id,
        slow_mode_seconds=room.slow_mode_seconds,
        powers=powers_of(room.kind, rank),
        banned=room.is_banned,
        muted_until_ms=_ms_of(room.muted_until),
        next_message_at_ms=_ms_of(room.next_message_at),
    )


def view_member(member: Member) -> MemberView:
    """Show a member."""
    return MemberView(
        person=member.person,
        role=member.role,
        joined_at_ms=unix_ms(member.joined_at),
        muted_until_ms=_ms_of(member.muted_until),
    )


def view_banned(banned: Banned) -> BannedView:
    """Show who is banned."""
    return BannedView(
        person=Person(id=banned.user_id, name=banned.user_name),
        banned_at_ms=unix_ms(banned.banned_at),
        banned_by=banned.banned_by,
        reason=banned.reason,
    )


def view_report(report: Report) -> ReportView:
    """Show a report."""
    return ReportView(
        id=report.id,
        room=report.room_id,
        message=report.message_id,
        author=report.author_id,
        text=report.body,
        reporter=report.reporter_id,
        reason=report.reason,
        reported_at_ms=unix_ms(report.created_at),
    )


def moment_of(at_ms: int | None) -> datetime | None:
    """Return a moment that came as Unix milliseconds."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)


def view_history(history: History) -> Messages:
    """Show a stretch of messages."""
    return Messages(items=[message.view for message in history.messages], more=history.more)


def _ms_of(moment: datetime | None) -> int | None:
    return None if moment is None else unix_ms(moment)
