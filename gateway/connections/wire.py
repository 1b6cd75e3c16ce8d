"""WebSocket frames as a server sends them, made once (RFC 6455 section 5.2).

A server does not mask, so one event is the same bytes to every client.
"""

import struct
from typing import Final

from protocol.close_codes import CloseCode
from protocol.version import WireFormat

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_CLOSE: Final = 0x88
_TWO_BYTE_LENGTH: Final = 126
_EIGHT_BYTE_LENGTH: Final = 127
_REASON_BYTES_MAX: Final = 123


def data_frame(payload: bytes, wire_format: WireFormat) -> bytes:
    """Return the frame that carries an encoded protocol frame."""
    first = _TEXT if wire_format == "json" else _BINARY
    size = len(payload)
    if size < _TWO_BYTE_LENGTH:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", first, _TWO_BYTE_LENGTH, size) + payload
    return struct.pack("!BBQ", first, _EIGHT_BYTE_LENGTH, size) + payload


def close_frame(close: CloseCode) -> bytes:
    """Return the frame that closes a socket; its reason is the code's name."""
    reason = close.name.encode()[:_REASON_BYTES_MAX]
    return struct.pack("!BBH", _CLOSE, 2 + len(reason), close.code) + reason


def close_code_of(frame: bytes) -> int | None:
    """Return the code if `frame` is a close frame (1005 if it carries none), else None."""
    if not frame or frame[0] != _CLOSE:
        return None
    return int.from_bytes(frame[2:4], "big") if len(frame) >= 4 else 1005
