import json
from pathlib import Path

import jsonschema
import pytest

import protocol
from protocol.generate.__main__ import FILES, main
from protocol.version import SUBPROTOCOLS
from tests.protocol.samples import CLIENT_FRAMES, SERVER_FRAMES
from tests.protocol.write_golden import GOLDEN

ROOT = Path(protocol.__file__).parent
SCHEMA = json.loads((ROOT / "schema/frames.schema.json").read_text())
ASYNCAPI = json.loads((ROOT / "schema/asyncapi.json").read_text())


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for deeper in node.values():
            yield from references(deeper)
    elif isinstance(node, list):
        for deeper in node:
            yield from references(deeper)


def resolve(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


class TestTheGeneratedFiles:
    @pytest.mark.parametrize("path", FILES)
    def test_are_up_to_date(self, path):
        text = (ROOT / path).read_text()

        assert FILES[path](text) == text

    def test_are_reported_when_they_are_not(self, capsys, monkeypatch):
        monkeypatch.setitem(FILES, "js/types.d.ts", lambda _: "something else")

        assert main(["--check"]) == 1
        assert "types.d.ts is out of date" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("door", "golden"),
    [("ClientFrame", f"client/{name}.json") for name in CLIENT_FRAMES]
    + [("ServerFrame", f"server/{name}.json") for name in SERVER_FRAMES],
)
def test_the_json_schema_accepts_every_golden_frame(door, golden):
    schema = {**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{door}"}]}
    frame = json.loads((GOLDEN / golden).read_text())

    jsonschema.Draft202012Validator(schema).validate(frame)


class TestTheJsonSchema:
    def test_is_one(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_refuses_what_the_decoder_refuses(self):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate({"type": "ping", "id": 0})


class TestTheAsyncApiDocument:
    def test_refers_only_to_what_it_holds(self):
        for reference in references(ASYNCAPI):
            assert resolve(ASYNCAPI, reference) is not None

    def test_names_every_frame_and_both_subprotocols(self):
        named = {message["name"] for message in ASYNCAPI["components"]["messages"].values()}
        kinds = {
            frame.__struct_config__.tag
            for frame in (*CLIENT_FRAMES.values(), *SERVER_FRAMES.values())
        }

        assert named == kinds
        assert all(name in ASYNCAPI["channels"]["socket"]["description"] for name in SUBPROTOCOLS)
