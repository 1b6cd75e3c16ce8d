"""Ephemeral state of a topic: the latest wins, any may be dropped, none is replayed.

A signal always carries the whole state, never a change of it, so that a lost one heals with the
next.
"""

from typing import Final, Literal

import msgspec

from protocol.ids import UserId
from protocol.views import Person

TYPING_NAMES_MAX: Final = 5
PRESENCE_USERS_MAX: Final = 200

PresenceState = Literal["online", "away"]
PersonPresence = Literal["online", "away", "offline"]


class Signal(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything ephemeral a topic may carry."""


class Typing(Signal, frozen=True, kw_only=True, tag="typing"):
    """Who is writing now: at most five of them by name, longest first; `count` counts all."""

    users: list[Person]
    count: int


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """A user who is here, on one device or several."""

    id: UserId
    name: str
    state: PresenceState


class PersonState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a user is there, on any device."""

    user: UserId
    state: PersonPresence


class Presence(Signal, frozen=True, kw_only=True, tag="presence"):
    """Who is here now, by name; above 200 users only `count` is given."""

    count: int
    users: list[Present] | None = None


AnySignal = Typing | Presence
