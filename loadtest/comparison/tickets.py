"""Tickets as the shop signs them, for users that exist only while a benchmark runs."""

import base64
import time
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.ids import RoomId, UserId

_KEY_ID: Final = "bench"
_AUDIENCE: Final = "rialto-gateway"
_LIFETIME_SECONDS: Final = 3600


class TicketOffice:
    """Signs tickets with a key of its own; servers are given the public half."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    @property
    def verifying_key(self) -> str:
        """The public half, as `RIALTO_TICKET_VERIFYING_KEYS` takes it."""
        raw = self._key.public_key().public_bytes_raw()
        return f"{_KEY_ID}:{base64.b64encode(raw).decode()}"

    def ticket(self, number: int) -> str:
        """Return a ticket of user `number`."""
        now = int(time.time())  # noqa: TID251 - a ticket carries the time of day
        claims = {
            "aud": _AUDIENCE,
            "sub": user_id(number),
            "sid": _id("ses", number),
            "name": f"User {number}",
            "roles": [],
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": _KEY_ID})


def user_id(number: int) -> UserId:
    """Return the id of user `number`."""
    return UserId(_id("usr", number))


def room_id(number: int) -> RoomId:
    """Return the id of room `number`."""
    return RoomId(_id("rom", number))


def _id(prefix: str, number: int) -> str:
    return f"{prefix}_{number:026d}"
