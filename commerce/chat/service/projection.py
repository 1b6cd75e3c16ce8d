"""Who may hear which room, whole, for rebuilding what the gateway looks up."""

from collections.abc import AsyncIterator

from commerce.chat.repository import members
from commerce.foundation.database import Transaction
from commerce.foundation.outbox import AccessRow
from protocol.topics import room_topic


async def access(tx: Transaction) -> AsyncIterator[AccessRow]:
    """Yield every right to every room; the rights to one room in a row."""
    async for right in members.every_right(tx):
        yield room_topic(right.room_id), right.user_id, right.role
