"""What workers tell one another over a topic's signal channel. Always the whole, never a change."""

from typing import Final

import msgspec

from protocol.codec import safely
from protocol.ids import UserId, WorkerId
from protocol.signals import Present

LISTED_USERS_MAX: Final = 1_000
"""Users one worker names in one room; the rest are only counted, so that no message is huge.

Above it the count over all workers is an upper bound: who is on two of them may count twice.
"""


class WorkerMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Anything one worker tells the others of a topic."""

    worker: WorkerId


class PresentUsers(WorkerMessage, frozen=True, kw_only=True, tag="present"):
    """Who is here on one worker. Of two from one worker the higher `version` is the newer."""

    version: int
    users: list[Present]
    count: int


class Writer(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who is writing, and for how long already."""

    id: UserId
    name: str
    for_ms: int


class WritingUsers(WorkerMessage, frozen=True, kw_only=True, tag="writing"):
    """Who is writing on one worker; good for 10 s."""

    users: list[Writer]


AnyWorkerMessage = PresentUsers | WritingUsers

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[AnyWorkerMessage]] = msgspec.msgpack.Decoder(
    AnyWorkerMessage
)
_decode: Final = safely(_decoder.decode)
_decode_present: Final = safely(msgspec.msgpack.Decoder(PresentUsers).decode)


def encode_message(message: WorkerMessage) -> bytes:
    """Encode a message for the channel, or a list for the topic's presence hash."""
    return _encoder.encode(message)


def decode_message(payload: bytes) -> AnyWorkerMessage:
    """Decode what came over the channel.

    Raises:
        msgspec.DecodeError: if it is no message this version knows.
    """
    return _decode(payload)


def decode_present_users(payload: bytes) -> PresentUsers:
    """Decode one worker's list in the presence hash.

    Raises:
        msgspec.DecodeError: if it is not one.
    """
    return _decode_present(payload)
