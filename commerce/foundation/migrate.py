"""Apply the numbered SQL files of `commerce/migrations`, and take them back.

`NNNN_name.up.sql` makes a change and `NNNN_name.down.sql` undoes it. Each runs in a transaction of
its own, unless its first line is `-- no-transaction`: then it must hold one statement only, such
as `create index concurrently`, and bear being run again. What was applied is never edited: the
sha256 of each file is kept.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec

if TYPE_CHECKING:
    from asyncpg import Connection, Record

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"

_LOCK: Final = 0x5249_414C
"""The advisory lock that lets one runner in at a time ("RIAL")."""

_LOCK_WAIT_SECONDS_MAX: Final = 120.0
_LOCK_POLL_SECONDS: Final = 0.1
_NO_TRANSACTION: Final = "-- no-transaction"

_TRY_LOCK: Final = "select pg_try_advisory_lock($1)"
_CREATE_TABLE: Final = """
    create table if not exists schema_migrations (
        number     integer primary key,
        name       text not null,
        sha256     text not null,
        applied_at timestamptz not null default now()
    )
"""
_TABLE_EXISTS: Final = "select to_regclass('schema_migrations') is not null"
_APPLIED: Final = "select number, name, sha256, applied_at from schema_migrations order by number"
_RECORD: Final = "insert into schema_migrations (number, name, sha256) values ($1, $2, $3)"
_FORGET: Final = "delete from schema_migrations where number = $1"


class MigrationError(Exception):
    """The migrations cannot be applied; the message says which and why."""


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered change."""

    number: int
    name: str
    up: str
    down: str
    sha256: str


class AppliedMigration(msgspec.Struct, frozen=True, kw_only=True):
    """One change that the database already has."""

    number: int
    name: str
    sha256: str
    applied_at: datetime


class MigrationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where one change stands."""

    name: str
    applied_at: datetime | None


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return every change in `folder`, by number.

    Raises:
        MigrationError: if two share a number, or one cannot be taken back.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.up.sql")):
        name = path.name.removesuffix(".up.sql")
        number, separator, _ = name.partition("_")
        if not (separator and number.isdigit()):
            raise MigrationError(f"{path.name} is not named NNNN_what_it_does.up.sql.")
        if int(number) in found:
            raise MigrationError(f"{found[int(number)].name} and {name} share a number.")
        down = path.with_name(f"{name}.down.sql")
        if not down.exists():
            raise MigrationError(f"{path.name} has no {down.name} beside it.")
        found[int(number)] = Migration(
            number=int(number),
            name=name,
            up=path.read_text("utf-8"),
            down=down.read_text("utf-8"),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
    return [found[number] for number in sorted(found)]


async def migrate_up(url: str, *, folder: Path = MIGRATIONS, dry_run: bool = False) -> list[str]:
    """Apply what the database does not have yet; return the names, in order.

    Raises:
        MigrationError: if an applied file was edited or removed, or one cannot be applied.
    """
    migrations = await asyncio.to_thread(read_migrations, folder)
    async with _only_runner(url) as connection:
        applied = {row.number: row for row in await _read_applied(connection)}
        _verify(migrations, list(applied.values()))
        pending = [each for each in migrations if each.number not in applied]
        for migration in pending if not dry_run else []:
            await _run(connection, migration, migration.up, up=True)
    return [each.name for each in pending]


async def migrate_down(
    url: str, *, steps: int = 1, folder: Path = MIGRATIONS, dry_run: bool = False
) -> list[str]:
    """Take back the newest `steps` changes; return the names, newest first.

    Raises:
        MigrationError: if an applied file was edited or removed, or one cannot be taken back.
    """
    migrations = await asyncio.to_thread(read_migrations, folder)
    by_number = {each.number: each for each in migrations}
    async with _only_runner(url) as connection:
        applied = await _read_applied(connection)
        _verify(migrations, applied)
        doomed = [by_number[row.number] for row in reversed(applied)][:steps]
        for migration in doomed if not dry_run else []:
            await _run(connection, migration, migration.down, up=False)
    return [each.name for each in doomed]


async def migration_status(url: str, *, folder: Path = MIGRATIONS) -> list[MigrationStatus]:
    """Return every change and when it was applied; changes nothing and waits for nobody.

    Raises:
        MigrationError: if an applied file was edited or removed.
    """
    migrations = await asyncio.to_thread(read_migrations, folder)
    connection = await _connect(url)
    try:
        applied = {row.number: row for row in await _read_applied(connection)}
    finally:
        await connection.close()
    _verify(migrations, list(applied.values()))
    return [
        MigrationStatus(
            name=each.name,
            applied_at=applied[each.number].applied_at if each.number in applied else None,
        )
        for each in migrations
    ]


def _verify(migrations: Sequence[Migration], applied: Sequence[AppliedMigration]) -> None:
    by_number = {each.number: each for each in migrations}
    for row in applied:
        migration = by_number.get(row.number)
        if migration is None:
            raise MigrationError(
                f"{row.name} is applied, but its file is gone: this program is older than the "
                "database."
            )
        if migration.sha256 != row.sha256:
            raise MigrationError(
                f"{migration.name} was edited after it was applied; put it back as it was and "
                "write a new migration."
            )


async def _connect(url: str) -> "Connection[Record]":
    try:
        return await asyncpg.connect(
            url, server_settings={"application_name": "rialto-migrate", "lock_timeout": "30s"}
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise MigrationError(f"The database does not answer: {error}.") from error


@asynccontextmanager
async def _only_runner(url: str) -> AsyncGenerator["Connection[Record]"]:
    """Hold the runners' lock for as long as the block runs.

    Polls: a session that waits inside `pg_advisory_lock` holds a snapshot, for which another
    runner's `create index concurrently` would wait, while we wait for that runner.
    """
    connection = await _connect(url)
    try:
        await _wait_for_lock(connection)
        await connection.execute(_CREATE_TABLE)
        yield connection
    finally:
        await connection.close()


async def _wait_for_lock(connection: "Connection[Record]") -> None:
    try:
        async with asyncio.timeout(_LOCK_WAIT_SECONDS_MAX):
            while not await connection.fetchval(_TRY_LOCK, _LOCK):  # noqa: ASYNC110 - Postgres cannot ring
                await asyncio.sleep(_LOCK_POLL_SECONDS)
    except TimeoutError as error:
        raise MigrationError(
            f"Another runner has been migrating for {_LOCK_WAIT_SECONDS_MAX:.0f} s."
        ) from error


async def _read_applied(connection: "Connection[Record]") -> list[AppliedMigration]:
    if not await connection.fetchval(_TABLE_EXISTS):
        return []
    return [
        msgspec.convert(dict(row), AppliedMigration) for row in await connection.fetch(_APPLIED)
    ]


async def _run(
    connection: "Connection[Record]", migration: Migration, sql: str, *, up: bool
) -> None:
    try:
        if sql.startswith(_NO_TRANSACTION):
            await connection.execute(sql)
            await _remember(connection, migration, up=up)
            return
        async with connection.transaction():
            await connection.execute(sql)
            await _remember(connection, migration, up=up)
    except asyncpg.PostgresError as error:
        direction = "applied" if up else "taken back"
        raise MigrationError(f"{migration.name} cannot be {direction}: {error}.") from error


async def _remember(connection: "Connection[Record]", migration: Migration, *, up: bool) -> None:
    if up:
        await connection.execute(_RECORD, migration.number, migration.name, migration.sha256)
    else:
        await connection.execute(_FORGET, migration.number)
