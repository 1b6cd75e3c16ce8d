"""Check a Rialto licence file without a network. Copy this one file into your product.

    from verify_license import machine_id, verify

    answer = verify(text, keys={"2026-11": "…"}, machine=machine_id("your machine's fingerprint"),
                    now=time.time(), seq_seen=41)
    if answer.status in ("valid", "grace"): ...

It needs Python 3.9 and nothing else. Signatures are Ed25519 (RFC 8032 §5.1.7), checked here in
plain integers; verification handles no secret, so it need not run in constant time.
The keys come with your product, never with the file. See README.md beside this file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

FILE_DOMAIN = "license-file/v1"
ANSWER_DOMAIN = "license-answer/v1"
TEXT_CHARS_MAX = 16_384
CLOCK_SKEW_SECONDS = 300

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
Claims = dict[str, Any]
_Point = tuple[int, int, int, int]

_PART = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_STRINGS = ("license", "product", "machine")
_NUMBERS = ("seq", "iat", "nbf", "exp", "grace")


@dataclass(frozen=True)
class Answer:
    """What a file is worth.

    `status` is one of: valid; grace (run out, but may still start, with a warning); expired;
    not_yet (its time has not begun, or the clock stands before the file was made: set back?);
    other_machine; rolled_back (an older file than one seen before); unknown_key; malformed.
    `claims` are what the file says, for every status but the last two.
    """

    status: str
    claims: Claims | None = None


def machine_id(fingerprint: str) -> str:
    """Return what a licence file calls the machine with this fingerprint."""
    return hashlib.sha256(b"rialto-machine/v1\0" + fingerprint.encode()).hexdigest()


def verify(
    text: str, *, keys: Mapping[str, str], machine: str, now: float, seq_seen: int = 0
) -> Answer:
    """Say what a licence file is worth on this machine, now.

    Args:
        text: the file's content.
        keys: the product's public keys: kid to 32 bytes in base64url.
        machine: this machine, by `machine_id`.
        now: the time, in Unix seconds.
        seq_seen: the largest `seq` of a file accepted before; keep it beside the file.
    """
    claims = open_signed(text, FILE_DOMAIN, keys=keys)
    if isinstance(claims, str):
        return Answer(claims)
    if not (
        all(type(claims.get(name)) is str for name in _STRINGS)
        and all(type(claims.get(name)) is int for name in _NUMBERS)
    ):
        return Answer("malformed")
    return Answer(_status(claims, machine, now, seq_seen), claims)


def open_signed(text: str, domain: str, *, keys: Mapping[str, str]) -> Claims | str:
    """Return what a signed text says, or why not: `malformed` or `unknown_key`."""
    parts = text.strip().split(".") if len(text) <= TEXT_CHARS_MAX else []
    if len(parts) != 4 or parts[0] != "v1" or not all(map(_PART, parts)):
        return "malformed"
    _, header_part, payload_part, signature_part = parts
    try:
        header = _object(header_part)
        if header.get("alg") != "Ed25519":
            return "malformed"
        kid = header.get("kid")
        key = keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            return "unknown_key"
        signed = f"{domain}\0{header_part}.{payload_part}".encode()
        if not ed25519_is_good(_decode(key), signed, _decode(signature_part)):
            return "malformed"
        return _object(payload_part)
    except (ValueError, RecursionError):
        return "malformed"


def ed25519_is_good(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether the signature is the key's over the message (RFC 8032 §5.1.7)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public_key), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % _L
    left, right = _times(scalar, _base()), _add(commitment, _times(challenge, key))
    same_x = (left[0] * right[2] - right[0] * left[2]) % _P == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % _P == 0


def _status(claims: Claims, machine: str, now: float, seq_seen: int) -> str:
    if claims["machine"] != machine:
        return "other_machine"
    if claims["seq"] < seq_seen:
        return "rolled_back"
    if now + CLOCK_SKEW_SECONDS < max(claims["nbf"], claims["iat"]):
        return "not_yet"
    if now < claims["exp"]:
        return "valid"
    return "grace" if now < claims["grace"] else "expired"


def _object(part: str) -> Claims:
    found = json.loads(_decode(part))
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - of the text, not of a caller's type
    return cast("Claims", found)


def _decode(part: str) -> bytes:
    """Read base64url without padding; refuse what `encode` would not have written."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise ValueError("not base64url")
    return raw


# The curve: points are (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032 §5.1.4).


def _add(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    result: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _point(encoded: bytes) -> _Point | None:
    """Decode a point; None if there is none (RFC 8032 §5.1.3)."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def _base() -> _Point:
    point = _point((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return point
