"""The short-lived signed ticket that opens a socket.

Commerce signs it; the gateway verifies it offline. It is a JSON Web Token (RFC 7519) signed with
Ed25519 (RFC 8037). Only that algorithm is accepted, so a token that names another is refused.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import jwt
import msgspec
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
            key = self._keys[str(jwt.get_unverified_header(ticket).get("kid"))]
            payload = jwt.decode(
                ticket,
                key,
                algorithms=["EdDSA"],
                audience=TICKET_AUDIENCE,
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "require": ["exp", "iat", "aud"],
                },
            )
            return msgspec.convert(payload, TicketClaims)
        except (jwt.InvalidTokenError, KeyError, msgspec.ValidationError) as error:
            raise InvalidTicketError("the ticket is not valid") from error


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
