"""JSON Schema (draft 2020-12) of every frame, from the same types that decode them."""

from typing import Any, Final

import msgspec

from protocol.client_frames import AnyClientFrame
from protocol.server_frames import AnyServerFrame

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def frame_schemas(ref_template: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the schema of a client frame, of a server frame, and the components both refer to."""
    (client, server), components = msgspec.json.schema_components(
        [AnyClientFrame, AnyServerFrame], ref_template=ref_template
    )
    return client, server, components


def json_schema() -> dict[str, Any]:
    """Return one document; `$defs/ClientFrame` and `$defs/ServerFrame` are its two doors."""
    client, server, components = frame_schemas("#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "title": "Rialto wire protocol, version 1",
        "anyOf": [{"$ref": "#/$defs/ClientFrame"}, {"$ref": "#/$defs/ServerFrame"}],
        "$defs": {"ClientFrame": client, "ServerFrame": server, **components},
    }
