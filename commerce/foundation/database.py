"""Postgres, seen as units of work."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, LiteralString, TypeVar

import asyncpg
import msgspec

from commerce.foundation.bell import Bell
from commerce.foundation.errors import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    UnstorableTextError,
)
from commerce.foundation.outbox import (
    Member,
    OutboxRow,
    arguments_of,
    event_row,
    grant_row,
    revoke_row,
    write_rows,
)
from commerce.foundation.settings import DatabaseSettings
from protocol.events import Event
from protocol.ids import EventId
from protocol.topics import Topic
from shared.clock import Clock
from shared.ids import mint_id

if TYPE_CHECKING:
    from asyncpg import Connection, Record
    from asyncpg.pool import Pool, PoolConnectionProxy

    AnyConnection = Connection[Record] | PoolConnectionProxy[Record]

Shape = TypeVar("Shape", bound=msgspec.Struct)
Kind = TypeVar("Kind")

_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_CLOSE_TIMEOUT_SECONDS: Final = 5.0
_STREAM_ROWS: Final = 500

CONNECTION_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
)
"""How asyncpg says that the server went away; whether a commit under way was done is unknown."""

_UNSTORABLE: Final = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
    UnicodeEncodeError,
)


_counted: ContextVar[list[int] | None] = ContextVar("counted statements", default=None)


def count_statements() -> list[int]:
    """Count the statements of this task from now on; the count is the list's only item."""
    counted = [0]
    _counted.set(counted)
    return counted


class Transaction:
    """One unit of work: its writes, its events and its rights commit together, or not at all."""

    def __init__(self, connection: "AnyConnection", now: datetime) -> None:
        self._connection = connection
        self._outbox: list[OutboxRow] = []
        self._has_told = False
        self.now = now

    @property
    def is_alive(self) -> bool:
        """Whether the connection still stands, so that the transaction can still commit."""
        return not _is_lost(self._connection)

    async def one_or_none(
        self, shape: type[Shape], sql: LiteralString, *arguments: object
    ) -> Shape | None:
        """Return the first row as `shape`, or None."""
        with _storable():
            row = await self._connection.fetchrow(sql, *arguments)
        return None if row is None else msgspec.convert(dict(row), shape)

    async def one(self, shape: type[Shape], sql: LiteralString, *arguments: object) -> Shape:
        """Return the only row as `shape`; that there is none would be a bug."""
        found = await self.one_or_none(shape, sql, *arguments)
        assert found is not None
        return found

    async def all(self, shape: type[Shape], sql: LiteralString, *arguments: object) -> list[Shape]:
        """Return every row as `shape`."""
        with _storable():
            rows = await self._connection.fetch(sql, *arguments)
        return [msgspec.convert(dict(row), shape) for row in rows]

    async def value(self, kind: type[Kind], sql: LiteralString, *arguments: object) -> Kind:
        """Return the first column of the first row; None if there is no row."""
        with _storable():
            found: object = await self._connection.fetchval(sql, *arguments)
        return msgspec.convert(found, kind)

    async def execute(self, sql: LiteralString, *arguments: object) -> int:
        """Run a statement; return the number of rows touched."""
        with _storable():
            status = await self._connection.execute(sql, *arguments)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, sql: LiteralString, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each of `rows`."""
        with _storable():
            await self._connection.executemany(sql, rows)

    async def copy(
        self, table: LiteralString, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Write many new rows by COPY, as imports do; one that is there already is a bug."""
        with _storable():
            await self._connection.copy_records_to_table(table, records=rows, columns=columns)

    async def stream(
        self, shape: type[Shape], sql: LiteralString, *arguments: object
    ) -> AsyncIterator[Shape]:
        """Yield every row as `shape`, holding only a few hundred at a time."""
        async for row in self._connection.cursor(sql, *arguments, prefetch=_STREAM_ROWS):
            yield msgspec.convert(dict(row), shape)

    async def emit(self, topic: Topic, event: Event, *, event_id: EventId | None = None) -> EventId:
        """Tell `event` on `topic` once the transaction has committed.

        Give the id that an earlier call returned to tell the same fact on another topic.
        """
        identity = event_id or EventId(self.mint("evt"))
        self._outbox.append(event_row(topic, event, identity, self.now))
        return identity

    async def grant_access(self, topic: Topic, user: Member, role: str) -> None:
        """Let `user` (`*`: anyone signed in) hear `topic`, in order with its events."""
        self._outbox.append(grant_row(topic, user, role))

    async def revoke_access(self, topic: Topic, user: Member) -> None:
        """Take from `user` the right to hear `topic`, in order with its events."""
        self._outbox.append(revoke_row(topic, user))

    def mint(self, prefix: str) -> str:
        """Return a new id of the transaction's time."""
        return mint_id(prefix, self.now)

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """Undo what is done inside if it raises, and only that."""
        told = len(self._outbox)
        try:
            async with self._connection.transaction():
                yield
        except BaseException:
            del self._outbox[told:]
            raise

    async def flush(self) -> bool:
        """Write the collected outbox rows; say whether any were written until now."""
        if self._outbox:
            await write_rows(self, self._outbox, self.now)
            self._outbox.clear()
            self._has_told = True
        return self._has_told

    async def flush_with(self, sql: LiteralString, *arguments: object) -> int:
        """Write the collected outbox rows in one statement with something else; count that.

        `sql` holds `outbox.INSERT` in a `with` clause; its own parameters begin after those.
        """
        touched = await self.execute(sql, *arguments_of(self._outbox, self.now), *arguments)
        self._outbox.clear()
        self._has_told = True
        return touched


@asynccontextmanager
async def transaction_on(
    connection: "AnyConnection", *, clock: Clock, bell: Bell
) -> AsyncGenerator[Transaction]:
    """Open a unit of work on a connection; commit on a clean exit, roll back on any exception."""
    async with connection.transaction():
        tx = Transaction(connection, clock.now())
        yield tx
        told = await tx.flush()
    if told:
        bell.ring()


class Database:
    """A bounded pool of connections that survives a restart of Postgres."""

    def __init__(
        self,
        pool: "Pool[Record]",
        *,
        clock: Clock,
        bell: Bell,
        acquire_timeout_seconds: float,
    ) -> None:
        self._pool = pool
        self._acquire_timeout_seconds = acquire_timeout_seconds
        self.clock = clock
        self.bell = bell

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a unit of work; commit on a clean exit, roll back on any exception.

        Raises:
            DatabaseBusyError: if no connection came free in time.
            DatabaseUnavailableError: if the server cannot be reached, or went away. Whether a
                commit under way was done is then unknown.
        """
        connection = await self._acquire()
        try:
            with _reachable(connection):
                async with transaction_on(connection, clock=self.clock, bell=self.bell) as tx:
                    yield tx
        finally:
            await self._release(connection)

    async def ping(self) -> None:
        """Ask the server for a sign of life.

        Raises:
            DatabaseBusyError: if no connection came free in time.
            DatabaseUnavailableError: if the server cannot be reached.
        """
        async with self.transaction() as tx:
            await tx.execute("select 1")

    async def announce(self) -> None:
        """Carry the bell's ringing to the other processes, for ever; run as a task."""
        while True:
            await self.bell.wait_to_announce()
            try:
                connection = await self._acquire()
            except (DatabaseBusyError, DatabaseUnavailableError):
                continue  # The relay looks by itself four times a second.
            try:
                with suppress(DatabaseUnavailableError), _reachable(connection):
                    await connection.execute(_ANNOUNCE)
            finally:
                await self._release(connection)

    async def close(self) -> None:
        """Close the pool: wait a little for the transactions under way, then end them."""
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _acquire(self) -> "PoolConnectionProxy[Record]":
        try:
            return await self._pool.acquire(timeout=self._acquire_timeout_seconds)
        except TimeoutError as error:
            raise DatabaseBusyError from error
        except (*CONNECTION_LOST, OSError) as error:
            raise DatabaseUnavailableError from error

    async def _release(self, connection: "PoolConnectionProxy[Record]") -> None:
        with suppress(*CONNECTION_LOST, asyncpg.InterfaceError):  # The pool drops a dead one.
            await self._pool.release(connection)


_ANNOUNCE: Final = (
    "begin; set local synchronous_commit to off; notify outbox; commit"  # loss is harmless
)


@asynccontextmanager
async def open_database(
    settings: DatabaseSettings, *, clock: Clock, bell: Bell | None = None
) -> AsyncGenerator[Database]:
    """Open the pool for as long as the block runs; the server need not be up yet."""
    pool: Pool[Record] = await asyncpg.create_pool(
        settings.url,
        min_size=0,
        max_size=settings.pool_size_max,
        init=prepare_connection,
        reset=_keep_session,
        timeout=_CONNECT_TIMEOUT_SECONDS,
        server_settings=server_settings(settings, role="pool"),
    )
    database = Database(
        pool,
        clock=clock,
        bell=bell or Bell(),
        acquire_timeout_seconds=settings.acquire_timeout_ms / 1000,
    )
    try:
        yield database
    finally:
        await database.close()


def server_settings(settings: DatabaseSettings, *, role: str) -> dict[str, str]:
    """Return the session settings every connection of ours starts with."""
    return {
        "application_name": f"rialto-{role}",
        "statement_timeout": str(settings.statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_transaction_timeout_ms),
        "timezone": "UTC",
    }


async def prepare_connection(connection: "AnyConnection") -> None:
    """Teach a new connection that JSON columns hold msgspec's JSON."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=_to_json, decoder=msgspec.json.decode
        )


def _to_json(value: Any) -> str:  # noqa: ANN401 - any Struct or plain value may be a column
    return msgspec.json.encode(value).decode()


async def _keep_session(_connection: "AnyConnection") -> None:
    """Save the round trip of a reset: no door sets anything that outlives its transaction."""


@contextmanager
def _storable() -> Iterator[None]:
    counted = _counted.get()
    if counted is not None:
        counted[0] += 1
    try:
        yield
    except _UNSTORABLE as error:
        raise UnstorableTextError from error
    except asyncpg.DataError as error:
        if isinstance(error.__cause__, UnicodeEncodeError):
            raise UnstorableTextError from error
        raise


@contextmanager
def _reachable(connection: "AnyConnection") -> Iterator[None]:
    try:
        yield
    except CONNECTION_LOST as error:
        raise DatabaseUnavailableError from error
    except asyncpg.InterfaceError as error:
        if not _is_lost(connection):
            raise  # Not the server's fault, but a statement's: too few arguments, say.
        raise DatabaseUnavailableError from error


def _is_lost(connection: "AnyConnection") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # The pool took it back when it broke.
