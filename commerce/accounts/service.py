"""What the rest of commerce may ask of accounts."""

from collections.abc import Sequence

from commerce.accounts import repository
from commerce.accounts.errors import (
    AccountBannedError,
    EmailTakenError,
    InvalidCredentialsError,
    StaffNotBannableError,
    UserNotFoundError,
)
from commerce.accounts.model import (
    STAFF_ROLE,
    Ban,
    NewUser,
    Session,
    User,
    demo_email,
    normalised_email,
)
from commerce.accounts.ports import Passwords, Sessions
from commerce.foundation.database import Database, Transaction
from commerce.foundation.errors import UnauthenticatedError
from protocol.events import SessionRevoked
from protocol.ids import UserId
from protocol.topics import user_topic
from protocol.views import Person


async def register(
    database: Database, passwords: Passwords, *, email: str, name: str, password: str
) -> User:
    """Open an account. The password is hashed outside any transaction.

    Raises:
        EmailTakenError: if there is an account with this address.
        PasswordsBusyError: if too many passwords wait to be hashed.
    """
    kept = await passwords.hash(password)
    async with database.transaction() as tx:
        new = NewUser(
            id=UserId(tx.mint("usr")),
            email=normalised_email(email),
            name=name.strip(),
            password_hash=kept,
        )
        if not await repository.add(tx, new):
            raise EmailTakenError
    return User(id=new.id, email=new.email, name=new.name)


async def check_password(
    database: Database, passwords: Passwords, *, email: str, password: str
) -> User:
    """Return whose password this is; takes as long for an address nobody has.

    Raises:
        InvalidCredentialsError: if there is no such account, or it is not its password.
        PasswordsBusyError: if too many passwords wait to be checked.
    """
    async with database.transaction() as tx:
        known = await repository.find_by_email(tx, normalised_email(email))
    kept = None if known is None else known.password_hash
    if not await passwords.matches(password, kept) or known is None:
        raise InvalidCredentialsError
    return known.user


async def import_user(tx: Transaction, new: NewUser) -> bool:
    """Add a user with everything given, as the seed does; False if they are there already."""
    return await repository.add(tx, new)


async def demo_user(tx: Transaction, number: int) -> User:
    """Return the demo user of this number, made on the spot if the seed did not."""
    found = await repository.find_demo(tx, number)
    if found is not None:
        return found
    new = NewUser(
        id=UserId(tx.mint("usr")),
        email=demo_email(number),
        name=f"Demo {number}",
        demo_number=number,
    )
    await repository.add(tx, new)
    made = await repository.find_demo(tx, number)
    assert made is not None
    return made


async def sign_out(database: Database, sessions: Sessions, token: str) -> Session | None:
    """End the session that `token` holds, and its sockets."""
    session = await sessions.end(token)
    if session is not None:
        async with database.transaction() as tx:
            await tx.emit(user_topic(session.user), SessionRevoked(session=session.id))
    return session


async def sign_out_everywhere(database: Database, sessions: Sessions, user: UserId) -> None:
    """End every session of a user, and their sockets."""
    await sessions.end_all(user)
    async with database.transaction() as tx:
        await tx.emit(user_topic(user), SessionRevoked())


async def ban(
    database: Database, sessions: Sessions, *, user: UserId, by: UserId, reason: str
) -> Ban:
    """Keep a user out from now on: no sign-in, no ticket, and every socket of theirs is closed.

    It is told twice: with the ban itself, so that it is heard whatever happens next, and after
    the sign-ins have ended, for a socket that was opened in between.

    Raises:
        UserNotFoundError: if there is no such user.
        StaffNotBannableError: if they work here.
    """
    async with database.transaction() as tx:
        roles = await repository.lock_roles(tx, user)
        if roles is None:
            raise UserNotFoundError(user)
        if STAFF_ROLE in roles:
            raise StaffNotBannableError
        banned = await repository.ban(tx, user, by=by, reason=reason)
        await tx.emit(user_topic(user), SessionRevoked())
    await sign_out_everywhere(database, sessions, user)
    return banned


async def lift_ban(tx: Transaction, user: UserId) -> None:
    """Let a user sign in again.

    Raises:
        UserNotFoundError: if there is no such user.
    """
    if not await repository.lift_ban(tx, user):
        raise UserNotFoundError(user)


async def make_sure_not_banned(tx: Transaction, user: UserId) -> None:
    """Pass for everybody but the banned.

    Raises:
        AccountBannedError: if the user is banned.
    """
    if await repository.is_banned(tx, user):
        raise AccountBannedError


async def begin_session(database: Database, sessions: Sessions, user: User) -> str:
    """Sign a user in; return the token of the new session.

    It is begun before the ban is looked for: one that comes after the look ends every session it
    finds, and finds this one.

    Raises:
        AccountBannedError: if the user is banned.
    """
    token, _ = await sessions.begin(user)
    try:
        async with database.transaction() as tx:
            await make_sure_not_banned(tx, user.id)
    except AccountBannedError:
        await sessions.end(token)
        raise
    return token


async def get(tx: Transaction, user_id: UserId) -> User:
    """Return a user who is signed in.

    Raises:
        UnauthenticatedError: if the account is gone.
    """
    found = await repository.find(tx, user_id)
    if found is None:
        raise UnauthenticatedError
    return found


async def find(tx: Transaction, user_id: UserId) -> User | None:
    """Return a user, or None if there is no such account."""
    return await repository.find(tx, user_id)


async def people(tx: Transaction, user_ids: Sequence[UserId]) -> list[Person]:
    """Return those of `user_ids` that exist, as others see them, in no particular order."""
    return await repository.people(tx, user_ids)


async def staff(tx: Transaction, *, people_max: int) -> list[Person]:
    """Return people who work here, at most so many."""
    return await repository.staff(tx, people_max=people_max)


async def is_staff(tx: Transaction, user_id: UserId) -> bool:
    """Say whether a user works here."""
    return await repository.has_role(tx, user_id, STAFF_ROLE)
