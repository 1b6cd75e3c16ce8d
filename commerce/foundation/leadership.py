"""Being the only one: advisory locks of Postgres, held on a connection that does the work.

When the connection dies the locks die with it, and so does whatever transaction was open on it:
there is no moment in which a former leader could still commit.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec

from commerce.foundation.database import CONNECTION_LOST, prepare_connection, server_settings
from commerce.foundation.settings import DatabaseSettings
from shared.backoff import full_jitter
from shared.logging import get_logger

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_POLL_SECONDS: Final = 0.25
_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.1
_PAUSE_SECONDS_MAX: Final = 5.0
_TRY_LOCK: Final = "select pg_try_advisory_lock($1, $2)"

_log = get_logger("commerce.leadership")


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that only one process at a time may do."""

    kind: int
    number: int = 0


RELAY: Final = Lock(kind=0x5249_0001)
JOBS: Final = Lock(kind=0x5249_0002)


def partition_lock(partition: int) -> Lock:
    """Return the lock of a partition of the command stream."""
    return Lock(kind=0x5249_0003, number=partition)


def stream_lock(stream: str) -> Lock:
    """Return the lock of a stream of messages."""
    return Lock(kind=0x5249_0004, number=zlib.crc32(stream.encode()) >> 1)


@asynccontextmanager
async def leading(
    settings: DatabaseSettings,
    locks: Sequence[Lock],
    *,
    role: str,
    durable: bool = True,
    plans_anew: bool = True,
) -> AsyncGenerator["Connection[Record]"]:
    """Wait until this process alone holds `locks`; give the connection that holds them.

    What is done on it may be lost in a crash of the server unless it is `durable`. Without
    `plans_anew` each statement is planned once: for small ones that find rows by their keys.
    """
    options = server_settings(settings, role=role)
    if not plans_anew:
        options["plan_cache_mode"] = "force_generic_plan"
    if not durable:
        options["synchronous_commit"] = "off"
    connection = await asyncpg.connect(
        settings.url, timeout=_CONNECT_TIMEOUT_SECONDS, server_settings=options
    )
    try:
        await prepare_connection(connection)
        for lock in locks:
            while not await connection.fetchval(  # noqa: ASYNC110 - Postgres cannot ring
                _TRY_LOCK, lock.kind, lock.number
            ):
                await asyncio.sleep(_POLL_SECONDS)
        _log.info("leadership.taken", role=role)
        yield connection
    finally:
        await _close(connection)


async def for_ever(work: Callable[[], Awaitable[None]], *, name: str) -> None:
    """Do `work` again and again: at once when it returns, after a pause when it fails."""
    pauses = full_jitter(base_seconds=_PAUSE_SECONDS, cap_seconds=_PAUSE_SECONDS_MAX)
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - this is the supervisor of everything below
            lost = isinstance(error, (*CONNECTION_LOST, OSError))
            _log.warning("work.failed", work=name, exc_info=None if lost else error, why=str(error))
        if loop.time() - began > _PAUSE_SECONDS_MAX:
            pauses = full_jitter(base_seconds=_PAUSE_SECONDS, cap_seconds=_PAUSE_SECONDS_MAX)
        await asyncio.sleep(next(pauses))


async def _close(connection: "Connection[Record]") -> None:
    with suppress(*CONNECTION_LOST, OSError):  # What is closed already needs no closing.
        await connection.close(timeout=1.0)
