"""WebSocket frames as a client speaks them (RFC 6455), without I/O.

trio-websocket would do, but a load client must cost less than the server it measures: reading a
message takes a fraction of the time here (`python -m loadtest bench client`). What a client never
needs is left out: extensions, and sending fragments.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Final

import msgspec

from loadtest.limits import FRAME_BYTES_MAX, HANDSHAKE_BYTES_MAX

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NO_STATUS: Final = 1005
ABNORMAL: Final = 1006

_CONTINUATION: Final = 0x0
_ACCEPT_SALT: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WireError(Exception):
    """The server broke the WebSocket protocol, or refused the upgrade."""


class Received(msgspec.Struct, frozen=True):
    """A whole message (`TEXT`, `BINARY`) or a control frame."""

    opcode: int
    payload: bytes


def build_frame(opcode: int, payload: bytes) -> bytes:
    """Return one final frame, masked as RFC 6455 section 5.3 asks of clients."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, 0x80 | length))
    elif length < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + length.to_bytes(8, "big")
    mask = os.urandom(4)
    return head + mask + _masked(payload, mask)


def _masked(payload: bytes, mask: bytes) -> bytes:
    length = len(payload)
    key = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")


def build_close(code: int) -> bytes:
    """Return a close frame."""
    return build_frame(CLOSE, code.to_bytes(2, "big"))


def close_code(payload: bytes) -> int:
    """Return the code a close frame gives."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else NO_STATUS


class FrameReader:
    """Turns bytes as they arrive into whole messages and control frames."""

    __slots__ = ("_parts", "_parts_opcode", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._parts: list[bytes] = []
        self._parts_opcode = 0

    def receive(self, chunk: bytes) -> list[Received]:
        """Return what `chunk` completes, in order.

        Raises:
            WireError: if the bytes are not what a server may send.
        """
        arrived = self._rest + chunk if self._rest else chunk
        found: list[Received] = []
        at = 0
        while (bounds := frame_bounds(arrived, at)) is not None:
            start, end = bounds
            whole = self._take(arrived[at], arrived[start:end])
            if whole is not None:
                found.append(whole)
            at = end
        self._rest = arrived[at:]
        return found

    def _take(self, first: int, payload: bytes) -> Received | None:
        opcode, final = first & 0x0F, first & 0x80
        if opcode >= CLOSE or (final and opcode and not self._parts):
            return Received(opcode, payload)
        if (opcode == _CONTINUATION) != bool(self._parts):
            raise WireError("a fragment came without its beginning, or a beginning twice")
        self._parts_opcode = opcode or self._parts_opcode
        self._parts.append(payload)
        if sum(map(len, self._parts)) > FRAME_BYTES_MAX:
            raise WireError("a fragmented message is too large")
        if not final:
            return None
        whole = Received(self._parts_opcode, b"".join(self._parts))
        self._parts.clear()
        return whole


def frame_bounds(arrived: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at `at` starts and ends, None if it is not all here."""
    here = len(arrived)
    if here - at < 2:
        return None
    if arrived[at] & 0x70:
        raise WireError("a frame uses an extension that was not agreed on")
    length = arrived[at + 1]
    start = at + 2
    if length == 126:
        start = at + 4
        length = int.from_bytes(arrived[at + 2 : start], "big")
    elif length == 127:
        start = at + 10
        length = int.from_bytes(arrived[at + 2 : start], "big")
    elif length > 127:
        raise WireError("a server must not mask its frames")
    if here < start:
        return None
    if length > FRAME_BYTES_MAX:
        raise WireError(f"a frame of {length} bytes is too large")
    end = start + length
    return (start, end) if here >= end else None


class Upgrade:
    """The opening handshake, from the client's side."""

    def __init__(self) -> None:
        self._key = base64.b64encode(os.urandom(16))

    def request(self, *, host: str, path: str, subprotocol: str, origin: str | None) -> bytes:
        """Return the request that asks for a WebSocket; no subprotocol if that is empty."""
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {self._key.decode()}",
            "Sec-WebSocket-Version: 13",
        ]
        if subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
        if origin is not None:
            lines.append(f"Origin: {origin}")
        return "\r\n".join([*lines, "", ""]).encode()

    def response(self, arrived: bytes) -> tuple[str, bytes] | None:
        """Return the agreed subprotocol and what came after the head; None if more must come.

        Raises:
            WireError: if the server refuses, or answers something else.
        """
        head, separator, rest = arrived.partition(b"\r\n\r\n")
        if not separator:
            if len(arrived) > HANDSHAKE_BYTES_MAX:
                raise WireError("the answer to the handshake is too long")
            return None
        status, headers = _parse_head(head)
        if status != 101:
            raise WireError(f"the server answered {status} to the handshake")
        if headers.get("sec-websocket-accept") != self._accept():
            raise WireError("the server's answer does not belong to this handshake")
        return headers.get("sec-websocket-protocol", ""), rest

    def _accept(self) -> str:
        digest = hashlib.sha1(self._key + _ACCEPT_SALT, usedforsecurity=False).digest()
        return base64.b64encode(digest).decode()


def _parse_head(head: bytes) -> tuple[int, Mapping[str, str]]:
    status_line, *lines = head.decode("latin-1").split("\r\n")
    parts = status_line.split(" ", 2)
    if len(parts) < 2 or not parts[1].isdigit():
        raise WireError("the answer to the handshake is not HTTP")
    named = (line.partition(":") for line in lines)
    return int(parts[1]), {name.strip().lower(): value.strip() for name, _, value in named}
