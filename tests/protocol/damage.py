"""Bytes as a bad network, a bad client or a bad day would make them of good ones."""

import random
import time
from contextlib import contextmanager

from shared.environment import process_variables
from tests.protocol.write_golden import GOLDEN

FUZZ_SECONDS_VARIABLE = "RIALTO_TEST_FUZZ_SECONDS"
"""Set it to fuzz for so long instead of for the small budget that every run has."""

ROUND_SECONDS_MAX = 2.0
"""Of the processor, so that a busy machine makes no difference; a round takes far below 1 ms."""

PIECES_MAX = 20_000
HUGE_LENGTHS = (
    b"\xdb\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\x7f\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
)
ODD_NUMBERS = (
    b"1e999",
    b"-0",
    b"9" * 400,
    b"\xcf" + b"\xff" * 8,
    b"\xcb\x7f\xf8" + b"\0" * 6,
    b"NaN",
)
ODD_TEXTS = (b"\\ud800", b"\xed\xa0\x80", b"\xff\xfe", b"\0", b"\\u0000", b'"', b"\xd9\xff")
DEEP = (b"[" * 3000, b'{"a":' * 3000, b"\x91" * 3000, b"\x81\xa1a" * 3000)


def golden_payloads(wire_format):
    """Every golden frame in one encoding, in an order that never changes."""
    return [path.read_bytes() for path in sorted(GOLDEN.rglob(f"*.{wire_format}"))]


def damaged(payload, others, dice):
    """One to three things go wrong."""
    for _ in range(dice.randint(1, 3)):
        payload = dice.choice(_DAMAGES)(payload, others, dice)
    return payload[:PIECES_MAX]


def _flip_bits(payload, _others, dice):
    spoiled = bytearray(payload)
    for _ in range(dice.randint(1, 4)):
        if spoiled:
            spoiled[dice.randrange(len(spoiled))] ^= 1 << dice.randrange(8)
    return bytes(spoiled)


def _cut(payload, _others, dice):
    return payload[: dice.randint(0, len(payload))]


def _behead(payload, _others, dice):
    return payload[dice.randint(0, len(payload)) :]


def _splice(payload, others, dice):
    other = dice.choice(others)
    return payload[: dice.randint(0, len(payload))] + other[dice.randint(0, len(other)) :]


def _repeat(payload, _others, dice):
    start = dice.randint(0, len(payload))
    end = dice.randint(start, len(payload))
    return payload[:end] + payload[start:end] * dice.randint(1, 50) + payload[end:]


def _insert(payload, _others, dice):
    at = dice.randint(0, len(payload))
    odd = dice.choice((*HUGE_LENGTHS, *ODD_NUMBERS, *ODD_TEXTS, dice.randbytes(4)))
    return payload[:at] + odd + payload[at:]


def _replace_number(payload, _others, dice):
    places = [at for at, byte in enumerate(payload) if chr(byte).isdigit()]
    if not places:
        return payload
    at = dice.choice(places)
    return payload[:at] + dice.choice(ODD_NUMBERS) + payload[at + 1 :]


def _bury(payload, _others, dice):
    at = dice.randint(0, len(payload))
    return payload[:at] + dice.choice(DEEP) + payload[at:]


_DAMAGES = (
    *(_flip_bits, _cut, _behead, _splice, _repeat, _insert, _replace_number, _flip_bits, _splice),
    _bury,
)


def budget(count):
    """Yield a seed and its dice for each round.

    `count` of them, always the same; or, from a fresh seed, as many as the long form has time for.
    """
    seconds = float(process_variables().get(FUZZ_SECONDS_VARIABLE, "0"))
    deadline = time.monotonic() + seconds
    first = random.SystemRandom().getrandbits(60) if seconds else 0
    for seed in range(first, first + (2**60 if seconds else count)):
        if seconds and time.monotonic() > deadline:
            return
        yield seed, random.Random(seed)  # noqa: S311 - repeatable, not secret


@contextmanager
def named(seed, payload):
    """Say by which seed a failure can be had again; a round that takes long is one too."""
    started = time.thread_time()
    try:
        yield
        assert time.thread_time() - started < ROUND_SECONDS_MAX, "it takes too long"
    except Exception as error:
        raise AssertionError(f"seed {seed}: {payload!r}") from error
