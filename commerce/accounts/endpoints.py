"""The HTTP door of accounts."""

import secrets
from typing import Final

import msgspec

from commerce.accounts import service
from commerce.accounts.adapters.argon2_passwords import Argon2Passwords
from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.errors import (
    AccountBannedError,
    EmailTakenError,
    InvalidCredentialsError,
    PasswordsBusyError,
    StaffNotBannableError,
    UserNotFoundError,
)
from commerce.accounts.model import DEMO_USERS, STAFF_ROLE, User, normalised_email
from commerce.accounts.schemas import (
    BanOrder,
    BanView,
    Credentials,
    DemoChoice,
    NewAccount,
    SignedIn,
    TicketView,
    UserView,
    ban_view,
    user_view,
)
from commerce.foundation.acts import Act
from commerce.foundation.audit import write_down
from commerce.foundation.errors import ForbiddenError, RateLimitedError
from commerce.foundation.http import Call, Door
from commerce.foundation.rate_limit import RateLimit
from protocol.ids import UserId
from shared.tickets import TICKET_LIFETIME_SECONDS, TicketSigner

door: Final = Door("accounts")
demo_door: Final = Door("accounts")
"""Opened in the dev profile only."""

_PER_ACCOUNT: Final = RateLimit(name="account", count=10, per_seconds=60)


class SignInLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How often one network address may try."""

    per_address: RateLimit


class SocketAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway's socket is, as browsers see it."""

    url: str


@door.api(
    "POST",
    "/v1/accounts",
    body=NewAccount,
    out=SignedIn,
    status=201,
    auth="none",
    errors=(EmailTakenError, PasswordsBusyError, RateLimitedError),
)
async def register(call: Call[NewAccount, None]) -> SignedIn:
    """Open an account and sign in."""
    await call.take(call.service(SignInLimits).per_address, call.client_address)
    user = await service.register(
        call.database,
        call.service(Argon2Passwords),
        email=call.body.email,
        name=call.body.name,
        password=call.body.password,
    )
    return await _begin_session(call, user)


@door.api(
    "POST",
    "/v1/sessions",
    body=Credentials,
    out=SignedIn,
    status=201,
    auth="none",
    errors=(AccountBannedError, InvalidCredentialsError, PasswordsBusyError, RateLimitedError),
)
async def sign_in(call: Call[Credentials, None]) -> SignedIn:
    """Sign in with an e-mail address and a password."""
    await call.take(call.service(SignInLimits).per_address, call.client_address)
    await call.take(_PER_ACCOUNT, normalised_email(call.body.email))
    user = await service.check_password(
        call.database,
        call.service(Argon2Passwords),
        email=call.body.email,
        password=call.body.password,
    )
    return await _begin_session(call, user)


@demo_door.api("POST", "/v1/sessions/demo", body=DemoChoice, out=SignedIn, status=201, auth="none")
async def sign_in_as_demo(call: Call[DemoChoice, None]) -> SignedIn:
    """Sign in as a demo user; exists in the dev profile only."""
    number = call.body.user or 1 + secrets.randbelow(DEMO_USERS)
    async with call.database.transaction() as tx:
        user = await service.demo_user(tx, number)
    return await _begin_session(call, user)


@door.api("DELETE", "/v1/sessions/current", status=204, auth="optional")
async def sign_out(call: Call[None, None]) -> None:
    """Sign out: the session ends, and with it its sockets."""
    if call.token is not None:
        await service.sign_out(call.database, call.service(RedisSessions), call.token)
    call.headers.append(("set-cookie", call.cookie.take_back()))


@door.api("GET", "/v1/me", out=UserView)
async def me(call: Call[None, None]) -> UserView:
    """Tell who is signed in."""
    async with call.database.transaction() as tx:
        return user_view(await service.get(tx, call.principal.user))


@door.api("POST", "/v1/tickets", out=TicketView, status=201, errors=(AccountBannedError,))
async def issue_ticket(call: Call[None, None]) -> TicketView:
    """Issue a short-lived ticket that opens a socket."""
    principal = call.principal
    async with call.database.transaction() as tx:
        await service.make_sure_not_banned(tx, principal.user)
    ticket = call.service(TicketSigner).sign(
        user=principal.user,
        name=principal.name,
        session=principal.session,
        roles=principal.roles,
        now=call.clock.now(),
    )
    return TicketView(
        ticket=ticket,
        expires_in_ms=TICKET_LIFETIME_SECONDS * 1000,
        socket_url=call.service(SocketAddress).url,
    )


@door.api(
    "PUT",
    "/v1/users/{user}/ban",
    body=BanOrder,
    out=BanView,
    errors=(ForbiddenError, UserNotFoundError, StaffNotBannableError),
)
async def ban_user(call: Call[BanOrder, None]) -> BanView:
    """Ban a user: every sign-in and socket of theirs ends, and no new one begins. Staff only."""
    staff = call.require_role(STAFF_ROLE)
    banned = await service.ban(
        call.database,
        call.service(RedisSessions),
        user=UserId(call.path["user"]),
        by=staff.user,
        reason=call.body.reason,
    )
    shown = ban_view(banned)
    async with call.database.transaction() as tx:
        act = Act(
            actor=staff.user,
            action="user.ban",
            subject=call.path["user"],
            reason=call.body.reason,
            after=shown,
        )
        await write_down(tx, act)
    return shown


@door.api("DELETE", "/v1/users/{user}/ban", status=204, errors=(ForbiddenError, UserNotFoundError))
async def lift_ban(call: Call[None, None]) -> None:
    """Let a banned user sign in again. Staff only."""
    staff = call.require_role(STAFF_ROLE)
    user = UserId(call.path["user"])
    async with call.database.transaction() as tx:
        await service.lift_ban(tx, user)
        await write_down(tx, Act(actor=staff.user, action="user.lift_ban", subject=user))


async def _begin_session(
    call: Call[NewAccount, None] | Call[Credentials, None] | Call[DemoChoice, None], user: User
) -> SignedIn:
    token = await service.begin_session(call.database, call.service(RedisSessions), user)
    call.headers.append(("set-cookie", call.cookie.give(token)))
    return SignedIn(token=token, user=user_view(user))
