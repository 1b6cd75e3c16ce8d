"""What a member is, and what stays of somebody who left. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from commerce.chat.errors import InvalidMuteError
from commerce.chat.model.moments import UnixMicroseconds, at_unix_us, unix_us
from protocol.ids import RoomId, UserId
from protocol.views import MemberRole, Person

READER_ROLE: Final = "reader"
"""What everyone is to a public room, in the access projection."""

MUTE_DAYS_MAX: Final = 366

_ORDER: Final[tuple[MemberRole, ...]] = ("member", "moderator", "owner")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a room. `joined_seq` is the last message before they came."""

    room_id: RoomId
    user_id: UserId
    user_name: str
    role: MemberRole
    joined_at: datetime
    joined_seq: int = 0
    muted_until: datetime | None = None
    last_sent_at: datetime | None = None

    @property
    def person(self) -> Person:
        """The member, as others see them."""
        return Person(id=self.user_id, name=self.user_name)

    @property
    def place(self) -> "JoinedAfter":
        """Where the member stands in the list."""
        return JoinedAfter(joined_at_us=unix_us(self.joined_at), user_id=self.user_id)

    def muted_for(self, now: datetime) -> timedelta | None:
        """Return how much longer the member may not write; None if they may."""
        if self.muted_until is None or self.muted_until <= now:
            return None
        return self.muted_until - now

    def slowed_for(self, now: datetime, *, slow_mode_seconds: int) -> timedelta | None:
        """Return how long a member of a slow room still waits; None if they may write."""
        if self.role != "member" or self.last_sent_at is None or slow_mode_seconds == 0:
            return None
        left = self.last_sent_at + timedelta(seconds=slow_mode_seconds) - now
        return left if left > timedelta(0) else None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a room remembers of somebody, in it or not, and in how many rooms they are."""

    rooms_count: int
    banned_at: datetime | None = None
    muted_until: datetime | None = None
    last_sent_at: datetime | None = None


class Banned(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may not come back."""

    user_id: UserId
    user_name: str
    banned_at: datetime
    banned_by: UserId
    reason: str


class JoinedAfter(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a list of members, given by the member before it."""

    joined_at_us: UnixMicroseconds
    user_id: UserId

    @property
    def joined_at(self) -> datetime:
        """When the member before it joined."""
        return at_unix_us(self.joined_at_us)


def successor(members: Sequence[Member]) -> Member | None:
    """Return who becomes the owner when the owner has left: by role, then by age."""
    return max(
        members,
        key=lambda member: (
            _ORDER.index(member.role),
            -member.joined_at.timestamp(),
            member.user_id,
        ),
        default=None,
    )


def checked_mute(until: datetime | None, *, now: datetime) -> datetime | None:
    """Return until when somebody is muted; None if they are not, or no longer.

    Raises:
        InvalidMuteError: if it is more than `MUTE_DAYS_MAX` days away.
    """
    if until is None or until <= now:
        return None
    if until - now > timedelta(days=MUTE_DAYS_MAX):
        raise InvalidMuteError(days_max=MUTE_DAYS_MAX)
    return until
