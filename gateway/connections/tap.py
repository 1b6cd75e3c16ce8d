"""The short way of small messages: out of the byte stream before trio-websocket has to read it.

Nearly all that clients send is one small text or binary frame, whole and masked. To read such a
frame takes a few lines; to carry it through a general parser, an event, a queue and two tasks takes
ten times as long. So whole frames are taken here, and everything else is left to trio-websocket as
it came: pings and pongs at once, and from the first frame that is anything special (a fragment, a
close, an extension, too long, not UTF-8) all that follows, so that order is kept and every rule of
RFC 6455 is judged in one place.
"""

from collections.abc import Callable
from typing import Final

from gateway.limits import INBOUND_FRAME_BYTES_MAX

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_PING: Final = 0x89
_PONG: Final = 0x8A
_MASKED: Final = 0x80
_TWO_BYTE_LENGTH: Final = 126
_MASK_BYTES: Final = 4
_CONTROL_BYTES_MAX: Final = 125


class Tap:
    """Splits what a client sends, from a frame's first byte on. It never waits."""

    __slots__ = ("_held", "_is_shut", "_on_message")

    def __init__(self, on_message: Callable[[str | bytes], None]) -> None:
        self._on_message = on_message
        self._held = b""
        self._is_shut = False

    def pour(self, received: bytes) -> bytes:
        """Take the messages out of what was received; return what trio-websocket is to read."""
        data = self._held + received if self._held else received
        left: list[bytes] = []
        at = 0
        while end := self._frame_end(data, at):
            if not self._take(data, at, end):
                left.append(data[at:end])
            at = end
        rest = data[at:]
        self._held = b"" if self._is_shut else rest
        if self._is_shut:
            left.append(rest)
        return b"".join(left)

    def _frame_end(self, data: bytes, at: int) -> int:
        """Return where the frame at `at` ends; 0 if it is not all here, or is not for us."""
        here = len(data) - at
        if self._is_shut or here < 2:
            return 0
        first, length = data[at], data[at + 1] & ~_MASKED
        if not _is_for_us(first, data[at + 1]):
            self._is_shut = True
            return 0
        head = 2 + _MASK_BYTES
        if length == _TWO_BYTE_LENGTH:
            head += 2
            if here < head:
                return 0
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            if not _TWO_BYTE_LENGTH <= length <= INBOUND_FRAME_BYTES_MAX:
                self._is_shut = True
                return 0
        return at + head + length if here >= head + length else 0

    def _take(self, data: bytes, at: int, end: int) -> bool:
        """Hand on the message in a frame; say no if it holds none that we can read."""
        first = data[at]
        if first not in {_TEXT, _BINARY}:
            return False
        start = at + (4 if data[at + 1] & ~_MASKED == _TWO_BYTE_LENGTH else 2)
        payload = _unmasked(data[start + _MASK_BYTES : end], data[start : start + _MASK_BYTES])
        if first == _BINARY:
            self._on_message(payload)
            return True
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._is_shut = True
            return False
        self._on_message(text)
        return True


def _is_for_us(first: int, second: int) -> bool:
    """Say whether a frame that begins so is whole, masked and plain."""
    length = second & ~_MASKED
    if not second & _MASKED or length > _TWO_BYTE_LENGTH:
        return False
    return first in {_TEXT, _BINARY} or (first in {_PING, _PONG} and length <= _CONTROL_BYTES_MAX)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    length = len(payload)
    key = (mask * (length // _MASK_BYTES + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
