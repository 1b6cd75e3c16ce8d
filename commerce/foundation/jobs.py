"""Work the clock starts; one process at a time does it.

A job's tick is one transaction. An errand calls the outside too, so it opens its transactions by
itself and none while it waits for an answer; that it is due again is written before it begins.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, LiteralString, Protocol, TypeVar

import msgspec
from prometheus_client import Counter

from commerce.foundation.bell import Bell
from commerce.foundation.database import Database, Transaction, transaction_on
from commerce.foundation.errors import DatabaseBusyError, DatabaseUnavailableError
from commerce.foundation.leadership import JOBS, leading
from commerce.foundation.settings import DatabaseSettings
from shared.clock import Clock
from shared.logging import get_logger

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_POLL_SECONDS: Final = 1.0
_ERROR_CHARS_MAX: Final = 500

_DUE: Final[LiteralString] = """
    select asked.name
      from unnest($1::text[]) asked (name)
      left join job_runs known
     using (name)
     where known.next_run_at is null
        or known.next_run_at <= $2
"""
_CLAIM: Final[LiteralString] = """
    insert into job_runs as known (name, next_run_at, last_run_at)
    values ($1, $3, $2)
        on conflict (name) do update
       set next_run_at = excluded.next_run_at,
           last_run_at = excluded.last_run_at,
           last_error = null
     where known.next_run_at <= $2
"""
_FAILED: Final[LiteralString] = """
    insert into job_runs as known (name, next_run_at, last_error)
    values ($1, $2, $3)
        on conflict (name) do update
       set next_run_at = excluded.next_run_at,
           last_error = excluded.last_error
"""

_runs = Counter("rialto_jobs_runs", "Ticks of each job.", ("job", "outcome"))

_log = get_logger("commerce.jobs")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature's `jobs.py` exports in `JOBS`. It may run twice for one tick."""

    name: str
    every_seconds: int
    run: Callable[[Transaction], Awaitable[object]]


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A job that calls the outside. It may be broken off anywhere, and run again."""

    name: str
    every_seconds: int
    run: Callable[[Database], Awaitable[object]]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Work = TypeVar("Work", bound=_Named)


class JobRunner:
    """Runs in every worker; works in one. Jobs and errands do not wait for one another."""

    def __init__(
        self,
        settings: DatabaseSettings,
        jobs: Sequence[Job],
        *,
        clock: Clock,
        bell: Bell,
        errands: Sequence[Errand] = (),
        database: Database | None = None,
    ) -> None:
        names = [*(job.name for job in jobs), *(errand.name for errand in errands)]
        assert len(set(names)) == len(names)
        assert database is not None or not errands
        self._settings = settings
        self._jobs = jobs
        self._errands = errands
        self._database = database
        self._clock = clock
        self._bell = bell

    async def run(self) -> None:
        """Wait to be the one, then run what is due until Postgres fails; run it `for_ever`."""
        async with (
            leading(self._settings, [JOBS], role="jobs") as connection,
            asyncio.TaskGroup() as errands,
        ):
            out: dict[str, asyncio.Task[bool]] = {}
            while True:
                for job in await self._due(connection, self._jobs):
                    await self.tick(connection, job)
                for errand in await self._due(connection, self._errands):
                    if errand.name not in out or out[errand.name].done():
                        out[errand.name] = errands.create_task(self.send(errand))
                await asyncio.sleep(_POLL_SECONDS)

    async def send(self, errand: Errand) -> bool:
        """Run an errand if it is due; say whether it was. One that fails is due at its next time.

        Raises:
            DatabaseUnavailableError: if the database went away.
        """
        assert self._database is not None
        async with self._database.transaction() as tx:
            following = tx.now + timedelta(seconds=errand.every_seconds)
            if not await tx.execute(_CLAIM, errand.name, tx.now, following):
                return False
        try:
            await errand.run(self._database)
        except (DatabaseBusyError, DatabaseUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - one errand that fails stops no other
            _log.exception("errand.failed", job=errand.name)
            _runs.labels(errand.name, "failed").inc()
            async with self._database.transaction() as tx:
                await tx.execute(_FAILED, errand.name, following, str(error)[:_ERROR_CHARS_MAX])
            return True
        _runs.labels(errand.name, "done").inc()
        return True

    async def tick(self, connection: "Connection[Record]", job: Job) -> bool:
        """Run a job if it is due; say whether it was. One that fails is due at its next time."""
        try:
            async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
                following = tx.now + timedelta(seconds=job.every_seconds)
                if not await tx.execute(_CLAIM, job.name, tx.now, following):
                    return False
                await job.run(tx)
        except Exception as error:
            if connection.is_closed():
                raise
            _log.exception("job.failed", job=job.name)
            _runs.labels(job.name, "failed").inc()
            await self._note(connection, job, str(error)[:_ERROR_CHARS_MAX])
            return True
        _runs.labels(job.name, "done").inc()
        return True

    async def _due(self, connection: "Connection[Record]", all_: Sequence[Work]) -> list[Work]:
        names = [work.name for work in all_]
        due = {row["name"] for row in await connection.fetch(_DUE, names, self._clock.now())}
        return [work for work in all_ if work.name in due]

    async def _note(self, connection: "Connection[Record]", job: Job, error: str) -> None:
        async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
            following = tx.now + timedelta(seconds=job.every_seconds)
            await tx.execute(_FAILED, job.name, following, error)
