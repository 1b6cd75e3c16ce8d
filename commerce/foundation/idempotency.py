"""Idempotency-Key: the same request twice is carried out once and answered the same.

The key's row is leased in a transaction of its own, so that a second request knows of the first.
The answer is written in the request's own transaction, just before it commits: an effect without a
stored answer cannot exist. Whoever lost the lease fails to write, and so fails to commit.
Refusals are not stored; the key is then free again.

A door that calls the outside (`calls_outside`) may have no transaction open meanwhile: there each
commits as its block ends, and what was asked for is told from a second asking by the rows
themselves (one live attempt an order, say), not by this.
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

IDEMPOTENCY_KEY_PATTERN: Final = r"^[\x21-\x7E]{1,255}$"
LEASE_SECONDS: Final = 60
"""How long a request may take before another may carry it out in its place."""

KEPT_HOURS: Final = 72

_CLAIM: Final[LiteralString] = """
    insert into idempotency_keys as known
           (principal, key, fingerprint, fence, lease_until, created_at)
    values ($1, $2, $3, nextval('idempotency_fences'), $4, $5)
        on conflict (principal, key) do update
       set fence = excluded.fence,
           lease_until = excluded.lease_until,
           fingerprint = excluded.fingerprint
     where known.lease_until <= $5
    returning fence
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
           body = $6
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
_FORGET: Final[LiteralString] = """
    delete from idempotency_keys
     where created_at < $1
"""


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the first request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to carry out the request of one key."""

    principal: str
    key: str
    fence: int


class _Claimed(msgspec.Struct, frozen=True, kw_only=True):
    fence: int


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
    database: Database, *, principal: str, key: str, fingerprint: bytes
) -> Lease | StoredAnswer:
    """Take the lease on a key, or return what the first request was answered.

    Raises:
        KeyReusedError: if the key came with another request.
        RequestInFlightError: if the first request is not answered yet.
    """
    async with database.transaction() as tx:
        until = tx.now + timedelta(seconds=LEASE_SECONDS)
        known = await tx.one_or_none(_Known, _READ, principal, key)
        if known is not None and known.fingerprint != fingerprint:
            raise KeyReusedError
        claimed = await tx.one_or_none(_Claimed, _CLAIM, principal, key, fingerprint, until, tx.now)
        if claimed is not None:
            return Lease(principal=principal, key=key, fence=claimed.fence)
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


class LeasedDatabase(Database):
    """A database whose last transaction stays open until the request's answer is stored in it.

    With `calls_outside`, every transaction commits as its block ends.
    """

    def __init__(self, database: Database, lease: Lease, *, calls_outside: bool = False) -> None:
        self._database = database
        self._lease = lease
        self._calls_outside = calls_outside
        self._open: AsyncExitStack | None = None
        self._tx: Transaction | None = None
        self.clock = database.clock
        self.bell = database.bell

    @override
    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a unit of work; it commits with the answer, or when the next one is opened."""
        await self._commit()
        async with AsyncExitStack() as stack:
            tx = await stack.enter_async_context(self._database.transaction())
            yield tx
            if not self._calls_outside:
                self._tx, self._open = tx, stack.pop_all()

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
        """Roll back what is open and free the key."""
        stack, self._open, self._tx = self._open, None, None
        if stack is not None:
            await stack.__aexit__(type(error), error, error.__traceback__)
        async with self._database.transaction() as tx:
            await tx.execute(_RELEASE, self._lease.principal, self._lease.key, self._lease.fence)

    async def _store(self, tx: Transaction, answer: StoredAnswer) -> None:
        lease = self._lease
        told = (answer.status, answer.headers, answer.body)
        if not await tx.execute(_STORE, lease.principal, lease.key, lease.fence, *told):
            raise RequestInFlightError

    async def _commit(self) -> None:
        stack, self._open, self._tx = self._open, None, None
        if stack is not None:
            await stack.aclose()


async def forget_old_keys(tx: Transaction) -> None:
    """Delete the keys of more than `KEPT_HOURS` ago."""
    before: datetime = tx.now - timedelta(hours=KEPT_HOURS)
    await tx.execute(_FORGET, before)
