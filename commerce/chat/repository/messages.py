"""SQL about what was said."""

from collections.abc import Collection, Sequence
from typing import Final, LiteralString

import msgspec

from commerce.chat.model import Message, SearchText
from commerce.foundation.database import Transaction
from protocol.ids import MessageId, RoomId

# One statement for the thing that happens most, however many are said: they have their numbers,
# and their rooms are held. What a message encloses comes as JSON, for arrays hold no arrays.
_INSERT_MESSAGES: Final[LiteralString] = """
    with said as materialized (
        select *
          from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                      $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
               as said (room_id, id, seq, author_id, author_name, body,
                        reply_to, command_key, parts, attachments, mentions)
    ), numbered as (
        update rooms
           set last_seq = newest.seq,
               active_at = $12
          from (select room_id, max(seq) as seq from said group by room_id) as newest
         where rooms.id = newest.room_id
    ), authors as (
        update room_members as member
           set sent_seq = newest.seq,
               last_sent_at = $12
          from (select room_id, author_id, max(seq) as seq from said group by room_id, author_id)
               as newest
         where member.room_id = newest.room_id
           and member.user_id = newest.author_id
    )
    insert into messages
           (room_id, id, seq, author_id, author_name, body, reply_to, command_key, sent_at,
            parts, attachments, mentions)
    select room_id, id, seq, author_id, author_name, body, reply_to, command_key, $12,
           case when parts is not null
                then array(select jsonb_array_elements_text(parts::jsonb)) end,
           case when attachments is not null
                then array(select jsonb_array_elements_text(attachments::jsonb)) end,
           mentions::jsonb
      from said
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

_THERE: Final[LiteralString] = """
    select room_id, id
      from unnest($1::text[], $2::text[]) as asked (room_id, id)
      join messages using (room_id, id)
"""

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


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    room_id: RoomId
    id: MessageId


async def insert(tx: Transaction, said: Sequence[Message]) -> None:
    """Write new messages, which have the next numbers of rooms that are held, all said now."""
    await tx.execute(
        _INSERT_MESSAGES,
        [each.room_id for each in said],
        [each.id for each in said],
        [each.seq for each in said],
        [each.author_id for each in said],
        [each.author_name for each in said],
        [each.body for each in said],
        [each.reply_to for each in said],
        [each.command_key for each in said],
        [_json(each.parts) for each in said],
        [_json(each.attachments) for each in said],
        [_json(each.mentions) for each in said],
        tx.now,
    )


async def there(
    tx: Transaction, asked: Collection[tuple[RoomId, MessageId]]
) -> set[tuple[RoomId, MessageId]]:
    """Say which of some messages are in the room that is named with them."""
    room_ids, ids = [room for room, _ in asked], [message for _, message in asked]
    return {(each.room_id, each.id) for each in await tx.all(_Place, _THERE, room_ids, ids)}


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


def _json(enclosed: Sequence[object] | None) -> str | None:
    return msgspec.json.encode(enclosed).decode() if enclosed else None
