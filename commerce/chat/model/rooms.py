"""What a room is, and how one user sees it. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from commerce.chat.errors import InvalidRoomError
from commerce.chat.model.members import Member, Standing
from commerce.chat.model.messages import Message
from commerce.chat.model.moments import UnixMicroseconds, at_unix_us, unix_us
from protocol.ids import OrderId, ProductId, RoomId, UserId
from protocol.views import MemberRole, Person, RoomKind

GROUP_MEMBERS_MAX: Final = 50
"""Everyone in a group hears everything said in it, so a group is what a person can follow."""

ROOMS_JOINED_MAX: Final = 1_000
"""Rooms a user may enter by themselves; the list of one's rooms is sorted anew at each reading."""

STAFF_INVITED_MAX: Final = 20
"""Staff who are made members of a new support room at once; others join it when they help."""

SLOW_MODE_SECONDS_MAX: Final = 3_600


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
    order_id: OrderId | None = None
    slow_mode_seconds: int = 0

    @property
    def is_public(self) -> bool:
        """Say whether anyone may read it, signed in or not, and anyone signed in may join."""
        return self.kind == "product"

    def new_member(
        self, person: Person, *, role: MemberRole, standing: Standing | None, now: datetime
    ) -> Member:
        """Return what somebody is who comes in now; what the room remembers of them holds on."""
        return Member(
            room_id=self.id,
            user_id=person.id,
            user_name=person.name,
            role=role,
            joined_at=now,
            joined_seq=self.last_seq,
            muted_until=None if standing is None else standing.muted_until,
            last_sent_at=None if standing is None else standing.last_sent_at,
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
    order_id: OrderId | None = None
    slow_mode_seconds: int = 0
    muted_until: datetime | None = None
    last_sent_at: datetime | None = None
    is_banned: bool = False

    @property
    def next_message_at(self) -> datetime | None:
        """When a slow room lets its reader write again; None if it does not make them wait."""
        if self.role != "member" or self.last_sent_at is None or self.slow_mode_seconds == 0:
            return None
        return self.last_sent_at + timedelta(seconds=self.slow_mode_seconds)

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
        return ListedAfter(active_at_us=unix_us(self.summary.active_at), room_id=self.summary.id)


class ListedAfter(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a list of rooms, given by the room before it."""

    active_at_us: UnixMicroseconds
    room_id: RoomId

    @property
    def active_at(self) -> datetime:
        """When the room before it was written in."""
        return at_unix_us(self.active_at_us)


def product_room_id(product_id: ProductId) -> RoomId:
    """Return the room of a product, which has the product's own ULID."""
    return RoomId("rom_" + product_id[4:])


def support_room_id(order_id: OrderId) -> RoomId:
    """Return the support room of an order, which has the order's own ULID: there is one."""
    return RoomId("rom_" + order_id[4:])


def direct_pair(one: UserId, other: UserId) -> str:
    """Return what the room of two people is known by, whoever of them asks.

    Raises:
        InvalidRoomError: if they are the same person.
    """
    if one == other:
        raise InvalidRoomError("A direct room needs somebody else in it.")
    return ":".join(sorted((one, other)))
