"""Mint sortable ids: a prefix, and a ULID in Crockford base32 (see `protocol.ids`)."""

import secrets
from datetime import datetime
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_RANDOM_BITS: Final = 80
_CHARACTERS: Final = 26
_SHIFTS: Final = range(5 * _CHARACTERS - 10, -1, -10)
_TIME_CHARACTERS: Final = 10


def mint_id(prefix: str, moment: datetime) -> str:
    """Return a new id such as `ord_01JD…`, unguessable in its last 80 bits.

    Ids minted in different milliseconds sort by time; within one millisecond, at random.
    """
    return make_id(prefix, moment, randomness=secrets.randbits(_RANDOM_BITS))


def make_id(prefix: str, moment: datetime, *, randomness: int) -> str:
    """Return the id of a moment whose last 80 bits are given; seeded data makes its ids so."""
    assert len(prefix) == 3
    assert 0 <= randomness < 2**_RANDOM_BITS
    return f"{prefix}_{_base32((int(moment.timestamp() * 1000) << _RANDOM_BITS) | randomness)}"


def minted_ms(minted: str) -> int:
    """Return the Unix milliseconds in which an id was minted; 0 if it is none of ours."""
    _, _, digits = minted.partition("_")
    if len(digits) != _CHARACTERS or not _VALUES.keys() >= set(digits):
        return 0
    value = 0
    for digit in digits[:_TIME_CHARACTERS]:
        value = value << 5 | _VALUES[digit]
    return value


def _base32(value: int) -> str:
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])
