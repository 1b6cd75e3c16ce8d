"""Looking at rooms, their members and their history."""

from typing import Final

from commerce.chat.errors import RoomNotFoundError
from commerce.chat.model import History, JoinedAfter, ListedAfter, Member, RoomInList, Summary
from commerce.chat.repository import members, messages, rooms
from commerce.foundation.database import Transaction
from protocol.ids import RoomId, UserId

_SEQ_MAX: Final = 2**53 - 1
"""Above every message number, and the largest a client can say (RFC 8259 section 6)."""


async def view(tx: Transaction, reader: UserId | None, room_id: RoomId) -> RoomInList:
    """Return a room as `reader` sees it; None is a visitor who is not signed in.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
    """
    summary = await _visible(tx, reader, room_id)
    last = await messages.last_of(tx, [(summary.id, summary.last_seq)])
    return RoomInList(summary=summary, last_message=last.get(summary.id))


async def rooms_of(
    tx: Transaction, user_id: UserId, *, after: ListedAfter | None, limit: int
) -> list[RoomInList]:
    """Return the rooms the user is in, those that were written in last first."""
    listed = await rooms.summaries(tx, user_id, after=after, rooms_max=limit)
    last = await messages.last_of(tx, [(summary.id, summary.last_seq) for summary in listed])
    return [RoomInList(summary=summary, last_message=last.get(summary.id)) for summary in listed]


async def members_of(
    tx: Transaction,
    reader: UserId | None,
    room_id: RoomId,
    *,
    after: JoinedAfter | None,
    limit: int,
) -> list[Member]:
    """Return members of a room in the order in which they came.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
    """
    await _visible(tx, reader, room_id)
    return await members.joined_after(tx, room_id, after=after, members_max=limit)


async def history(
    tx: Transaction,
    reader: UserId | None,
    room_id: RoomId,
    *,
    after: int | None,
    before: int | None,
    limit: int,
) -> History:
    """Return messages of a room.

    With `after` the ones that follow that number, else the newest; with `before` only those
    below that number.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
    """
    await _visible(tx, reader, room_id)
    end = _SEQ_MAX if before is None else before
    if after is None:
        found = await messages.newest_before(tx, room_id, end, messages_max=limit + 1)
        return History(messages=found[:limit][::-1], more=len(found) > limit)
    found = await messages.after(tx, room_id, after, before=end, messages_max=limit + 1)
    return History(messages=found[:limit], more=len(found) > limit)


async def _visible(tx: Transaction, reader: UserId | None, room_id: RoomId) -> Summary:
    summary = await rooms.summary(tx, room_id, reader)
    if summary is None or (summary.role is None and summary.kind != "product"):
        raise RoomNotFoundError(room_id)
    return summary
