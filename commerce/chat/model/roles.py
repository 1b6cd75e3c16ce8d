"""Who may do what in which kind of room: one table. Pure."""

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from commerce.chat.errors import FixedMembersError, RoomForbiddenError
from protocol.views import MemberRole, RoomKind

Rank = Literal["stranger", "member", "moderator", "owner", "staff"]
"""What somebody is in a room, the lowest first. Staff of the shop have no role of their own in a
product's room, nor need they be members of it."""

Power = Literal[
    "invite",
    "send_away",
    "change_roles",
    "mute",
    "ban",
    "take_back",
    "set_slow_mode",
    "see_reports",
]

_HEIGHT: Final[Mapping[Rank, int]] = {
    "stranger": 0,
    "member": 1,
    "moderator": 2,
    "owner": 3,
    "staff": 4,
}

POWERS: Final[Mapping[RoomKind, Mapping[Power, Rank]]] = {
    "product": {
        "change_roles": "staff",
        "mute": "moderator",
        "ban": "moderator",
        "take_back": "moderator",
        "set_slow_mode": "moderator",
        "see_reports": "moderator",
    },
    "group": {
        "invite": "moderator",
        "send_away": "moderator",
        "change_roles": "owner",
        "mute": "moderator",
        "ban": "moderator",
        "take_back": "moderator",
        "set_slow_mode": "moderator",
        "see_reports": "moderator",
    },
    "support": {"mute": "staff", "take_back": "moderator", "see_reports": "staff"},
    "direct": {"take_back": "staff"},
}
"""The lowest rank that has a power, by kind of room; a power that is not named nobody has there.

A power over a person (`send_away`, `change_roles`, `mute`, `ban`) holds over lower ranks only.
"""

GIVEN_ROLES: Final[Mapping[RoomKind, frozenset[MemberRole]]] = {
    "product": frozenset({"member", "moderator"}),
    "group": frozenset({"member", "moderator", "owner"}),
    "support": frozenset(),
    "direct": frozenset(),
}
"""Roles that may be given. A group has exactly one owner: who gives that away is a moderator."""


class HasRole(Protocol):
    """A member, or a room as its reader sees it."""

    @property
    def role(self) -> MemberRole | None:
        """The role in the room, if there is one."""
        ...


def rank_of(holder: HasRole | None, *, is_staff: bool) -> Rank:
    """Return what somebody is in a room."""
    if is_staff:
        return "staff"
    return "stranger" if holder is None else holder.role or "stranger"


def has_power(kind: RoomKind, power: Power, rank: Rank) -> bool:
    """Say whether somebody of this rank has a power in a room of this kind."""
    lowest = POWERS[kind].get(power)
    return lowest is not None and _HEIGHT[rank] >= _HEIGHT[lowest]


def powers_of(kind: RoomKind, rank: Rank) -> list[Power]:
    """Return everything somebody of this rank may do in a room of this kind."""
    return [power for power in POWERS[kind] if has_power(kind, power, rank)]


def is_above(rank: Rank, other: Rank) -> bool:
    """Say whether a power over a person of rank `other` holds for somebody of this rank."""
    return _HEIGHT[rank] > _HEIGHT[other]


def require_power(kind: RoomKind, power: Power, rank: Rank) -> None:
    """Make sure that somebody of this rank has a power.

    Raises:
        FixedMembersError: if it is about who is in a room whose members never change.
        RoomForbiddenError: if the rank is too low, or nobody has this power in such a room.
    """
    if has_power(kind, power, rank):
        return
    if kind == "direct" and power in {"invite", "send_away"}:
        raise FixedMembersError
    lowest = POWERS[kind].get(power)
    if lowest is None:
        raise RoomForbiddenError("Nobody may do this in a room of this kind.")
    whom = "the shop's staff" if lowest == "staff" else f"somebody who is {lowest} or more"
    raise RoomForbiddenError(f"Only {whom} may do this here.")


def require_above(rank: Rank, other: Rank) -> None:
    """Make sure that a power over a person holds.

    Raises:
        RoomForbiddenError: if the person's rank is as high, or higher.
    """
    if not is_above(rank, other):
        raise RoomForbiddenError("You may do this only to people of a lower rank than yours.")


def require_given(kind: RoomKind, role: MemberRole) -> None:
    """Make sure that a role can be given in a room of this kind.

    Raises:
        RoomForbiddenError: if there is no such role there.
    """
    if role not in GIVEN_ROLES[kind]:
        raise RoomForbiddenError(f"Nobody can be made {role} of a room of this kind.")
