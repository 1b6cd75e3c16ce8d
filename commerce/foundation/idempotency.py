"""Idempotency-Key: the same request twice is carried out once and answered the same.

The key's row is leased in a transaction of its own, so that a second request knows of the first.
The answer is written in the request's own transaction, just before it commits: an effect without a
stored answer cannot exist. Whoever lost the lease fails to write, and so fails to commit.
Refusals are not stored; the key is then free again.

A door that calls the outside (`calls_outside`) may have no transaction open meanwhile: there each
commits as its block ends. So the key's row also keeps the request, without any secret, and the
door says how far it came (`reach`), in the transaction that brought it there. If the process dies,
or breaks off with what it could not know, the completer (`completing`) or the client's own retry
goes on from that recovery point under a new fence; whoever held the old one writes nothing more.
A key without a recovery point is free once its lease has run out: nothing was done under it.
"""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Final, LiteralString

import msgspec
from typing_extensions import override

from commerce.foundation.database import Database, Transaction
from commerce.foundation.errors import KeyReusedError, RequestInFlightError
from shared.errors import ExpectedError

IDEMPOTENCY_KEY_PATTERN: Final = r"^[\x21-\x7E]{1,255}$"
LEASE_SECONDS: Final = 60
"""How long a request may take before another may carry it out in its place."""

KEPT_HOURS: Final = 72

ATTEMPTS_MAX: Final = 5
"""How often a request is carried on without its client, before it is given up."""

_PAUSE_SECONDS: Final = 30
_PAUSE_FACTOR: Final = 4
_UNAVAILABLE: Final = 500

_CLAIM: Final[LiteralString] = """
    insert into idempotency_keys as known
           (principal, key, fingerprint, fence, lease_until, created_at, request)
    values ($1, $2, $3, nextval('idempotency_fences'), $4, $5, $6)
        on conflict (principal, key) do update
       set fence = excluded.fence,
           lease_until = excluded.lease_until,
           fingerprint = excluded.fingerprint,
           request = excluded.request
     where known.lease_until <= $5
       and known.fingerprint = excluded.fingerprint
    returning fence, recovery_point, recovery_subject
"""
_READ: Final[LiteralString] = """
    select fingerprint, status, headers, body
      from idempotency_keys
     where principal = $1
       and key = $2
"""
_STORE: Final[LiteralString] = """
    update idempotency_keys
       set lease_until = null,
           status = $4,
           headers = $5,
           body = $6,
           request = null
     where principal = $1
       and key = $2
       and fence = $3
       and lease_until is not null
"""
_RELEASE: Final[LiteralString] = """
    delete from idempotency_keys
     where principal = $1
       and key = $2
       and fence = $3
       and lease_until is not null
"""
_REACH: Final[LiteralString] = """
    update idempotency_keys
       set recovery_point = $4,
           recovery_subject = $5,
           resume_at = coalesce(resume_at, $6)
     where principal = $1
       and key = $2
       and fence = $3
       and lease_until is not null
"""
_HAND_OVER: Final[LiteralString] = """
    update idempotency_keys
       set lease_until = $4
     where principal = $1
       and key = $2
       and fence = $3
       and lease_until is not null
       and recovery_point is not null
"""
_TAKE: Final[LiteralString] = """
    with due as (
        select principal, key
          from idempotency_keys
         where lease_until <= $1
           and resume_at <= $1
         order by lease_until
         limit 1
           for update skip locked
    )
    update idempotency_keys held
       set fence = nextval('idempotency_fences'),
           lease_until = $2,
           resume_at = $1 + make_interval(secs => $3::float8 * power($4::float8, attempts)),
           attempts = attempts + 1
      from due
     where held.principal = due.principal
       and held.key = due.key
    returning held.principal, held.key, fence, recovery_point, recovery_subject,
              request, attempts
"""
_FREE: Final[LiteralString] = """
    with left_behind as (
        select principal, key
          from idempotency_keys
         where lease_until <= $1
           and recovery_point is null
           for update skip locked
    )
    delete from idempotency_keys held
     using left_behind
     where held.principal = left_behind.principal
       and held.key = left_behind.key
"""
_FORGET: Final[LiteralString] = """
    delete from idempotency_keys
     where created_at < $1
"""


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the first request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class RecoveryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far a request came before it was broken off, and what it had made by then."""

    name: str
    subject: str | None = None


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to carry out the request of one key, or to go on with it."""

    principal: str
    key: str
    fence: int
    recovery_point: str | None = None
    recovery_subject: str | None = None

    @property
    def reached(self) -> RecoveryPoint | None:
        """How far the request came when others carried it out."""
        if self.recovery_point is None:
            return None
        return RecoveryPoint(name=self.recovery_point, subject=self.recovery_subject)


class Unfinished(Lease, frozen=True, kw_only=True):
    """A request that was taken up without its client."""

    request: object
    attempts: int


class _Claimed(msgspec.Struct, frozen=True, kw_only=True):
    fence: int
    recovery_point: str | None
    recovery_subject: str | None


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    fingerprint: bytes
    status: int | None
    headers: dict[str, str] | None
    body: bytes | None


IdempotencyKey = Annotated[str, msgspec.Meta(pattern=IDEMPOTENCY_KEY_PATTERN)]


def fingerprint_of(*, method: str, path: str, query: bytes, body: bytes) -> bytes:
    """Return what tells one request from another under the same key."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), query, body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


async def claim(
    database: Database,
    *,
    principal: str,
    key: str,
    fingerprint: bytes,
    request: object = None,
) -> Lease | StoredAnswer:
    """Take the lease on a key, or return what the first request was answered.

    `request` is what the completer needs to go on with it; it holds no secrets.

    Raises:
        KeyReusedError: if the key came with another request.
        RequestInFlightError: if the first request is not answered yet.
    """
    async with database.transaction() as tx:
        until = tx.now + timedelta(seconds=LEASE_SECONDS)
        known = await tx.one_or_none(_Known, _READ, principal, key)
        if known is not None and known.fingerprint != fingerprint:
            raise KeyReusedError
        claimed = await tx.one_or_none(
            _Claimed, _CLAIM, principal, key, fingerprint, until, tx.now, request
        )
        if claimed is not None:
            return Lease(principal=principal, key=key, **msgspec.structs.asdict(claimed))
        known = await tx.one_or_none(_Known, _READ, principal, key)
    return _answer_of(known, fingerprint)


def _answer_of(known: _Known | None, fingerprint: bytes) -> StoredAnswer:
    if known is None:
        raise RequestInFlightError  # Released this very moment: asking again will claim it.
    if known.fingerprint != fingerprint:
        raise KeyReusedError
    if known.status is None:
        raise RequestInFlightError
    return StoredAnswer(status=known.status, headers=known.headers or {}, body=known.body or b"")


async def take_unfinished(database: Database) -> Unfinished | None:
    """Take up one request that was broken off past a recovery point; None if none is due.

    When it is due again is written now: whoever carries it on may be killed as well.
    """
    async with database.transaction() as tx:
        until = tx.now + timedelta(seconds=LEASE_SECONDS)
        return await tx.one_or_none(Unfinished, _TAKE, tx.now, until, _PAUSE_SECONDS, _PAUSE_FACTOR)


async def free_left_behind(database: Database) -> int:
    """Free the keys of requests that were broken off before they did anything; return how many."""
    async with database.transaction() as tx:
        return await tx.execute(_FREE, tx.now)


async def free(database: Database, lease: Lease) -> None:
    """Give a request up: its key may be used anew."""
    async with database.transaction() as tx:
        await tx.execute(_RELEASE, lease.principal, lease.key, lease.fence)


class LeasedDatabase(Database):
    """A database whose last transaction stays open until the request's answer is stored in it.

    With `calls_outside`, every transaction commits as its block ends, but for a `last_transaction`.
    """

    def __init__(self, database: Database, lease: Lease, *, calls_outside: bool = False) -> None:
        self._database = database
        self._lease = lease
        self._calls_outside = calls_outside
        self._has_reached = lease.reached is not None
        self._open: AsyncExitStack | None = None
        self._tx: Transaction | None = None
        self.clock = database.clock
        self.bell = database.bell

    @override
    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a unit of work; it commits with the answer, or when the next one is opened."""
        async with self._begun(stays_open=not self._calls_outside) as tx:
            yield tx

    @asynccontextmanager
    async def last_transaction(self) -> AsyncGenerator[Transaction]:
        """Open a unit of work that commits with the answer; the outside is called no more."""
        async with self._begun(stays_open=True) as tx:
            yield tx

    @property
    def recovery_point(self) -> RecoveryPoint | None:
        """How far the request came when it was carried out before."""
        return self._lease.reached

    async def reach(self, tx: Transaction, point: str, subject: str | None = None) -> None:
        """Write down how far the request came: from here on it is carried to its end.

        Raises:
            RequestInFlightError: if the lease was lost; then nothing of `tx` may be committed.
        """
        lease = self._lease
        told = (lease.principal, lease.key, lease.fence, point, subject, tx.now)
        if not await tx.execute(_REACH, *told):
            raise RequestInFlightError
        self._has_reached = True

    async def finish(self, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Store the answer and commit.

        Raises:
            RequestInFlightError: if the lease was lost; then nothing is committed.
        """
        answer = StoredAnswer(status=status, headers=dict(headers), body=body)
        if self._tx is not None:
            await self._store(self._tx, answer)
            await self._commit()
            return
        async with self._database.transaction() as tx:
            await self._store(tx, answer)

    async def abandon(self, error: BaseException) -> None:
        """Roll back what is open and free the key.

        What is broken off past a recovery point is kept instead, to be gone on with at once, unless
        whoever asked is told for good that it is refused.
        """
        stack, self._open, self._tx = self._open, None, None
        if stack is not None:
            await stack.__aexit__(type(error), error, error.__traceback__)
        lease = self._lease
        if self._has_reached and not is_refusal(error):
            async with self._database.transaction() as tx:
                await tx.execute(_HAND_OVER, lease.principal, lease.key, lease.fence, tx.now)
        else:
            await free(self._database, lease)

    @asynccontextmanager
    async def _begun(self, *, stays_open: bool) -> AsyncGenerator[Transaction]:
        await self._commit()
        async with AsyncExitStack() as stack:
            tx = await stack.enter_async_context(self._database.transaction())
            yield tx
            if stays_open:
                self._tx, self._open = tx, stack.pop_all()

    async def _store(self, tx: Transaction, answer: StoredAnswer) -> None:
        lease = self._lease
        told = (answer.status, answer.headers, answer.body)
        if not await tx.execute(_STORE, lease.principal, lease.key, lease.fence, *told):
            raise RequestInFlightError

    async def _commit(self) -> None:
        stack, self._open, self._tx = self._open, None, None
        if stack is not None:
            await stack.aclose()


def is_refusal(error: BaseException) -> bool:
    """Whether nothing came, or will come, of what was asked; not so if nobody could know."""
    if not isinstance(error, ExpectedError):
        return False
    return not error.temporary or error.http_status < _UNAVAILABLE


async def forget_old_keys(tx: Transaction) -> None:
    """Delete the keys of more than `KEPT_HOURS` ago."""
    before: datetime = tx.now - timedelta(hours=KEPT_HOURS)
    await tx.execute(_FORGET, before)
