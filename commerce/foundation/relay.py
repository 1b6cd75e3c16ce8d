"""The outbox relay: one process carries committed events and rights to Redis.

It reads what is not published yet, so a row that commits late is never skipped; sends it; and
marks it. A crash between the two sends it again, and the publish script suppresses it. When Redis
lost data or is another server, everything of the last ten minutes is sent again, in the old order,
before anything new.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, LiteralString

import msgspec
from prometheus_client import Counter, Gauge, Histogram

from commerce.foundation.bell import OUTBOX_CHANNEL, Bell
from commerce.foundation.database import Database, Transaction, transaction_on
from commerce.foundation.leadership import RELAY, leading
from commerce.foundation.outbox import AccessRow, OutboxRow
from commerce.foundation.publisher import Publisher, RedisState
from commerce.foundation.reactions import Reaction, Reactor
from commerce.foundation.settings import DatabaseSettings
from protocol.topics import Topic
from shared.logging import get_logger

if TYPE_CHECKING:
    from asyncpg import Connection, Record

BATCH_ROWS_MAX: Final = 500
REWIND_MINUTES: Final = 10
KEPT_MINUTES: Final = 60
_POLL_SECONDS: Final = 0.25
_ACCESS_TOPICS_MAX: Final = 500
"""Topics whose rights are written at a time when the access projection is rebuilt."""

_UNPUBLISHED: Final[LiteralString] = """
    select id, kind, topic, event_id, body, member, role, created_at
      from outbox
     where publish_batch is null
     order by id
     limit $1
"""
_MARK: Final[LiteralString] = """
    update outbox
       set publish_batch = batch.number,
           published_at = $2
      from (select nextval('outbox_batches') as number) batch
     where id = any($1)
"""
_DURABLY: Final[LiteralString] = "set local synchronous_commit to on"
_PUBLISHED_EVENTS: Final[LiteralString] = """
    select id, kind, topic, event_id, body, publish_batch
      from outbox
     where published_at > $1
       and kind = 'event'
       and (publish_batch, id) > ($2, $3)
     order by publish_batch, id
     limit $4
"""
_LATEST_RIGHTS: Final[LiteralString] = """
    select distinct on (topic, member) kind, topic, member, role
      from outbox
     where published_at > $1
       and kind <> 'event'
     order by topic, member, publish_batch desc, id desc
"""
_FORGET: Final[LiteralString] = """
    delete from outbox
     where published_at < $1
"""

_published = Counter("rialto_outbox_published_rows", "Outbox rows carried to Redis.")
_repeated = Counter("rialto_outbox_repeated_rows", "Outbox rows sent again after a loss in Redis.")
_lag_seconds = Gauge(
    "rialto_outbox_lag_seconds", "Age of the oldest row that was not published when last looked."
)
_delay_seconds = Histogram(
    "rialto_outbox_delay_seconds",
    "Time from a transaction's begin to its events' publication.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)

_log = get_logger("commerce.relay")

AccessSource = Callable[[Transaction], AsyncIterator[AccessRow]]
"""Yields every right a feature knows of, as it is now; the rights to one topic in a row."""


class _Unpublished(OutboxRow, frozen=True, kw_only=True):
    id: int
    created_at: datetime


class _Published(OutboxRow, frozen=True, kw_only=True):
    id: int
    publish_batch: int


class Relay:
    """Runs in every worker; leads in one."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        database: Database,
        publisher: Publisher,
        access_sources: Sequence[AccessSource] = (),
        reactions: Sequence[Reaction] = (),
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = database.clock
        self._bell: Bell = database.bell
        self._publisher = publisher
        self._access_sources = access_sources
        self._reactor = Reactor(reactions)

    async def run(self) -> None:
        """Wait to lead, then lead until Postgres or Redis fails; run it `for_ever`."""
        async with leading(self._settings, [RELAY], role="relay", durable=False) as connection:
            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._bell.ring())
            self._bell.heard_here = True
            try:
                while True:
                    if await self.relay_batch(connection) < BATCH_ROWS_MAX:
                        await self._bell.wait_rung(seconds_max=_POLL_SECONDS)
            finally:
                self._bell.heard_here = False
                await self._publisher.disconnect()

    async def relay_batch(self, connection: "Connection[Record]") -> int:
        """Publish what is waiting, up to `BATCH_ROWS_MAX` rows; return how many there were."""
        state = await self._publisher.look()
        if not (state.known and state.access_ready):
            await self._restore(connection, state)
        found = await connection.fetch(_UNPUBLISHED, BATCH_ROWS_MAX)
        rows = [msgspec.convert(dict(row), _Unpublished) for row in found]
        self._observe_lag(rows)
        if rows:
            await self._publisher.publish(rows)
            await self._mark(connection, rows)
            self._observe_published(rows)
        return len(rows)

    async def _mark(self, connection: "Connection[Record]", rows: list[_Unpublished]) -> None:
        """Mark rows as published. What reactions to them do is committed with the mark."""
        heard = [row for row in rows if self._reactor.may_concern(row)]
        if not heard:
            await connection.execute(_MARK, [row.id for row in rows], self._clock.now())
            return
        async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
            await tx.execute(_DURABLY)
            again = await self._reactor.react(tx, heard)
            await tx.execute(_MARK, [row.id for row in rows if row.id not in again], tx.now)

    async def _restore(self, connection: "Connection[Record]", state: RedisState) -> None:
        if not state.access_ready:
            await self._rebuild_access()
        if not state.known:
            since = self._clock.now() - timedelta(minutes=REWIND_MINUTES)
            if state.access_ready:
                await self._repeat_rights(connection, since)
            repeated = await self._repeat_events(connection, since)
            _log.warning("relay.rewound", events=repeated, redis_run=state.run)
            await self._publisher.mark_known(state.run)

    async def _rebuild_access(self) -> None:
        rights: dict[Topic, dict[str, str]] = {}
        topics = 0
        async with self._database.transaction() as tx:
            for source in self._access_sources:
                async for topic, member, role in source(tx):
                    if topic not in rights and len(rights) >= _ACCESS_TOPICS_MAX:
                        topics += len(rights)
                        await self._publisher.replace_access(rights)
                        rights = {}
                    rights.setdefault(topic, {})[member] = role
        await self._publisher.replace_access(rights)
        await self._publisher.mark_access_ready()
        _log.warning("access.rebuilt", topics=topics + len(rights))

    async def _repeat_rights(self, connection: "Connection[Record]", since: datetime) -> None:
        found = await connection.fetch(_LATEST_RIGHTS, since)
        await self._publisher.publish([msgspec.convert(dict(row), OutboxRow) for row in found])

    async def _repeat_events(self, connection: "Connection[Record]", since: datetime) -> int:
        after, repeated = (-1, -1), 0
        while True:
            found = await connection.fetch(_PUBLISHED_EVENTS, since, *after, BATCH_ROWS_MAX)
            if not found:
                return repeated
            rows = [msgspec.convert(dict(row), _Published) for row in found]
            await self._publisher.publish(rows)
            _repeated.inc(len(rows))
            repeated += len(rows)
            after = (rows[-1].publish_batch, rows[-1].id)

    def _observe_lag(self, rows: list[_Unpublished]) -> None:
        now = self._clock.now()
        oldest = min((row.created_at for row in rows), default=now)
        _lag_seconds.set((now - oldest).total_seconds())

    def _observe_published(self, rows: list[_Unpublished]) -> None:
        now = self._clock.now()
        _published.inc(len(rows))
        for row in rows:
            _delay_seconds.observe((now - row.created_at).total_seconds())


async def forget_published(tx: Transaction) -> None:
    """Delete the rows that were published more than `KEPT_MINUTES` ago."""
    await tx.execute(_FORGET, tx.now - timedelta(minutes=KEPT_MINUTES))
