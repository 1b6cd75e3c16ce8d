"""What a user and a sign-in are. Pure."""

import unicodedata
from datetime import datetime
from typing import Final

import msgspec

from protocol.ids import SessionId, UserId
from protocol.views import Person

STAFF_ROLE: Final = "staff"
DEMO_USERS: Final = 50
"""Demo users that the seed makes and that a click on "any" chooses from."""

DEMO_NUMBER_MAX: Final = 32_000
"""Higher numbers than `DEMO_USERS` are made on first use, for load tests in the dev profile."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account."""

    id: UserId
    email: str
    name: str
    roles: tuple[str, ...] = ()

    @property
    def person(self) -> Person:
        """The user, as others see them."""
        return Person(id=self.id, name=self.name)


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """An account to make. Without a password hash nobody can sign in by password."""

    id: UserId
    email: str
    name: str
    password_hash: str | None = None
    roles: tuple[str, ...] = ()
    demo_number: int | None = None


class Ban(msgspec.Struct, frozen=True, kw_only=True):
    """Why a user may not come in any more."""

    user: UserId
    banned_at: datetime
    banned_by: UserId
    reason: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in."""

    id: SessionId
    user: UserId
    name: str
    roles: tuple[str, ...]
    created_at: datetime


def normalised_email(email: str) -> str:
    """Return the form in which two spellings of one address are equal."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def demo_email(number: int) -> str:
    """Return the address of a demo user."""
    return f"demo{number:02}@rialto.example"
