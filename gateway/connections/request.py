"""The short way of an upgrade: a plain request for a WebSocket, read and answered by a few lines.

Nearly every request is one: whole in the first packet, no header twice, nothing in it but printable
ASCII. It takes less than a tenth of what a general parser takes. Whatever is anything else is not
judged here at all: h11 and wsproto read it, behind trio-websocket, and refuse what is malformed.
So this accepts less than they do, and says the same.
"""

import base64
import hashlib
import re
from typing import Final

import msgspec

_END: Final = b"\r\n\r\n"
_request_line: Final = re.compile(rb"GET ([\x21-\x7e]+) HTTP/1\.1").fullmatch
_header: Final = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e]*)").fullmatch
_host: Final = re.compile(rb"[-A-Za-z0-9._:\[\]]{1,255}").fullmatch
_key: Final = re.compile(rb"[A-Za-z0-9+/]{22}==").fullmatch
_ACCEPT_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NOT_PLAIN: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class PlainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a WebSocket in which there is nothing unusual."""

    target: str
    key: bytes
    origin: str | None
    forwarded_for: str
    subprotocols: tuple[str, ...]


def read_plain(received: bytes) -> PlainRequest | None:
    """Read a request that is all of what was received; None if it is not a plain one."""
    if received.find(_END) != len(received) - len(_END):
        return None
    first, *lines = received[: -len(_END)].split(b"\r\n")
    asked = _request_line(first)
    headers = _headers_in(lines)
    if asked is None or headers is None or not _asks_for_websocket(headers):
        return None
    origin = headers.get(b"origin")
    offered = headers.get(b"sec-websocket-protocol", b"").decode("ascii")
    return PlainRequest(
        target=asked[1].decode("ascii"),
        key=headers[b"sec-websocket-key"],
        origin=None if origin is None else origin.decode("ascii"),
        forwarded_for=headers.get(b"x-forwarded-for", b"").decode("ascii"),
        subprotocols=tuple(name.strip() for name in offered.split(",")),
    )


def _headers_in(lines: list[bytes]) -> dict[bytes, bytes] | None:
    headers: dict[bytes, bytes] = {}
    for line in lines:
        found = _header(line)
        if found is None:
            return None
        headers[found[1].lower()] = found[2].rstrip(b" \t")
    is_plain = len(headers) == len(lines) and headers.keys().isdisjoint(_NOT_PLAIN)
    return headers if is_plain else None


def _asks_for_websocket(headers: dict[bytes, bytes]) -> bool:
    tokens = headers.get(b"connection", b"").lower().split(b",")
    return (
        headers.get(b"upgrade", b"").lower() == b"websocket"
        and any(token.strip() == b"upgrade" for token in tokens)
        and headers.get(b"sec-websocket-version") == b"13"
        and _key(headers.get(b"sec-websocket-key", b"")) is not None
        and _host(headers.get(b"host", b"")) is not None
    )


def answer_to(request: PlainRequest, *, subprotocol: str | None) -> bytes:
    """Return the answer that opens the WebSocket."""
    digest = hashlib.sha1(request.key + _ACCEPT_GUID, usedforsecurity=False).digest()
    chosen = "" if subprotocol is None else f"Sec-WebSocket-Protocol: {subprotocol}\r\n"
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n{chosen}\r\n"
    ).encode("ascii")
