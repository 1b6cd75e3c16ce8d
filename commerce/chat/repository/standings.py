"""SQL about what a room remembers of people, in it or not: bans, mutes, the last message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

from commerce.chat.model import Banned, Standing
from commerce.foundation.database import Transaction
from protocol.ids import RoomId, UserId
from protocol.views import Person

_STANDING: Final[LiteralString] = """
    select (select count(*) from room_members where user_id = $2) as rooms_count,
           standing.banned_at, standing.muted_until, standing.last_sent_at
      from (values (1)) as one
      left join room_standings as standing on standing.room_id = $1 and standing.user_id = $2
"""

_BAN: Final[LiteralString] = """
    insert into room_standings as standing
           (room_id, user_id, user_name, banned_at, banned_by, reason)
    values ($1, $2, $3, $4, $5, $6)
        on conflict (room_id, user_id) do update
       set user_name = excluded.user_name,
           banned_at = excluded.banned_at,
           banned_by = excluded.banned_by,
           reason = excluded.reason
     where standing.banned_at is null
"""

_LIFT: Final[LiteralString] = """
    update room_standings
       set banned_at = null, banned_by = null, reason = null
     where room_id = $1
       and user_id = $2
       and banned_at is not null
"""

_BANNED: Final[LiteralString] = """
    select user_id, user_name, banned_at, banned_by, reason
      from room_standings
     where room_id = $1
       and banned_at is not null
       and user_id > $2
     order by user_id
     limit $3
"""

_BANNED_AMONG: Final[LiteralString] = """
    select user_id, user_name, banned_at, banned_by, reason
      from room_standings
     where room_id = $1
       and banned_at is not null
       and user_id = any($2::text[])
"""

_MUTE: Final[LiteralString] = """
    insert into room_standings (room_id, user_id, muted_until)
    values ($1, $2, $3)
        on conflict (room_id, user_id) do update
       set muted_until = excluded.muted_until
"""

_LAST_SENT: Final[LiteralString] = """
    insert into room_standings (room_id, user_id, last_sent_at)
    values ($1, $2, $3)
        on conflict (room_id, user_id) do update
       set last_sent_at = excluded.last_sent_at
"""


async def find(tx: Transaction, room_id: RoomId, user_id: UserId) -> Standing:
    """Read what a room remembers of somebody, and in how many rooms they are."""
    return await tx.one(Standing, _STANDING, room_id, user_id)


async def ban(tx: Transaction, room_id: RoomId, person: Person, *, by: UserId, reason: str) -> bool:
    """Write a ban; say whether there was none."""
    return await tx.execute(_BAN, room_id, person.id, person.name, tx.now, by, reason) == 1


async def lift(tx: Transaction, room_id: RoomId, user_id: UserId) -> bool:
    """Lift a ban; say whether there was one."""
    return await tx.execute(_LIFT, room_id, user_id) == 1


async def banned_after(
    tx: Transaction, room_id: RoomId, *, after: UserId | None, people_max: int
) -> list[Banned]:
    """Read who is banned, by id."""
    return await tx.all(Banned, _BANNED, room_id, after or "", people_max)


async def banned_among(tx: Transaction, room_id: RoomId, user_ids: Sequence[UserId]) -> set[UserId]:
    """Read which of some people are banned."""
    found = await tx.all(Banned, _BANNED_AMONG, room_id, user_ids)
    return {each.user_id for each in found}


async def mute(tx: Transaction, room_id: RoomId, user_id: UserId, until: datetime | None) -> None:
    """Remember until when somebody may not write, should they leave and come back."""
    await tx.execute(_MUTE, room_id, user_id, until)


async def remember_last_sent(
    tx: Transaction, room_id: RoomId, user_id: UserId, at: datetime
) -> None:
    """Remember when somebody who leaves a slow room last wrote."""
    await tx.execute(_LAST_SENT, room_id, user_id, at)
