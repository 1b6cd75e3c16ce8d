"""The outbox relay: one process carries committed events and rights to Redis.

It reads what is not published yet, so a row that commits late is never skipped; sends it; and
marks it. A crash between the two sends it again, and the publish script suppresses it.

When a server lost data, or is another one that has less, what it lacks is sent again in the old
order before anything new, so that it gets its old offsets. Where that cannot be promised, topics
begin a new epoch, and their clients are told `gap`: all of them, if the server has less than the
outbox still remembers; else those few of which an event may have been heard, and lost again,
before its place in the order was written down.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, LiteralString

import msgspec
from prometheus_client import Counter, Gauge, Histogram
from redis.exceptions import RedisError

from commerce.foundation.bell import OUTBOX_CHANNEL, Bell
from commerce.foundation.database import Database, Transaction, transaction_on
from commerce.foundation.held_server import Loss
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
BUSY_ROWS_MIN: Final = 32
"""A batch of so many shows that more come all the time."""

GATHER_SECONDS: Final = 0.003
"""Then this is how long more are let come, for a large batch costs each of its rows less."""

KEPT_MINUTES: Final = 60
"""How far back a server may be and still be told what it lacks."""

BATCHES_AHEAD_MAX: Final = 1_000
"""Batches whose marks a crash of Postgres may lose: they are in Redis, and will be sent again."""

OUTAGE_SECONDS_MAX: Final = 10.0
"""A leader that cannot reach Redis for so long lets another process try."""

_POLL_SECONDS: Final = 0.25
_RETRY_SECONDS: Final = 0.1
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
 returning publish_batch
"""
_LAST_BATCH: Final[LiteralString] = """
    select coalesce((select max(publish_batch) from outbox), last_value - (not is_called)::int)
      from outbox_batches
"""
_OLDEST_BATCH: Final[LiteralString] = """
    select coalesce(min(publish_batch), $1::bigint + 1) from outbox
"""
_WAITING_TOPICS: Final[LiteralString] = """
    select distinct topic
      from outbox
     where publish_batch is null
       and kind = 'event'
"""
_DURABLY: Final[LiteralString] = "set local synchronous_commit to on"
_PUBLISHED_EVENTS: Final[LiteralString] = """
    select id, kind, topic, event_id, body, publish_batch
      from outbox
     where kind = 'event'
       and publish_batch is not null
       and (publish_batch, id) > ($1, $2)
     order by publish_batch, id
     limit $3
"""
_LATEST_RIGHTS: Final[LiteralString] = """
    select distinct on (topic, member) kind, topic, member, role
      from outbox
     where publish_batch > $1
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
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Know nothing of what a leader before this one did."""
        self._batch: int | None = None
        self._unsure: list[_Unpublished] = []
        self._unmarked_topics: set[Topic] = set()

    async def run(self) -> None:
        """Wait to lead, then lead until Postgres fails, or Redis for long; run it `for_ever`."""
        async with leading(
            self._settings, [RELAY], role="relay", durable=False, plans_anew=False
        ) as connection:
            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._bell.ring())
            self._bell.heard_here = True
            self._begin_anew()
            try:
                while True:
                    count = await self._relay_patiently(connection)
                    if count < BATCH_ROWS_MAX:
                        await self._bell.wait_rung(seconds_max=_POLL_SECONDS)
                    if BUSY_ROWS_MIN <= count < BATCH_ROWS_MAX:
                        await asyncio.sleep(GATHER_SECONDS)
            finally:
                self._bell.heard_here = False
                await self._publisher.disconnect()

    async def _relay_patiently(self, connection: "Connection[Record]") -> int:
        """Relay a batch, in spite of a Redis that is away for a while.

        A leader that stays knows what it was sending, and in which order.
        """
        now = asyncio.get_running_loop().time
        deadline = 0.0
        while True:
            try:
                return await self.relay_batch(connection)
            except (RedisError, OSError) as error:
                if not deadline:
                    deadline = now() + OUTAGE_SECONDS_MAX
                    _log.warning("relay.redis_away", why=str(error))
                elif now() > deadline:
                    raise
                await self._publisher.disconnect()
                await asyncio.sleep(_RETRY_SECONDS)

    async def relay_batch(self, connection: "Connection[Record]") -> int:
        """Publish what is waiting, up to `BATCH_ROWS_MAX` rows; return how many there were."""
        is_new_here = self._batch is None
        batch = await connection.fetchval(_LAST_BATCH) if self._batch is None else self._batch
        state = await self._publisher.look(batch)
        if state.losses or not state.access_ready:
            await self._restore(connection, state, batch, is_new_here=is_new_here)
        self._batch = batch
        rows = self._unsure or await self._waiting(connection)
        self._observe_lag(rows)
        if rows:
            self._unsure = rows
            await self._publisher.publish(rows)
            await self._mark(connection, rows)
            self._unsure = []
            self._observe_published(rows)
        return len(rows)

    async def _waiting(self, connection: "Connection[Record]") -> list[_Unpublished]:
        found = await connection.fetch(_UNPUBLISHED, BATCH_ROWS_MAX)
        return [_Unpublished(**row) for row in found]

    async def _mark(self, connection: "Connection[Record]", rows: list[_Unpublished]) -> None:
        """Mark rows as published. What reactions to them do is committed with the mark."""
        heard = [row for row in rows if self._reactor.may_concern(row)]
        if not heard:
            self._unmarked_topics = set()
            self._batch = await connection.fetchval(
                _MARK, [row.id for row in rows], self._clock.now()
            )
            return
        async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
            await tx.execute(_DURABLY)
            again = await self._reactor.react(tx, heard)
            marked = [row.id for row in rows if row.id not in again]
            batch = await tx.value(int, _MARK, marked, tx.now) if marked else self._batch
        self._unmarked_topics = {row.topic for row in rows if row.id in again}
        self._batch = batch

    async def _restore(
        self,
        connection: "Connection[Record]",
        state: RedisState,
        batch: int,
        *,
        is_new_here: bool,
    ) -> None:
        oldest = await connection.fetchval(_OLDEST_BATCH, batch)
        hopeless = [loss for loss in state.losses if not _can_be_mended(loss, batch, oldest)]
        if hopeless:
            await self._publisher.withdraw_access()
        for loss in hopeless:
            await self._publisher.forget(loss)
        if hopeless or not state.access_ready:
            await self._rebuild_access()
        for loss in state.losses:
            if loss not in hopeless:
                await self._mend(connection, loss, with_rights=state.access_ready)
        restarted = [loss for loss in state.losses if loss.restarted]
        if restarted:
            await self._renew_doubtful(connection, restarted, is_new_here=is_new_here)
        for loss in state.losses:
            await self._publisher.note(loss, batch)

    async def _mend(
        self, connection: "Connection[Record]", loss: Loss, *, with_rights: bool
    ) -> None:
        """Tell a server again what it lacks."""
        assert loss.since is not None
        if with_rights:
            await self._repeat_rights(connection, loss)
        repeated = await self._repeat_events(connection, loss, loss.since)
        _log.warning("relay.rewound", events=repeated, server=loss.server, since=loss.since)

    async def _renew_doubtful(
        self, connection: "Connection[Record]", restarted: Sequence[Loss], *, is_new_here: bool
    ) -> None:
        """Begin a new epoch where an event may come to stand in another place than it had.

        What a leader before this one has sent and not marked may have been lost, and be sent again
        behind something that was committed meanwhile.
        """
        doubtful = self._unmarked_topics
        if is_new_here:
            doubtful = {row["topic"] for row in await connection.fetch(_WAITING_TOPICS)}
        if doubtful:
            _log.warning("relay.renewed", topics=len(doubtful))
            await self._publisher.renew(sorted(doubtful), losses=restarted)

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

    async def _repeat_rights(self, connection: "Connection[Record]", loss: Loss) -> None:
        found = await connection.fetch(_LATEST_RIGHTS, loss.since)
        rows = [msgspec.convert(dict(row), OutboxRow) for row in found]
        await self._publisher.publish(rows, only=loss.server)

    async def _repeat_events(self, connection: "Connection[Record]", loss: Loss, since: int) -> int:
        after, repeated = (since + 1, -1), 0
        while True:
            found = await connection.fetch(_PUBLISHED_EVENTS, *after, BATCH_ROWS_MAX)
            if not found:
                return repeated
            rows = [msgspec.convert(dict(row), _Published) for row in found]
            await self._publisher.publish(rows, only=loss.server)
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


def _can_be_mended(loss: Loss, batch: int, oldest_batch: int) -> bool:
    """Say whether the outbox still has everything that came after what the server has.

    A server that is far ahead of the outbox is one that a restored Postgres knows nothing of.
    """
    return loss.since is not None and oldest_batch - 1 <= loss.since <= batch + BATCHES_AHEAD_MAX


async def forget_published(tx: Transaction) -> None:
    """Delete the rows that were published more than `KEPT_MINUTES` ago."""
    await tx.execute(_FORGET, tx.now - timedelta(minutes=KEPT_MINUTES))
