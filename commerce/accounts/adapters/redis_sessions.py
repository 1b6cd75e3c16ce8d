"""Sign-ins in Redis. Only the sha256 of a token is kept: who reads Redis cannot sign in."""

import hashlib
import secrets
from typing import Final

import msgspec
from redis.asyncio import Redis
from typing_extensions import override

from commerce.accounts.model import Session, User
from commerce.accounts.ports import Sessions
from commerce.foundation.http import Authenticator, Principal
from commerce.foundation.redis_client import pipelined
from commerce.foundation.security import SESSION_COOKIE_SECONDS
from protocol.ids import SessionId, UserId
from shared.clock import Clock
from shared.ids import mint_id

_TOKEN_BYTES: Final = 32

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Session).decode


class RedisSessions(Sessions, Authenticator):
    """Sessions last for 30 days from the sign-in."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    @override
    async def begin(self, user: User) -> tuple[str, Session]:
        """Sign `user` in; return the new session and its token."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock.now()
        session = Session(
            id=SessionId(mint_id("ses", now)),
            user=user.id,
            name=user.name,
            roles=user.roles,
            created_at=now,
        )
        digest = _digest(token)
        await pipelined(
            self._redis,
            [
                ("SET", _session_key(digest), _encode(session), "EX", SESSION_COOKIE_SECONDS),
                ("SADD", _user_key(user.id), digest),
                ("EXPIRE", _user_key(user.id), SESSION_COOKIE_SECONDS),
            ],
        )
        return token, session

    @override
    async def authenticate(self, token: str) -> Principal | None:
        """Return who holds `token`, or None if nobody does any more."""
        session = _read(await self._redis.get(_session_key(_digest(token))))
        if session is None:
            return None
        return Principal(
            user=session.user, name=session.name, session=session.id, roles=session.roles
        )

    @override
    async def end(self, token: str) -> Session | None:
        """End a session; return it, or None if it had ended."""
        session = _read(await self._redis.getdel(_session_key(_digest(token))))
        if session is not None:
            await self._redis.srem(_user_key(session.user), _digest(token))
        return session

    @override
    async def end_all(self, user: UserId) -> None:
        """End every session of a user."""
        (digests,) = await pipelined(self._redis, [("SMEMBERS", _user_key(user))])
        doomed = [_session_key(digest.decode()) for digest in digests]
        await pipelined(self._redis, [("DEL", key) for key in (*doomed, _user_key(user))])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _session_key(digest: str) -> str:
    return f"session:{digest}"


def _user_key(user: UserId) -> str:
    return f"user-sessions:{user}"


def _read(kept: bytes | str | None) -> Session | None:
    try:
        return None if kept is None else _decode(kept)
    except msgspec.DecodeError:
        return None  # Of another version of this program: signing in again heals it.
