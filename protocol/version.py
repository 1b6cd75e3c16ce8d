"""The version of the wire protocol, and the WebSocket subprotocols that speak it."""

from typing import Final, Literal

PROTOCOL_VERSION: Final = 1

WireFormat = Literal["json", "msgpack"]

SUBPROTOCOLS: Final[dict[str, WireFormat]] = {
    "rialto.v1.json": "json",
    "rialto.v1.msgpack": "msgpack",
}
"""Subprotocol name to wire format, in the server's order of preference (RFC 6455 section 1.9)."""

DEFAULT_WIRE_FORMAT: Final[WireFormat] = "json"
"""What a client that offers no subprotocol is spoken to in."""
