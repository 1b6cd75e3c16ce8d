"""SQL about who reacted to what; how many did is written with the message."""

from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from protocol.ids import MessageId, UserId

_ADD: Final[LiteralString] = """
    insert into message_reactions (message_id, user_id, emoji, created_at)
    values ($1, $2, $3, $4)
        on conflict do nothing
"""

_REMOVE: Final[LiteralString] = """
    delete from message_reactions
     where message_id = $1
       and user_id = $2
       and emoji = $3
"""

_REMOVE_ALL: Final[LiteralString] = """
    delete from message_reactions
     where message_id = $1
"""

_OWN: Final[LiteralString] = """
    select message_id, emoji
      from message_reactions
     where message_id = any($1::text[])
       and user_id = $2
"""


class _Own(msgspec.Struct, frozen=True, kw_only=True):
    message_id: MessageId
    emoji: str


async def set_one(
    tx: Transaction, message_id: MessageId, user_id: UserId, emoji: str, *, on: bool
) -> bool:
    """Write that somebody reacts with an emoji, or no longer; say whether that is a change."""
    if on:
        return await tx.execute(_ADD, message_id, user_id, emoji, tx.now) == 1
    return await tx.execute(_REMOVE, message_id, user_id, emoji) == 1


async def remove_all(tx: Transaction, message_id: MessageId) -> None:
    """Forget every reaction to a message."""
    await tx.execute(_REMOVE_ALL, message_id)


async def own(
    tx: Transaction, message_ids: Sequence[MessageId], user_id: UserId
) -> dict[MessageId, list[str]]:
    """Read with what a user reacted to each of some messages."""
    found: dict[MessageId, list[str]] = {}
    for row in await tx.all(_Own, _OWN, message_ids, user_id):
        found.setdefault(row.message_id, []).append(row.emoji)
    return found
