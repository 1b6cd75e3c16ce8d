"""SQL about what was said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.chat.model import Enclosed, Message, SearchText
from commerce.foundation.database import Transaction
from protocol.ids import MessageId, RoomId, UserId
from protocol.views import Person

# One statement for the thing that happens most. The lock comes first and gives the newest number;
# a member's row that was deleted meanwhile is skipped by the update, so nobody writes after they
# were sent away. Whoever is muted or must wait is skipped alike: the member's row is looked at anew
# once it is held. Without a member's row (or the message replied to) nothing at all is written.
_INSERT_MESSAGE: Final[LiteralString] = """
    with room as materialized (
        select id, last_seq, slow_mode_seconds
          from rooms
         where id = $1
           for no key update
    ), author as (
        update room_members as member
           set sent_seq = room.last_seq + 1,
               last_sent_at = $8
          from room
         where member.room_id = room.id
           and member.user_id = $3
           and (member.muted_until is null or member.muted_until <= $8)
           and (room.slow_mode_seconds = 0
                or member.role <> 'member'
                or member.last_sent_at is null
                or member.last_sent_at + make_interval(secs => room.slow_mode_seconds) <= $8)
           and ($6::text is null
                or exists (select from messages where id = $6 and room_id = $1))
        returning member.sent_seq
    ), numbered as (
        update rooms
           set last_seq = author.sent_seq,
               active_at = $8
          from author
         where rooms.id = $1
        returning rooms.last_seq
    )
    insert into messages
           (room_id, id, author_id, author_name, body, reply_to, command_key, sent_at, seq,
            parts, attachments, mentions)
    select $1, $2, $3, $4, $5, $6, $7, $8, last_seq, $9, $10, $11
      from numbered
    returning seq
"""

_COLUMNS: Final[LiteralString] = """
    select id, room_id, seq, version, author_id, author_name, body, reply_to, command_key,
           sent_at, edited_at, deleted_at,
           parts, attachments, mentions, reactions, reactions_version
"""

_MESSAGE: Final[LiteralString] = (
    _COLUMNS
    + """
      from messages
     where id = $2
       and room_id = $1
"""
)

_MESSAGES_AFTER: Final[LiteralString] = (
    _COLUMNS
    + """
      from messages
     where room_id = $1
       and seq > $2
       and seq < $3
     order by seq
     limit $4
"""
)

_MESSAGES_BEFORE: Final[LiteralString] = (
    _COLUMNS
    + """
      from messages
     where room_id = $1
       and seq < $2
     order by seq desc
     limit $3
"""
)

# The room is a word of the index; see the migration that makes it.
_FOUND: Final[LiteralString] = (
    _COLUMNS
    + """
      from messages
     where to_tsvector('simple', body) || array_to_tsvector(array[room_id])
           @@ (websearch_to_tsquery('simple', $2)
               && case $3::text
                  when '' then ''::tsquery
                  else to_tsquery('simple', '''' || $3 || ''':*')
                  end
               && ('''' || $1 || '''')::tsquery)
       and deleted_at is null
       and room_id = $1
       and seq < $4
     order by seq desc
     limit $5
"""
)

_PLAN_ANEW: Final[LiteralString] = "set local plan_cache_mode = force_custom_plan"
"""A rare word and one that everybody writes want different plans."""

_LAST_MESSAGES: Final[LiteralString] = (
    _COLUMNS
    + """
      from unnest($1::text[], $2::bigint[]) as last (room_id, seq)
      join messages using (room_id, seq)
"""
)

_UPDATE_MESSAGE: Final[LiteralString] = """
    update messages
       set body = $3,
           version = $4,
           edited_at = $5,
           deleted_at = $6,
           parts = $7,
           attachments = $8,
           mentions = $9,
           reactions = $10,
           reactions_version = $11
     where room_id = $1
       and seq = $2
"""

_INSERT_WHOLE_MESSAGE: Final[LiteralString] = """
    insert into messages
           (room_id, id, seq, version, author_id, author_name, body, reply_to, command_key,
            sent_at, edited_at, deleted_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict do nothing
"""


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message before it has a number."""

    id: MessageId
    room_id: RoomId
    author_id: UserId
    author_name: str
    body: str
    sent_at: datetime
    command_key: str | None
    enclosed: Enclosed
    mentions: Sequence[Person] | None = None

    def numbered(self, seq: int) -> Message:
        """Return the message as it is after it was written."""
        return Message(
            id=self.id,
            room_id=self.room_id,
            seq=seq,
            version=1,
            author_id=self.author_id,
            author_name=self.author_name,
            body=self.body,
            sent_at=self.sent_at,
            reply_to=self.enclosed.reply_to,
            command_key=self.command_key,
            parts=self.enclosed.parts or None,
            attachments=self.enclosed.attachments or None,
            mentions=self.mentions or None,
        )


class _Numbered(msgspec.Struct, frozen=True, kw_only=True):
    seq: int


async def insert(tx: Transaction, message: NewMessage) -> int | None:
    """Hold the room, give the message the next number and write it.

    None if the author is no member, is muted or must wait, or the message replied to is not there.
    """
    enclosed = message.enclosed
    numbered = await tx.one_or_none(
        _Numbered,
        _INSERT_MESSAGE,
        message.room_id,
        message.id,
        message.author_id,
        message.author_name,
        message.body,
        enclosed.reply_to,
        message.command_key,
        message.sent_at,
        enclosed.parts or None,
        enclosed.attachments or None,
        message.mentions or None,
    )
    return None if numbered is None else numbered.seq


async def find(tx: Transaction, room_id: RoomId, message_id: MessageId) -> Message | None:
    """Read one message of a room."""
    return await tx.one_or_none(Message, _MESSAGE, room_id, message_id)


async def after(
    tx: Transaction, room_id: RoomId, seq: int, *, before: int, messages_max: int
) -> list[Message]:
    """Read the messages that follow number `seq`, up to number `before`, oldest first."""
    return await tx.all(Message, _MESSAGES_AFTER, room_id, seq, before, messages_max)


async def newest_before(
    tx: Transaction, room_id: RoomId, seq: int, *, messages_max: int
) -> list[Message]:
    """Read the messages that lead up to number `seq`, newest first."""
    return await tx.all(Message, _MESSAGES_BEFORE, room_id, seq, messages_max)


async def found(
    tx: Transaction, room_id: RoomId, asked: SearchText, *, before: int, messages_max: int
) -> list[Message]:
    """Read the messages of a room below number `before` that fit, newest first; none deleted."""
    await tx.execute(_PLAN_ANEW)
    return await tx.all(Message, _FOUND, room_id, asked.whole, asked.prefix, before, messages_max)


async def last_of(tx: Transaction, rooms: Sequence[tuple[RoomId, int]]) -> dict[RoomId, Message]:
    """Read the messages of those numbers, one a room."""
    ids, numbers = [room_id for room_id, _ in rooms], [seq for _, seq in rooms]
    found = await tx.all(Message, _LAST_MESSAGES, ids, numbers)
    return {message.room_id: message for message in found}


async def save(tx: Transaction, message: Message) -> None:
    """Write what may change about a message."""
    await tx.execute(
        _UPDATE_MESSAGE,
        message.room_id,
        message.seq,
        message.body,
        message.version,
        message.edited_at,
        message.deleted_at,
        message.parts,
        message.attachments,
        message.mentions,
        message.reactions,
        message.reactions_version,
    )


async def add_many(tx: Transaction, messages: Sequence[Message]) -> None:
    """Write many messages that have their numbers, leaving out those that are there."""
    await tx.execute_many(_INSERT_WHOLE_MESSAGE, [_message_row(message) for message in messages])


def _message_row(message: Message) -> tuple[object, ...]:
    return (
        message.room_id,
        message.id,
        message.seq,
        message.version,
        message.author_id,
        message.author_name,
        message.body,
        message.reply_to,
        message.command_key,
        message.sent_at,
        message.edited_at,
        message.deleted_at,
    )
