"""What accounts need of the outside."""

from typing import Protocol

from commerce.accounts.model import Session, User
from commerce.foundation.http import Principal
from protocol.ids import UserId


class Passwords(Protocol):
    """Hashes passwords, slowly on purpose."""

    async def hash(self, password: str) -> str:
        """Return what to keep in place of `password`.

        Raises:
            PasswordsBusyError: if too many wait already.
        """
        ...

    async def matches(self, password: str, kept: str | None) -> bool:
        """Say whether `kept` was made of `password`; takes as long when there is none.

        Raises:
            PasswordsBusyError: if too many wait already.
        """
        ...


class Sessions(Protocol):
    """Keeps sign-ins, by a token that only the client knows."""

    async def begin(self, user: User) -> tuple[str, Session]:
        """Sign `user` in; return the new session and its token."""
        ...

    async def authenticate(self, token: str) -> Principal | None:
        """Return who holds `token`, or None if nobody does any more."""
        ...

    async def end(self, token: str) -> Session | None:
        """End a session; return it, or None if it had ended."""
        ...

    async def end_all(self, user: UserId) -> None:
        """End every session of a user."""
        ...
