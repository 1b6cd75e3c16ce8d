"""What the gateway decodes of others' bytes: a value, or the one error it documents.

The long form: `RIALTO_TEST_FUZZ_SECONDS=600 ./rialto test tests/gateway/test_fuzz.py`.
"""

from contextlib import suppress

import msgspec
import pytest

from gateway.connections.inbound import FrameTooLargeError, RefusedFrameError, read_frame
from gateway.limits import INBOUND_FRAME_BYTES_MAX as FRAME_BYTES_MAX
from gateway.presence.messages import decode_message, decode_present_users
from gateway.streams.topic_log import MalformedLiveMessageError, parse_live
from gateway.topics.prepared import MalformedEventError, PreparedEvent
from protocol.client_frames import AnyClientFrame
from protocol.error_codes import BAD_FRAME, UNKNOWN_FRAME
from tests.gateway.builders import a_message, a_room
from tests.gateway.live.publisher import entry_of
from tests.protocol.damage import budget, damaged, golden_payloads, named

ROUNDS = 3_000
FORMATS = ("json", "msgpack")
TOPIC = a_room()


def as_message(payload, dice):
    """As a WebSocket hands it over: text is well-formed there, or the socket is gone."""
    if dice.random() < 0.5:
        return payload
    return payload.decode(errors="replace")


def read(message, wire_format):
    try:
        assert isinstance(read_frame(message, wire_format), AnyClientFrame)
    except FrameTooLargeError:
        assert len(message.encode() if isinstance(message, str) else message) > FRAME_BYTES_MAX
    except RefusedFrameError as refused:
        check_refusal(refused)


def check_refusal(refused):
    """It can be told to the client: a known code, a short sentence, the question if any."""
    assert refused.code in {BAD_FRAME, UNKNOWN_FRAME}
    assert len(refused.reason.encode()) <= 800
    assert refused.question is None or 1 <= refused.question <= 2**32 - 1


def prepare(entry):
    try:
        event = PreparedEvent(TOPIC, 1, entry)
        event.kind()
        for wire_format in FORMATS:
            event.frame(wire_format)
    except MalformedEventError:
        pass


def hear(payload):
    with suppress(MalformedLiveMessageError):
        parse_live(payload)
    for decode in (decode_message, decode_present_users):
        with suppress(msgspec.DecodeError):
            decode(payload)


class TestDamagedBytes:
    @pytest.mark.timeout(7_200)
    def test_from_a_client_are_a_frame_or_are_refused(self):
        payloads = {name: golden_payloads(name) for name in FORMATS}
        for seed, dice in budget(ROUNDS):
            others = payloads[dice.choice(FORMATS)]
            message = as_message(damaged(dice.choice(others), others, dice), dice)
            with named(seed, message):
                read(message, dice.choice(FORMATS))

    @pytest.mark.timeout(7_200)
    def test_from_redis_are_an_event_or_malformed(self):
        entries = [entry_of(a_message("x" * size)) for size in (0, 5, 300)]
        live = [b"epoch 7 " + entry for entry in entries]
        for seed, dice in budget(ROUNDS):
            entry = damaged(dice.choice(entries), entries, dice)
            message = damaged(dice.choice(live), live, dice)
            with named(seed, (entry, message)):
                prepare(entry)
                hear(message)
