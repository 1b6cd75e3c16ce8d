"""Lanes: each carries out the commands of some partitions, in batches, on one connection.

The connection that runs a lane's transactions also holds its partitions' locks, so nobody commits
for a partition that has gone to another process. A command that fails by surprise is tried again
later; commands on the same aggregate wait behind it, all others go on.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec
from redis.asyncio import Redis

from commerce.foundation.bell import Bell
from commerce.foundation.command_log import CommandLog, Entry
from commerce.foundation.commands import (
    BatchConflictError,
    Carrier,
    Commands,
    KnownError,
    Order,
    Report,
    TakenApartError,
    observe,
    store_rejection,
    understand,
)
from commerce.foundation.database import transaction_on
from commerce.foundation.leadership import leading, partition_lock
from commerce.foundation.settings import DatabaseSettings
from shared.clock import Clock
from shared.logging import get_logger

if TYPE_CHECKING:
    from asyncpg import Connection, Record

BATCH_ENTRIES_MAX: Final = 32
"""Commands of each partition in one transaction: more would make the first wait too long."""

BUSY_ENTRIES_MIN: Final = 16
"""A batch of so many shows that more come all the time."""

GATHER_SECONDS: Final = 0.004
"""Then this is how long more are let come, for a large batch costs each of its commands less."""

WARY_SECONDS: Final = 5.0
"""For so long after a repeated command was met, each batch is looked through for others first."""

ATTEMPTS_MAX: Final = 5
DELIVERIES_MAX: Final = 5
"""Readers that may die over one command before it is buried untried."""

PARKED_MAX: Final = 1_000
"""Commands that wait for another try; beyond that nothing new is read."""

RETRY_BASE_SECONDS: Final = 0.1
_WAIT_MS: Final = 1_000
_SWEEP_SECONDS: Final = 5.0
_CONFLICTS_MAX: Final = 5

_log = get_logger("commerce.lanes")


class _Queue:
    """The commands on one aggregate that wait until the first of them is tried again."""

    def __init__(self, first: Order, due: float) -> None:
        self.orders = deque([first])
        self.due = due


class Lane:
    """The processor of some partitions; another process takes over when this one dies."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        redis: Redis,
        partitions: Sequence[int],
        handlers: Commands,
        clock: Clock,
        bell: Bell,
    ) -> None:
        self._settings = settings
        self._log = CommandLog(redis, partitions)
        self._locks = [partition_lock(each) for each in partitions]
        self._carrier = Carrier(handlers, attempts_max=ATTEMPTS_MAX)
        self._clock = clock
        self._bell = bell
        self._parked: dict[str, _Queue] = {}
        self._swept = 0.0
        self._is_busy = False
        self._wary_until = 0.0

    async def run(self) -> None:
        """Wait for the partitions, then work until Postgres or Redis fails; run it `for_ever`."""
        async with leading(
            self._settings, self._locks, role="lane", plans_anew=False
        ) as connection:
            self._parked.clear()
            self._swept = 0.0
            await self._log.prepare()
            try:
                while True:
                    await self.turn(connection)
            finally:
                self._log.stop_reading()

    async def turn(self, connection: "Connection[Record]") -> None:
        """Carry out what was left behind, what is due again, and what is new; or wait for it."""
        if _now() - self._swept > _SWEEP_SECONDS:
            await self._sweep(connection)
            self._swept = _now()
        due = self._take_due()
        room = sum(len(queue.orders) for queue in self._parked.values()) < PARKED_MAX
        wait_ms = 0 if due else self._wait_ms()
        if self._is_busy:
            await asyncio.sleep(GATHER_SECONDS)
        if room:
            entries = await self._log.read(count=BATCH_ENTRIES_MAX, wait_ms=wait_ms)
        else:
            entries = []
            await asyncio.sleep(wait_ms / 1000)
        self._is_busy = len(entries) >= BUSY_ENTRIES_MIN
        await self._work(connection, [*due, *await self._understood(entries)])

    async def _sweep(self, connection: "Connection[Record]") -> None:
        """Carry out, one at a time and in order, what a reader that died has left behind."""
        while left := await self._log.left_behind(self._held()):
            for entry in left:
                claimed = await self._log.claim(entry)
                orders = [] if claimed is None else await self._understood([claimed])
                for order in orders:
                    if order.entry.deliveries > DELIVERIES_MAX:
                        await self._give_up(connection, order)
                    else:
                        await self._work(connection, [order])

    async def _understood(self, entries: Sequence[Entry]) -> list[Order]:
        orders: list[Order] = []
        for entry in entries:
            try:
                orders.append(understand(entry))
            except msgspec.DecodeError as error:
                _log.error("command.malformed", entry=entry.place, why=str(error))
                await self._log.bury(entry, reason=f"malformed: {error}")
                await self._log.finish([entry])
        return orders

    async def _work(self, connection: "Connection[Record]", orders: Sequence[Order]) -> None:
        ready = [order for order in orders if not self._queued_behind(order)]
        if not ready:
            return
        try:
            report = await self._commit(connection, ready)
        except BatchConflictError:
            for order in ready:
                await self._work_alone(connection, order)
            return
        await self._settle(ready, report)

    async def _commit(self, connection: "Connection[Record]", orders: Sequence[Order]) -> Report:
        """Carry a batch out in one transaction, again if another one was in the way."""
        one_by_one = False
        may_be_known = _now() < self._wary_until or any(order.may_be_known for order in orders)
        for _ in range(_CONFLICTS_MAX):
            try:
                async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
                    report = await self._carrier.carry_out(
                        tx, orders, one_by_one=one_by_one, may_be_known=may_be_known
                    )
            except KnownError:
                may_be_known = True
                self._wary_until = _now() + WARY_SECONDS
                continue
            except TakenApartError:
                one_by_one = may_be_known = True
                continue
            except (BatchConflictError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                may_be_known = True
                continue
            except asyncpg.IntegrityConstraintViolationError as error:
                raise BatchConflictError from error  # Deferred: which of them it was is not told.
            return report
        raise BatchConflictError

    async def _work_alone(self, connection: "Connection[Record]", order: Order) -> None:
        if self._queued_behind(order):
            return
        try:
            report = await self._commit(connection, [order])
        except BatchConflictError:
            if order.attempts + 1 >= ATTEMPTS_MAX:
                await self._give_up(connection, order)
                return
            tried = msgspec.structs.replace(order, attempts=order.attempts + 1)
            report = Report(unfinished=[tried])
        await self._settle([order], report)

    async def _settle(self, orders: Sequence[Order], report: Report) -> None:
        """After the commit: park what is unfinished, bury what is dead, finish the rest."""
        for order in report.unfinished:
            self._park(order)
        places = {order.entry.place for order in report.unfinished}
        for order in report.dead:
            await self._log.bury(order.entry, reason="failed too often")
        await self._log.finish(order.entry for order in orders if order.entry.place not in places)
        observe(report, self._clock.now())

    async def _give_up(self, connection: "Connection[Record]", order: Order) -> None:
        async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
            await store_rejection(tx, order)
        _log.error("command.buried", entry=order.entry.place, deliveries=order.entry.deliveries)
        await self._log.bury(order.entry, reason="every reader died over it, or was in the way")
        await self._log.finish([order.entry])

    def _park(self, order: Order) -> None:
        queue = self._parked.get(order.aggregate)
        if queue is None:
            due = _now() + RETRY_BASE_SECONDS * 2 ** (order.attempts - 1)
            self._parked[order.aggregate] = _Queue(order, due)
        else:
            queue.orders.append(order)

    def _queued_behind(self, order: Order) -> bool:
        """Queue an order behind one on the same aggregate that waits for its next try."""
        queue = self._parked.get(order.aggregate)
        if queue is None:
            return False
        queue.orders.append(order)
        return True

    def _take_due(self) -> list[Order]:
        """Take out every queue whose first may be tried again; its orders stay in order."""
        names = [name for name, queue in self._parked.items() if queue.due <= _now()]
        return [order for name in names for order in self._parked.pop(name).orders]

    def _held(self) -> set[str]:
        return {order.entry.place for queue in self._parked.values() for order in queue.orders}

    def _wait_ms(self) -> int:
        soonest = min((queue.due for queue in self._parked.values()), default=None)
        if soonest is None:
            return _WAIT_MS
        return max(1, min(_WAIT_MS, int((soonest - _now()) * 1000)))


def _now() -> float:
    return asyncio.get_running_loop().time()
