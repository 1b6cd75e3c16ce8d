"""The message that everybody broadcasts: as large and as deep as a chat message of the shop."""

from typing import Final

from loadtest.comparison.tickets import room_id, user_id
from protocol.ids import MessageId, RoomId
from protocol.views import ChatMessage, Person

MARK: Final = b'"#'
"""What a message's text begins with, then its number in eight digits."""

_WORDS: Final = " How does it compare with the older one? I still have that and like it."
_DIGITS: Final = 8


def a_message(number: int, room: RoomId | None = None) -> ChatMessage:
    """Return message `number` of a room."""
    return ChatMessage(
        id=MessageId(f"msg_{number:026d}"),
        room=room or room_id(0),
        seq=number,
        version=1,
        author=Person(id=user_id(0), name="Ada Amsel"),
        text=f"#{number:0{_DIGITS}d}{_WORDS}",
        sent_at_ms=1_795_000_000_000,
        key="ld01020304_12_m1_1234567890",
    )


def number_of(payload: bytes) -> int:
    """Return the number of the message in a payload, 0 if it holds none."""
    at = payload.find(MARK)
    if at < 0:
        return 0
    start = at + len(MARK)
    return int(payload[start : start + _DIGITS])
