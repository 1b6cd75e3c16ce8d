"""SQL about the members of rooms and how far they have read."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.chat.model import READER_ROLE, JoinedAfter, Member, MemberRole
from commerce.foundation.database import Transaction
from protocol.ids import RoomId, UserId
from protocol.stream_names import ACCESS_ANYONE, ACCESS_BANNED, ACCESS_MUTED
from protocol.views import Person

_MEMBER: Final[LiteralString] = """
    select room_id, user_id, user_name, role, joined_at, joined_seq, muted_until, last_sent_at
      from room_members
     where room_id = $1
       and user_id = $2
"""

_SOME_MEMBERS: Final[LiteralString] = """
    select room_id, user_id, user_name, role, joined_at, joined_seq, muted_until, last_sent_at
      from unnest($1::text[], $2::text[]) as asked (room_id, user_id)
      join room_members using (room_id, user_id)
"""

_MEMBERS: Final[LiteralString] = """
    select room_id, user_id, user_name, role, joined_at, joined_seq, muted_until, last_sent_at
      from room_members
     where room_id = $1
     order by joined_at, user_id
     limit $2
"""

_MEMBERS_AFTER: Final[LiteralString] = """
    select room_id, user_id, user_name, role, joined_at, joined_seq, muted_until, last_sent_at
      from room_members
     where room_id = $1
       and (joined_at, user_id) > ($2, $3)
     order by joined_at, user_id
     limit $4
"""

# Room by room; whoever may read a public one is named by the sign $1, with the role $2, and who
# may not hear it although anyone else may has the role $3. Who is muted has a field of that name,
# with the end of it in Unix milliseconds.
_EVERY_RIGHT: Final[LiteralString] = """
    select id as room_id, $1::text as user_id, $2::text as role
      from rooms
     where kind = 'product'
     union all
    select room_id, user_id, role
      from room_members
     union all
    select standing.room_id, standing.user_id, $3
      from room_standings as standing
      join rooms as room on room.id = standing.room_id
     where standing.banned_at is not null
       and room.kind = 'product'
     union all
    select room_id, $4::text || user_id, trunc(extract(epoch from muted_until) * 1000)::bigint::text
      from room_standings
     where muted_until > $5
     order by room_id
"""

_INSERT_MEMBER: Final[LiteralString] = """
    insert into room_members
           (room_id, user_id, user_name, role, joined_at, joined_seq, muted_until, last_sent_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict do nothing
"""

_DELETE_MEMBER: Final[LiteralString] = """
    delete from room_members
     where room_id = $1
       and user_id = $2
"""

_SET_ROLE: Final[LiteralString] = """
    update room_members
       set role = $3
     where room_id = $1
       and user_id = $2
"""

_RAISE_SENT: Final[LiteralString] = """
    update room_members
       set sent_seq = greatest(sent_seq, $3)
     where room_id = $1
       and user_id = $2
"""

_SET_MUTE: Final[LiteralString] = """
    update room_members
       set muted_until = $3
     where room_id = $1
       and user_id = $2
"""

# Those in the room whose names are called, and those who are named by their ids.
_CALLED: Final[LiteralString] = """
    select user_id as id, user_name as name
      from room_members
     where room_id = $1
       and (lower(user_name) = any($2::text[]) or user_id = any($3::text[]))
     order by user_id = any($3::text[]) desc, joined_at, user_id
     limit $4
"""

# Takes no lock on the room: a mark may be a moment behind a message that is being sent.
_MARK_READ: Final[LiteralString] = """
    with member as (
        select room.last_seq,
               least($3, room.last_seq) as seq,
               greatest(member.joined_seq, member.sent_seq) as floor_seq
          from room_members as member
          join rooms as room on room.id = member.room_id
         where member.room_id = $1
           and member.user_id = $2
    ), marked as (
        insert into room_read_marks as mark (room_id, user_id, seq)
        select $1, $2, seq
          from member
         where seq > floor_seq
            on conflict (room_id, user_id) do update
           set seq = excluded.seq
         where excluded.seq > mark.seq
        returning seq
    )
    select marked.seq, member.last_seq
      from member
      left join marked on true
"""


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """A user's, or everyone's, right to hear a room."""

    room_id: RoomId
    user_id: UserId
    role: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far somebody has now read, if that changed, and how far one could."""

    last_seq: int
    seq: int | None


async def find(tx: Transaction, room_id: RoomId, user_id: UserId) -> Member | None:
    """Read one member."""
    return await tx.one_or_none(Member, _MEMBER, room_id, user_id)


async def find_many(
    tx: Transaction, asked: Collection[tuple[RoomId, UserId]]
) -> dict[tuple[RoomId, UserId], Member]:
    """Read some members of some rooms, by room and user."""
    room_ids, user_ids = [room for room, _ in asked], [user for _, user in asked]
    found = await tx.all(Member, _SOME_MEMBERS, room_ids, user_ids)
    return {(member.room_id, member.user_id): member for member in found}


async def oldest(tx: Transaction, room_id: RoomId, *, members_max: int) -> list[Member]:
    """Read the members who came first."""
    return await tx.all(Member, _MEMBERS, room_id, members_max)


async def joined_after(
    tx: Transaction, room_id: RoomId, *, after: JoinedAfter | None, members_max: int
) -> list[Member]:
    """Read members in the order in which they came."""
    if after is None:
        return await oldest(tx, room_id, members_max=members_max)
    return await tx.all(
        Member, _MEMBERS_AFTER, room_id, after.joined_at, after.user_id, members_max
    )


def every_right(tx: Transaction) -> AsyncIterator[Right]:
    """Read who may hear which room, room by room."""
    return tx.stream(
        Right, _EVERY_RIGHT, ACCESS_ANYONE, READER_ROLE, ACCESS_BANNED, ACCESS_MUTED, tx.now
    )


async def add(tx: Transaction, member: Member) -> bool:
    """Write a new member; say whether they were none before."""
    return await tx.execute(_INSERT_MEMBER, *_member_row(member)) == 1


async def add_many(tx: Transaction, members: Sequence[Member]) -> None:
    """Write many new members, leaving out those who are there."""
    await tx.execute_many(_INSERT_MEMBER, [_member_row(member) for member in members])


async def remove(tx: Transaction, room_id: RoomId, user_id: UserId) -> bool:
    """Delete a member; say whether they were one."""
    return await tx.execute(_DELETE_MEMBER, room_id, user_id) == 1


async def set_role(tx: Transaction, room_id: RoomId, user_id: UserId, role: MemberRole) -> None:
    """Give a member another role."""
    await tx.execute(_SET_ROLE, room_id, user_id, role)


async def set_mute(
    tx: Transaction, room_id: RoomId, user_id: UserId, until: datetime | None
) -> None:
    """Say until when a member may not write."""
    await tx.execute(_SET_MUTE, room_id, user_id, until)


async def called(
    tx: Transaction,
    room_id: RoomId,
    *,
    names: Sequence[str],
    ids: Sequence[UserId],
    people_max: int,
) -> list[Person]:
    """Read the members who have one of these names, in lower case, or ids."""
    return await tx.all(Person, _CALLED, room_id, names, ids, people_max)


async def raise_sent(tx: Transaction, written: Mapping[tuple[RoomId, UserId], int]) -> None:
    """Write the number of each member's own last message, by room and member."""
    await tx.execute_many(_RAISE_SENT, [(*member, seq) for member, seq in written.items()])


async def mark_read(tx: Transaction, room_id: RoomId, user_id: UserId, seq: int) -> Mark | None:
    """Move a member's read mark forward to `seq` or the last message; None for a stranger."""
    return await tx.one_or_none(Mark, _MARK_READ, room_id, user_id, seq)


def _member_row(member: Member) -> tuple[object, ...]:
    return (
        member.room_id,
        member.user_id,
        member.user_name,
        member.role,
        member.joined_at,
        member.joined_seq,
        member.muted_until,
        member.last_sent_at,
    )
