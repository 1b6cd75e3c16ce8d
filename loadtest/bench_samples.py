"""A frame like those that fill the wire."""

from protocol.events import MessageSent
from protocol.ids import EventId, MessageId, RoomId, UserId
from protocol.server_frames import EventFrame
from protocol.topics import room_topic
from protocol.views import ChatMessage, Person

_ROOM = RoomId("rom_01JD0000000000000000000000")


def a_message_event(number: int) -> EventFrame:
    """Return message `number` of a room, as its listeners get it."""
    message = ChatMessage(
        id=MessageId(f"msg_{number:026d}"),
        room=_ROOM,
        seq=number,
        version=1,
        author=Person(id=UserId("usr_01JD0000000000000000000000"), name="Ada Amsel"),
        text="How does it compare with the older one? I still have that and like it.",
        sent_at_ms=1_795_000_000_000,
        key="ld01020304_12_m1_1234567890",
    )
    return EventFrame(
        topic=room_topic(_ROOM),
        offset=number,
        id=EventId(f"evt_{number:026d}"),
        at_ms=1_795_000_000_000,
        body=MessageSent(message=message),
    )
