"""Every decoder gives a frame or the one error it documents, whatever bytes it is given.

Every run has a small budget. The long form starts from a fresh seed, and a failure names its own:
`RIALTO_TEST_FUZZ_SECONDS=600 ./rialto test tests/protocol/test_fuzz.py`.
"""

from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from protocol import codec
from protocol.client_frames import AnyClientFrame
from protocol.commands import AnyCommand
from protocol.events import AnyEvent
from protocol.server_frames import AnyServerFrame
from protocol.signals import AnySignal
from protocol.topics import TopicName
from tests.protocol.damage import budget, damaged, golden_payloads, named
from tests.protocol.shapes import anything_of

ROUNDS = 4_000
FORMATS = ("json", "msgpack")
CALMLY = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = [
    (codec.decode_client_frame if union is AnyClientFrame else codec.decode_server_frame, kind)
    for union in (AnyClientFrame, AnyServerFrame)
    for kind in get_args(union)
]
DECODERS = (
    codec.decode_command,
    codec.decode_event,
    codec.decode_topic_entry,
)


def name_of(value):
    return getattr(value, "__name__", str(value))


class TestEveryKindOfFrame:
    @pytest.mark.parametrize(("decode", "kind"), KINDS, ids=name_of)
    def test_comes_back_as_it_was_in_both_encodings(self, decode, kind):
        @CALMLY
        @given(anything_of(kind))
        def check(frame):
            for wire_format in FORMATS:
                assert decode(codec.encode_frame(frame, wire_format), wire_format) == frame

        check()

    @pytest.mark.parametrize(
        "union", [AnyCommand, AnyEvent, AnySignal], ids=["commands", "events", "signals"]
    )
    def test_and_of_what_it_carries_comes_back_as_it_was(self, union):
        @CALMLY
        @given(st.one_of([anything_of(kind) for kind in get_args(union)]))
        def check(value):
            for module in (msgspec.json, msgspec.msgpack):
                assert module.decode(module.encode(value), type=union) == value

        check()


def decode_everywhere(payload):
    """Offer the bytes to every decoder; anything but a value or the one error is a failure."""
    accepted = 0
    for wire_format in FORMATS:
        for decode in (codec.decode_client_frame, codec.decode_server_frame):
            accepted += _decodes(decode, payload, wire_format)
    for decode in DECODERS:
        accepted += _decodes(decode, payload)
    return accepted


def _decodes(decode, payload, *more):
    try:
        decode(payload, *more)
    except msgspec.DecodeError:
        return False
    return True


class TestDamagedFrames:
    @pytest.mark.timeout(7_200)
    def test_are_decoded_or_refused_with_the_one_documented_error(self):
        payloads = {name: golden_payloads(name) for name in FORMATS}
        accepted = 0
        for seed, dice in budget(ROUNDS):
            others = payloads[dice.choice(FORMATS)]
            payload = damaged(dice.choice(others), others, dice)
            with named(seed, payload):
                accepted += decode_everywhere(payload)
        assert accepted, "the damage was too great to say anything"

    @given(st.binary(max_size=400))
    @settings(max_examples=100, deadline=None)
    def test_nor_does_plain_noise_do_anything_else(self, payload):
        decode_everywhere(payload)

    @pytest.mark.parametrize("wire_format", FORMATS)
    def test_are_refused_wherever_they_are_cut(self, wire_format):
        for payload in golden_payloads(wire_format):
            for size in range(len(payload)):
                assert not _decodes(codec.decode_client_frame, payload[:size], wire_format)
                assert not _decodes(codec.decode_server_frame, payload[:size], wire_format)

    @pytest.mark.parametrize(
        "text", ["room:rom_" + "0" * 26 + "\n", "room:rom_" + "0" * 27, "\nroom:rom_" + "0" * 26]
    )
    def test_a_name_with_something_behind_it_is_not_a_name(self, text):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(text, TopicName)
