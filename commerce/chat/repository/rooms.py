"""SQL about rooms, and about a user's list of them."""

from collections.abc import Collection, Sequence
from typing import Final, LiteralString

from commerce.chat.model import ListedAfter, Room, Summary
from commerce.foundation.database import Transaction
from protocol.ids import RoomId, UserId

_LOCK_ROOM: Final[LiteralString] = """
    select id, kind, title, product_id, direct_pair, order_id, slow_mode_seconds, last_seq,
           created_at, active_at
      from rooms
     where id = $1
       for no key update
"""

# In one order, so that two who hold several never wait for each other.
_LOCK_ROOMS: Final[LiteralString] = """
    select id, kind, title, product_id, direct_pair, order_id, slow_mode_seconds, last_seq,
           created_at, active_at
      from rooms
     where id = any($1::text[])
     order by id
       for no key update
"""

_ROOM: Final[LiteralString] = """
    select id, kind, title, product_id, direct_pair, order_id, slow_mode_seconds, last_seq,
           created_at, active_at
      from rooms
     where id = $1
"""

_DIRECT_ROOM: Final[LiteralString] = """
    select id, kind, title, product_id, direct_pair, order_id, slow_mode_seconds, last_seq,
           created_at, active_at
      from rooms
     where direct_pair = $1
"""

_INSERT_ROOM: Final[LiteralString] = """
    insert into rooms
           (id, kind, title, product_id, direct_pair, last_seq, created_at, active_at, order_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict do nothing
"""

_RENAME_ROOM: Final[LiteralString] = """
    update rooms
       set title = $2
     where id = $1
"""

_SET_SLOW_MODE: Final[LiteralString] = """
    update rooms
       set slow_mode_seconds = $2
     where id = $1
"""

# A room as its reader $2 sees it. `greatest` passes over what is null.
_SUMMARY: Final[LiteralString] = """
    select room.id, room.kind, room.product_id, room.order_id, room.slow_mode_seconds,
           room.last_seq, room.active_at, member.role, member.muted_until, member.last_sent_at,
           standing.banned_at is not null as is_banned,
           coalesce(other.user_name, room.title) as title,
           coalesce(greatest(member.joined_seq, member.sent_seq, mark.seq), 0) as read_seq
      from rooms as room
      left join room_members as member on member.room_id = room.id and member.user_id = $2
      left join room_read_marks as mark on mark.room_id = room.id and mark.user_id = $2
      left join room_standings as standing
             on standing.room_id = room.id and standing.user_id = $2
      left join lateral (
           select user_name
             from room_members
            where room.kind = 'direct' and room_id = room.id and user_id <> $2
            limit 1
           ) as other on true
     where room.id = $1
"""

_SUMMARIES: Final[LiteralString] = """
    with listed as (
        select room.id, room.kind, room.product_id, room.order_id, room.slow_mode_seconds,
               room.title, room.last_seq, room.active_at,
               member.role, member.muted_until, member.last_sent_at,
               greatest(member.joined_seq, member.sent_seq, mark.seq) as read_seq
          from room_members as member
          join rooms as room on room.id = member.room_id
          left join room_read_marks as mark
                 on mark.room_id = member.room_id and mark.user_id = member.user_id
         where member.user_id = $1
           and ($2::timestamptz is null or (room.active_at, room.id) < ($2, $3))
         order by room.active_at desc, room.id desc
         limit $4
    )
    select listed.id, listed.kind, listed.product_id, listed.order_id, listed.slow_mode_seconds,
           listed.last_seq, listed.active_at, listed.role, listed.read_seq,
           listed.muted_until, listed.last_sent_at,
           coalesce(other.user_name, listed.title) as title
      from listed
      left join lateral (
           select user_name
             from room_members
            where listed.kind = 'direct' and room_id = listed.id and user_id <> $1
            limit 1
           ) as other on true
     order by listed.active_at desc, listed.id desc
"""


async def lock(tx: Transaction, room_id: RoomId) -> Room | None:
    """Read a room and hold it until the transaction ends."""
    return await tx.one_or_none(Room, _LOCK_ROOM, room_id)


async def lock_many(tx: Transaction, room_ids: Collection[RoomId]) -> dict[RoomId, Room]:
    """Read some rooms and hold them until the transaction ends."""
    return {room.id: room for room in await tx.all(Room, _LOCK_ROOMS, list(room_ids))}


async def find(tx: Transaction, room_id: RoomId) -> Room | None:
    """Read a room."""
    return await tx.one_or_none(Room, _ROOM, room_id)


async def find_direct(tx: Transaction, pair: str) -> Room | None:
    """Read the room of two people."""
    return await tx.one_or_none(Room, _DIRECT_ROOM, pair)


async def add(tx: Transaction, room: Room) -> bool:
    """Write a new room; say whether there was none of that id, product or pair."""
    return await tx.execute(_INSERT_ROOM, *_room_row(room)) == 1


async def add_many(tx: Transaction, rooms: Sequence[Room]) -> None:
    """Write many new rooms, leaving out those that are there."""
    await tx.execute_many(_INSERT_ROOM, [_room_row(room) for room in rooms])


async def rename(tx: Transaction, room_id: RoomId, title: str) -> None:
    """Give a room another title."""
    await tx.execute(_RENAME_ROOM, room_id, title)


async def set_slow_mode(tx: Transaction, room_id: RoomId, seconds: int) -> None:
    """Write what a plain member waits between messages."""
    await tx.execute(_SET_SLOW_MODE, room_id, seconds)


async def summary(tx: Transaction, room_id: RoomId, reader: UserId | None) -> Summary | None:
    """Read a room as `reader` sees it."""
    return await tx.one_or_none(Summary, _SUMMARY, room_id, reader or "")


async def summaries(
    tx: Transaction, user_id: UserId, *, after: ListedAfter | None, rooms_max: int
) -> list[Summary]:
    """Read a user's rooms, those that were written in last first."""
    active_at, room_id = (None, None) if after is None else (after.active_at, after.room_id)
    return await tx.all(Summary, _SUMMARIES, user_id, active_at, room_id, rooms_max)


def _room_row(room: Room) -> tuple[object, ...]:
    return (
        room.id,
        room.kind,
        room.title,
        room.product_id,
        room.direct_pair,
        room.last_seq,
        room.created_at,
        room.active_at,
        room.order_id,
    )
