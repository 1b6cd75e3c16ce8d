from typing import get_args

import msgspec
import pytest

from protocol import client_frames, commands, events, server_frames, signals
from protocol.codec import decode_client_frame, decode_server_frame, encode_frame
from tests.protocol.samples import CLIENT_FRAMES, COMMANDS, EVENTS, RESULTS, SERVER_FRAMES, SIGNALS
from tests.protocol.write_golden import GOLDEN

FORMATS = ("json", "msgpack")
SIDES = [("client", name) for name in CLIENT_FRAMES] + [("server", name) for name in SERVER_FRAMES]


def sample(side, name):
    return (CLIENT_FRAMES if side == "client" else SERVER_FRAMES)[name]


def decode(side, payload, wire_format):
    return (decode_client_frame if side == "client" else decode_server_frame)(payload, wire_format)


@pytest.mark.parametrize("wire_format", FORMATS)
@pytest.mark.parametrize(("side", "name"), SIDES, ids=lambda word: word)
class TestAGoldenFrame:
    def test_is_what_we_send_to_the_byte(self, side, name, wire_format):
        golden = (GOLDEN / side / f"{name}.{wire_format}").read_bytes()

        assert encode_frame(sample(side, name), wire_format) == golden

    def test_is_read_back_as_what_was_meant(self, side, name, wire_format):
        golden = (GOLDEN / side / f"{name}.{wire_format}").read_bytes()

        assert decode(side, golden, wire_format) == sample(side, name)


class TestTheGoldenFrames:
    @pytest.mark.parametrize(
        ("union", "samples"),
        [
            (client_frames.AnyClientFrame, CLIENT_FRAMES.values()),
            (server_frames.AnyServerFrame, SERVER_FRAMES.values()),
            (commands.AnyCommand, COMMANDS),
            (commands.AnyCommandResult, RESULTS),
            (events.AnyEvent, EVENTS),
            (signals.AnySignal, SIGNALS),
        ],
        ids=["client frames", "server frames", "commands", "results", "events", "signals"],
    )
    def test_leave_no_kind_out(self, union, samples):
        assert {type(one) for one in samples} == set(get_args(union))

    def test_hold_no_file_that_nobody_reads(self):
        expected = {
            f"{side}/{name}.{wire_format}" for side, name in SIDES for wire_format in FORMATS
        }

        assert {str(file.relative_to(GOLDEN)) for file in GOLDEN.rglob("*.*")} == expected


@pytest.mark.parametrize("wire_format", FORMATS)
class TestAFrameFromALaterMinorVersion:
    def test_is_read_without_what_it_added(self, wire_format):
        encode = msgspec.json.encode if wire_format == "json" else msgspec.msgpack.encode
        payload = encode({"type": "ping", "id": 3, "mood": "curious"})

        assert decode_client_frame(payload, wire_format) == client_frames.Ping(id=3)

    def test_of_a_kind_we_do_not_know_is_refused_by_name(self, wire_format):
        encode = msgspec.json.encode if wire_format == "json" else msgspec.msgpack.encode

        with pytest.raises(msgspec.ValidationError, match="dance"):
            decode_client_frame(encode({"type": "dance", "id": 3}), wire_format)


class TestLimitsOfAClientFrame:
    @pytest.mark.parametrize(
        ("payload", "wire_format"),
        [
            (b'{"type":"ping","id":1,"mood":' + b"[" * 15_000, "json"),
            (b"\x83\xa4type\xa4ping\xa2id\x01\xa4mood" + b"\x91" * 15_000, "msgpack"),
        ],
    )
    def test_hold_where_values_are_nested_too_deeply(self, payload, wire_format):
        with pytest.raises(msgspec.DecodeError):
            decode_client_frame(payload, wire_format)

    @pytest.mark.parametrize(
        "frame",
        [
            b'{"type":"ping","id":0}',
            b'{"type":"ping","id":4294967296}',
            b'{"type":"ping"}',
            b'{"type":"subscribe","id":1,"topic":"room:1"}',
            b'{"type":"subscribe","id":1,"topic":"secret:rom_01JD7Q3ZB2M4N5P6Q7R8S9T0VW"}',
            b'{"type":"hello","id":1,"ticket":"","device":"tab-7f3a9c21"}',
            b'{"type":"hello","id":1,"ticket":"x","device":"a b c d e"}',
            b'{"type":"command","id":1,"key":"short","body":{"type":"place_order","cart_version":1}}',
            b'{"type":"command","id":1,"key":"longenough","body":{"type":"place_order","cart_version":-1}}',
            b'{"type":"typing","topic":"room:rom_01JD7Q3ZB2M4N5P6Q7R8S9T0VW","on":"yes"}',
            b"[]",
            b"",
            b"\xff\xfe",
        ],
    )
    def test_are_held(self, frame):
        with pytest.raises(msgspec.DecodeError):
            decode_client_frame(frame, "json")

    def test_allow_no_more_than_128_positions(self):
        topics = {f"room:rom_{number:026d}": ["e", 0] for number in range(129)}
        frame = {"type": "resume", "id": 1, "positions": topics}

        with pytest.raises(msgspec.ValidationError, match="length <= 128"):
            decode_client_frame(msgspec.json.encode(frame), "json")
