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
from protocol.stream_names import EVERY_SIGN_IN, user_ended_sign_ins
from shared.clock import Clock, unix_ms
from shared.ids import mint_id
from shared.tickets import CLOCK_SKEW_SECONDS_MAX, TICKET_LIFETIME_SECONDS

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
        digest = _digest(token)
        session = _read(await self._redis.get(_session_key(digest)))
        if session is None:
            return None
        await self._note_end(session.user, session.id)
        deleted, _ = await pipelined(
            self._redis,
            [("DEL", _session_key(digest)), ("SREM", _user_key(session.user), digest)],
        )
        return session if deleted else None

    @override
    async def end_all(self, user: UserId) -> None:
        """End every session of a user."""
        await self._note_end(user, EVERY_SIGN_IN)
        (digests,) = await pipelined(self._redis, [("SMEMBERS", _user_key(user))])
        doomed = [_session_key(digest.decode()) for digest in digests]
        await pipelined(self._redis, [("DEL", key) for key in (*doomed, _user_key(user))])

    async def _note_end(self, user: UserId, sign_in: str) -> None:
        """Tell the gateway, before it is true, for as long as it might be shown a ticket."""
        key = user_ended_sign_ins(user)
        await pipelined(
            self._redis,
            [
                ("HSET", key, sign_in, unix_ms(self._clock.now())),
                ("EXPIRE", key, TICKET_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS_MAX),
            ],
        )


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
