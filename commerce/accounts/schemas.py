"""What accounts take and give over HTTP."""

from datetime import datetime
from typing import Annotated

import msgspec

from commerce.accounts.model import DEMO_NUMBER_MAX, Ban, User
from protocol.ids import UserId

Email = Annotated[
    str, msgspec.Meta(pattern=r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$", min_length=3, max_length=254)
]
Name = Annotated[
    str,
    msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$", max_length=80),
]
NewPassword = Annotated[str, msgspec.Meta(min_length=8, max_length=128)]
DemoNumber = Annotated[int, msgspec.Meta(ge=1, le=DEMO_NUMBER_MAX)]


class NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to open."""

    email: Email
    name: Name
    password: NewPassword


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who one claims to be."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=128)]


class DemoChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which demo user to be; any if none is named."""

    user: DemoNumber | None = None


class BanOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a user is to be banned; staff alone reads it."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class BanView(msgspec.Struct, frozen=True, kw_only=True):
    """A ban, as staff sees it."""

    user: UserId
    banned_at: datetime
    banned_by: UserId
    reason: str


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A user, as they see themselves."""

    id: UserId
    email: str
    name: str
    roles: tuple[str, ...]


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new session: its token, which is also in the cookie, and whose it is."""

    token: str
    user: UserView


class TicketView(msgspec.Struct, frozen=True, kw_only=True):
    """What opens a socket, for how long, and where."""

    ticket: str
    expires_in_ms: int
    socket_url: str


def ban_view(ban: Ban) -> BanView:
    """Return a ban, as staff sees it."""
    return BanView(
        user=ban.user, banned_at=ban.banned_at, banned_by=ban.banned_by, reason=ban.reason
    )


def user_view(user: User) -> UserView:
    """Return a user, as they see themselves."""
    return UserView(id=user.id, email=user.email, name=user.name, roles=user.roles)
