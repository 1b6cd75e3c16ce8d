"""The short-lived signed ticket that opens a socket.

Commerce signs it; the gateway verifies it offline. It is a JSON Web Token (RFC 7519) signed with
Ed25519 (RFC 8037). Only that algorithm is accepted, so a token that names another is refused.
They are read here in a few strict lines: a general library's reading took as long as the signature.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import jwt
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.ids import SessionId, UserId

TICKET_AUDIENCE: Final = "rialto-gateway"
TICKET_LIFETIME_SECONDS: Final = 300
CLOCK_SKEW_SECONDS_MAX: Final = 30

DEV_SIGNING_KEY: Final = "dev:cmlhbHRvIGRldmVsb3BtZW50IHNpZ25pbmcga2V5ISE="
"""Known to everybody: for development only. Staging and prod refuse it."""

DEV_VERIFYING_KEY: Final = "dev:KItB7q0hmd9BTR1ZPe3BHHvf+fNHM7zoTehFEp2gLAw="
"""The public half of `DEV_SIGNING_KEY`."""


class InvalidTicketError(Exception):
    """The ticket was not signed by us, or is not a ticket."""


class ExpiredTicketError(InvalidTicketError):
    """The ticket was good, but its time is over."""


class MalformedKeyError(ValueError):
    """A key is not written as `kid:base64`, with 32 bytes behind the base64."""


class TicketClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a ticket says: who, on which sign-in, until when (Unix seconds)."""

    sub: UserId
    sid: SessionId
    name: str
    exp: int
    iat: int
    roles: tuple[str, ...] = ()


class TicketSigner:
    """Signs tickets with the current key."""

    def __init__(self, key: str) -> None:
        self._key_id, seed = _parse(key)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def verifying_key(self) -> str:
        """The public half, written as `TicketVerifier` takes it."""
        return (
            f"{self._key_id}:{base64.b64encode(self._key.public_key().public_bytes_raw()).decode()}"
        )

    def sign(
        self, *, user: UserId, name: str, session: SessionId, roles: tuple[str, ...], now: datetime
    ) -> str:
        """Return a ticket that is good for `TICKET_LIFETIME_SECONDS`."""
        expires = now + timedelta(seconds=TICKET_LIFETIME_SECONDS)
        claims = {
            "aud": TICKET_AUDIENCE,
            "sub": user,
            "sid": session,
            "name": name,
            "roles": list(roles),
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._key_id})


class TicketVerifier:
    """Verifies tickets against the published keys; several while keys rotate."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        parsed = (_parse(key) for key in keys)
        self._keys: Mapping[str, Ed25519PublicKey] = {
            key_id: Ed25519PublicKey.from_public_bytes(raw) for key_id, raw in parsed
        }
        self._keys_by_header: dict[bytes, Ed25519PublicKey] = {}

    def verify(self, ticket: str, now: datetime) -> TicketClaims:
        """Return what a good ticket says.

        Raises:
            ExpiredTicketError: if its time is over.
            InvalidTicketError: if it is anything but a ticket of ours.
        """
        claims = self._decode(ticket)
        at = now.timestamp()
        if claims.iat > at + CLOCK_SKEW_SECONDS_MAX:
            raise InvalidTicketError("the ticket comes from the future")
        if claims.exp <= at:
            raise ExpiredTicketError("the ticket has expired")
        return claims

    def _decode(self, ticket: str) -> TicketClaims:
        try:
            signed, _, signature = ticket.encode("ascii").rpartition(b".")
            header, _, payload = signed.partition(b".")
            self._key_of(header).verify(_from_base64(signature), signed)
            self._keys_by_header.setdefault(header, self._key_of(header))
            return _claims_in(_from_base64(payload))
        except (ValueError, KeyError, RecursionError, InvalidSignature) as error:
            raise InvalidTicketError("the ticket is not valid") from error

    def _key_of(self, header: bytes) -> Ed25519PublicKey:
        """Return the key that a header names; one that a good ticket had is not read again."""
        known = self._keys_by_header.get(header)
        return self._keys[_decode_header(_from_base64(header)).kid] if known is None else known


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first part of a ticket. What `crit` names we do not understand, whatever it is."""

    alg: Literal["EdDSA"]
    kid: str
    crit: msgspec.UnsetType = msgspec.UNSET


class _Payload(TicketClaims, frozen=True, kw_only=True):
    """The second part."""

    aud: Literal["rialto-gateway"]


_decode_header: Final = msgspec.json.Decoder(_Header).decode
_decode_payload: Final = msgspec.json.Decoder(_Payload).decode
_is_base64: Final = re.compile(rb"[-_0-9A-Za-z]+").fullmatch


def _claims_in(payload: bytes) -> TicketClaims:
    told = _decode_payload(payload)
    return TicketClaims(
        sub=told.sub, sid=told.sid, name=told.name, exp=told.exp, iat=told.iat, roles=told.roles
    )


def _from_base64(part: bytes) -> bytes:
    """Return what a part of a ticket holds; it is written without padding.

    Raises:
        ValueError: if it is written otherwise.
    """
    if _is_base64(part) is None:
        raise ValueError("not base64 as tickets have it")
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def generate_signing_key(key_id: str) -> str:
    """Return a new private key, written as `TicketSigner` takes it."""
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    return f"{key_id}:{base64.b64encode(seed).decode()}"


def _parse(key: str) -> tuple[str, bytes]:
    key_id, separator, encoded = key.partition(":")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise MalformedKeyError("a key is written as kid:base64") from error
    if not key_id or not separator or len(raw) != 32:
        raise MalformedKeyError("a key is written as kid:base64, with 32 bytes behind the base64")
    return key_id, raw
