"""Work the clock starts: each tick is one transaction, and one process at a time runs jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, LiteralString

import msgspec
from prometheus_client import Counter

from commerce.foundation.bell import Bell
from commerce.foundation.database import Transaction, transaction_on
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


class JobRunner:
    """Runs in every worker; works in one."""

    def __init__(
        self, settings: DatabaseSettings, jobs: Sequence[Job], *, clock: Clock, bell: Bell
    ) -> None:
        names = [job.name for job in jobs]
        assert len(set(names)) == len(names)
        self._settings = settings
        self._jobs = jobs
        self._clock = clock
        self._bell = bell

    async def run(self) -> None:
        """Wait to be the one, then run what is due until Postgres fails; run it `for_ever`."""
        async with leading(self._settings, [JOBS], role="jobs") as connection:
            while True:
                for job in await self._due(connection):
                    await self.tick(connection, job)
                await asyncio.sleep(_POLL_SECONDS)

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

    async def _due(self, connection: "Connection[Record]") -> list[Job]:
        names = [job.name for job in self._jobs]
        due = {row["name"] for row in await connection.fetch(_DUE, names, self._clock.now())}
        return [job for job in self._jobs if job.name in due]

    async def _note(self, connection: "Connection[Record]", job: Job, error: str) -> None:
        async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
            following = tx.now + timedelta(seconds=job.every_seconds)
            await tx.execute(_FAILED, job.name, following, error)
