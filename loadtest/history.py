"""What the shop has stored of the messages that were committed."""

from collections.abc import Sequence
from typing import Final

import trio

from loadtest.orders import Result
from loadtest.rest import Shop
from protocol.ids import RoomId
from protocol.topics import Topic, room_topic
from protocol.views import ChatMessage

_ROOMS_AT_ONCE: Final = 8


async def stored_messages(
    shop: Shop, token: str, results: Sequence[Result]
) -> dict[Topic, dict[int, ChatMessage]]:
    """Return the history of every room with a committed message, from the first of them on.

    Raises:
        RestError: if the shop does not answer.
    """
    rooms = iter(_first_seqs(results).items())
    stored: dict[Topic, dict[int, ChatMessage]] = {}

    async def take_turns() -> None:
        for topic, first in rooms:
            room = RoomId(topic.partition(":")[2])
            assert room_topic(room) == topic
            history = await shop.history(room, token=token, after=first - 1)
            stored[topic] = {message.seq: message for message in history}

    async with trio.open_nursery() as nursery:
        for _ in range(_ROOMS_AT_ONCE):
            nursery.start_soon(take_turns)
    return stored


def _first_seqs(results: Sequence[Result]) -> dict[Topic, int]:
    first_seqs: dict[Topic, int] = {}
    for result in results:
        for topic, found in result.findings.topics.items():
            if found.committed:
                first = min(found.committed)
                first_seqs[topic] = min(first, first_seqs.get(topic, first))
    return first_seqs
