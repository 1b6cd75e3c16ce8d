"""The demo users."""

from collections.abc import Sequence
from typing import Final

import msgspec

from commerce.accounts import service as accounts
from commerce.accounts.model import STAFF_ROLE, NewUser, User, demo_email
from commerce.foundation.database import Transaction
from commerce.seed.fate import Fate
from protocol.ids import UserId

DEMO_PASSWORD: Final = "rialto-demo"  # noqa: S105 - of the dev profile's demo users, on purpose
STAFF_NUMBER: Final = 10
"""The demo user who works here: keeps order in public rooms, and answers in support rooms."""

_JOINED_DAYS_BEFORE: Final = 320


class People(msgspec.Struct, frozen=True, kw_only=True):
    """The demo users in their order, and whether none of them was there before."""

    users: tuple[User, ...]
    are_new: bool


async def import_people(
    tx: Transaction, names: Sequence[str], *, password_hash: str | None
) -> People:
    """Have every demo user."""
    added = [
        await accounts.import_user(tx, _demo_user(number, name, password_hash))
        for number, name in enumerate(names, start=1)
    ]
    users = [await accounts.demo_user(tx, number) for number in range(1, len(names) + 1)]
    return People(users=tuple(users), are_new=all(added))


def _demo_user(number: int, name: str, password_hash: str | None) -> NewUser:
    fate = Fate(f"user/{number}")
    joined = fate.moment(days_before_max=_JOINED_DAYS_BEFORE, days_before_min=300)
    return NewUser(
        id=UserId(fate.id("usr", joined)),
        email=demo_email(number),
        name=name,
        password_hash=password_hash,
        roles=(STAFF_ROLE,) if number == STAFF_NUMBER else (),
        demo_number=number,
    )
