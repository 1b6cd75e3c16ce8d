"""The AsyncAPI 3.0 document of the socket, for tools that draw or test it."""

from typing import Any, Final

import msgspec

from protocol.client_frames import AnyClientFrame
from protocol.generate.json_schema import frame_schemas
from protocol.generate.shapes import first_sentence, members
from protocol.server_frames import AnyServerFrame
from protocol.version import PROTOCOL_VERSION, SUBPROTOCOLS

_ASYNCAPI_VERSION: Final = "3.0.0"


def asyncapi() -> dict[str, Any]:
    """Return the document. A client sends `send*` and receives what the gateway sends."""
    _, _, components = frame_schemas("#/components/schemas/{name}")
    client, server = members(AnyClientFrame), members(AnyServerFrame)
    return {
        "asyncapi": _ASYNCAPI_VERSION,
        "info": {
            "title": "Rialto gateway",
            "version": f"{PROTOCOL_VERSION}.0.0",
            "description": "One WebSocket carries chat, presence, notifications, commands and "
            "their outcomes. The rules of conversation are in protocol/README.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "localhost:8301", "protocol": "ws", "pathname": "/ws"}},
        "channels": {"socket": _channel([*client, *server])},
        "operations": {
            "toGateway": _operation("receive", client, "What the gateway takes from a client."),
            "fromGateway": _operation("send", server, "What the gateway sends to a client."),
        },
        "components": {
            "schemas": components,
            "messages": {frame.__name__: _message(frame) for frame in [*client, *server]},
        },
    }


def _channel(frames: list[type[msgspec.Struct]]) -> dict[str, Any]:
    return {
        "address": "/ws",
        "title": "The socket",
        "description": f"Subprotocols: {', '.join(SUBPROTOCOLS)}.",
        "messages": {
            frame.__name__: {"$ref": f"#/components/messages/{frame.__name__}"} for frame in frames
        },
        "bindings": {"ws": {"method": "GET"}},
    }


def _operation(action: str, frames: list[type[msgspec.Struct]], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{frame.__name__}"} for frame in frames],
    }


def _message(frame: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "name": str(frame.__struct_config__.tag),
        "title": frame.__name__,
        "summary": first_sentence(frame),
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }
