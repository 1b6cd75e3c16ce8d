"""Looking at rooms, their members and their history."""

from typing import Final

import msgspec

from commerce.accounts import service as accounts
from commerce.chat.errors import RoomNotFoundError
from commerce.chat.model import (
    History,
    JoinedAfter,
    ListedAfter,
    Member,
    Message,
    RoomInList,
    Summary,
    parse_search,
)
from commerce.chat.repository import members, messages, reactions, rooms
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
        page = await _with_own_reactions(tx, reader, found[:limit][::-1])
        return History(messages=page, more=len(found) > limit)
    found = await messages.after(tx, room_id, after, before=end, messages_max=limit + 1)
    page = await _with_own_reactions(tx, reader, found[:limit])
    return History(messages=page, more=len(found) > limit)


async def search(
    tx: Transaction,
    reader: UserId | None,
    room_id: RoomId,
    text: str,
    *,
    before: int | None,
    limit: int,
) -> History:
    """Return messages of a room in which the words of `text` are, newest first; none deleted.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
    """
    await _visible(tx, reader, room_id)
    asked = parse_search(text)
    if asked is None:
        return History(messages=[], more=False)
    end = _SEQ_MAX if before is None else before
    found = await messages.found(tx, room_id, asked, before=end, messages_max=limit + 1)
    page = await _with_own_reactions(tx, reader, found[:limit])
    return History(messages=page, more=len(found) > limit)


async def _visible(tx: Transaction, reader: UserId | None, room_id: RoomId) -> Summary:
    summary = await rooms.summary(tx, room_id, reader)
    if summary is None:
        raise RoomNotFoundError(room_id)
    if summary.role is None and summary.kind != "product":
        helps = summary.kind == "support" and reader and await accounts.is_staff(tx, reader)
        if not helps:
            raise RoomNotFoundError(room_id)
    return summary


async def _with_own_reactions(
    tx: Transaction, reader: UserId | None, read: list[Message]
) -> list[Message]:
    """Mark what the reader reacted with; costs nothing where nobody reacted to anything."""
    reacted = [message.id for message in read if message.reactions]
    if reader is None or not reacted:
        return read
    own = await reactions.own(tx, reacted, reader)
    return [
        msgspec.structs.replace(message, own=own.get(message.id, ())) if own else message
        for message in read
    ]
