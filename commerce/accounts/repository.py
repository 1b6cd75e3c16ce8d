"""Every line of SQL about accounts."""

from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from commerce.accounts.model import Ban, NewUser, User
from commerce.foundation.database import Transaction
from protocol.ids import UserId
from protocol.views import Person

_ADD: Final[LiteralString] = """
    insert into users (id, email, name, password_hash, roles, demo_number, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)
        on conflict do nothing
"""
_FIND: Final[LiteralString] = """
    select id, email, name, roles
      from users
     where id = $1
"""
_FIND_BY_EMAIL: Final[LiteralString] = """
    select id, email, name, roles, password_hash
      from users
     where email = $1
"""
_FIND_DEMO: Final[LiteralString] = """
    select id, email, name, roles
      from users
     where demo_number = $1
"""
_PEOPLE: Final[LiteralString] = """
    select id, name
      from users
     where id = any($1)
"""
_LOCK_ROLES: Final[LiteralString] = """
    select roles
      from users
     where id = $1
       for update
"""
_BAN: Final[LiteralString] = """
       update users
          set banned_at  = coalesce(banned_at, $2),
              banned_by  = $3,
              ban_reason = $4
        where id = $1
    returning id as "user", banned_at, banned_by, ban_reason as reason
"""
_LIFT_BAN: Final[LiteralString] = """
    update users
       set banned_at = null, banned_by = null, ban_reason = null
     where id = $1
"""
_IS_BANNED: Final[LiteralString] = """
    select exists (select from users where id = $1 and banned_at is not null)
"""
_STAFF: Final[LiteralString] = """
    select id, name
      from users
     where 'staff' = any(roles)
     order by id
     limit $1
"""
_HAS_ROLE: Final[LiteralString] = """
    select exists (select from users where id = $1 and $2 = any(roles))
"""


class KnownUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user and what is kept of their password."""

    id: UserId
    email: str
    name: str
    roles: tuple[str, ...]
    password_hash: str | None

    @property
    def user(self) -> User:
        """The user alone."""
        return User(id=self.id, email=self.email, name=self.name, roles=self.roles)


class _Roles(msgspec.Struct, frozen=True, kw_only=True):
    roles: tuple[str, ...]


async def add(tx: Transaction, new: NewUser) -> bool:
    """Add a user; say whether the id, the address and the demo number were free."""
    added = await tx.execute(
        _ADD,
        new.id,
        new.email,
        new.name,
        new.password_hash,
        list(new.roles),
        new.demo_number,
        tx.now,
    )
    return added == 1


async def find(tx: Transaction, user_id: UserId) -> User | None:
    """Read a user."""
    return await tx.one_or_none(User, _FIND, user_id)


async def find_by_email(tx: Transaction, email: str) -> KnownUser | None:
    """Read a user by their normalised address."""
    return await tx.one_or_none(KnownUser, _FIND_BY_EMAIL, email)


async def find_demo(tx: Transaction, number: int) -> User | None:
    """Read the demo user of this number."""
    return await tx.one_or_none(User, _FIND_DEMO, number)


async def people(tx: Transaction, user_ids: Sequence[UserId]) -> list[Person]:
    """Read those of `user_ids` that exist."""
    return await tx.all(Person, _PEOPLE, list(user_ids))


async def lock_roles(tx: Transaction, user_id: UserId) -> tuple[str, ...] | None:
    """Lock a user; return their roles, or None if there is no such user."""
    found = await tx.one_or_none(_Roles, _LOCK_ROLES, user_id)
    return None if found is None else found.roles


async def ban(tx: Transaction, user_id: UserId, *, by: UserId, reason: str) -> Ban:
    """Ban a user; one who is banned stays so since the first time."""
    return await tx.one(Ban, _BAN, user_id, tx.now, by, reason)


async def lift_ban(tx: Transaction, user_id: UserId) -> bool:
    """Let a user in again; say whether there is one."""
    return await tx.execute(_LIFT_BAN, user_id) == 1


async def is_banned(tx: Transaction, user_id: UserId) -> bool:
    """Say whether a user may not come in."""
    return await tx.value(bool, _IS_BANNED, user_id)


async def staff(tx: Transaction, *, people_max: int) -> list[Person]:
    """Read people who work here, those who came first."""
    return await tx.all(Person, _STAFF, people_max)


async def has_role(tx: Transaction, user_id: UserId, role: str) -> bool:
    """Say whether a user has a role."""
    return await tx.value(bool, _HAS_ROLE, user_id, role)
