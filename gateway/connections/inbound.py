"""What a client sent, decoded; or why it is refused, said as exactly as can be."""

from typing import Any, Final, cast, get_args

import msgspec

from gateway.limits import INBOUND_FRAME_BYTES_MAX
from protocol.client_frames import AnyClientFrame
from protocol.codec import decode_client_frame
from protocol.commands import AnyCommand
from protocol.error_codes import BAD_FRAME, UNKNOWN_FRAME, ErrorCode
from protocol.version import WireFormat

_QUESTION_MAX: Final = 2**32 - 1
_UTF8_BYTES_PER_CHARACTER_MAX: Final = 4


def _tags(union: object) -> frozenset[object]:
    return frozenset(member.__struct_config__.tag for member in get_args(union))


_FRAMES: Final = _tags(AnyClientFrame)
_COMMANDS: Final = _tags(AnyCommand)


class FrameTooLargeError(Exception):
    """The message is longer than a frame may be."""


class RefusedFrameError(Exception):
    """The message is not a frame a client may send."""

    def __init__(self, code: ErrorCode, reason: str, question: int | None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.question = question


def read_frame(message: str | bytes, wire_format: WireFormat) -> AnyClientFrame:
    """Decode one WebSocket message.

    Raises:
        FrameTooLargeError: if it has more bytes than a frame may have.
        RefusedFrameError: if it is not a frame; with the question's number if it can be read.
    """
    if _bytes_count(message) > INBOUND_FRAME_BYTES_MAX:
        raise FrameTooLargeError
    if isinstance(message, str) != (wire_format == "json"):
        spoken = "JSON in text" if wire_format == "json" else "MessagePack in binary"
        raise RefusedFrameError(BAD_FRAME, f"this socket speaks {spoken} messages", None)
    try:
        return decode_client_frame(message, wire_format)
    except (ValueError, RecursionError) as error:
        raise _refusal(message, wire_format, error) from None


def _bytes_count(message: str | bytes) -> int:
    if isinstance(message, bytes) or message.isascii():
        return len(message)
    if len(message) * _UTF8_BYTES_PER_CHARACTER_MAX <= INBOUND_FRAME_BYTES_MAX:
        return len(message)
    return len(message.encode())


def _refusal(message: str | bytes, wire_format: WireFormat, error: Exception) -> RefusedFrameError:
    reason = str(error)[:200]
    try:
        decode = msgspec.json.decode if wire_format == "json" else msgspec.msgpack.decode
        loose: object = decode(cast("bytes", message))
    except (ValueError, RecursionError):
        return RefusedFrameError(BAD_FRAME, reason, None)
    if not isinstance(loose, dict):
        return RefusedFrameError(BAD_FRAME, reason, None)
    fields = cast("dict[Any, object]", loose)
    code = UNKNOWN_FRAME if _is_unknown(fields) else BAD_FRAME
    return RefusedFrameError(code, reason, _question(fields.get("id")))


def _is_unknown(fields: dict[Any, object]) -> bool:
    tag = fields.get("type")
    if not isinstance(tag, str):
        return False
    if tag != "command":
        return tag not in _FRAMES
    body = fields.get("body")
    if not isinstance(body, dict):
        return False
    command = cast("dict[Any, object]", body).get("type")
    return isinstance(command, str) and command not in _COMMANDS


def _question(number: object) -> int | None:
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= _QUESTION_MAX:
        return number
    return None
