"""Asking for a while, and what came of it."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import trio

from loadtest.commerce_bench.buyers import Buyer, Cast, RefusedError, statements_of
from loadtest.commerce_bench.kinds import Kind
from loadtest.histogram import Histogram
from loadtest.http_pool import HttpAnswer, HttpError
from loadtest.watching import look_at

WEB: Final = "web"
STAND_IN: Final = "stripe"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of request came to, asked for in one manner.

    `core_ms` are of the web process, `standin_ms` of the stand-in's, both processor time a request.
    """

    requests: int
    failures: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    statements_max: int | None = None
    core_ms: float | None = None
    standin_ms: float | None = None
    failed_with: str = ""

    @property
    def per_core(self) -> float | None:
        """How many a second one core of the web process answers."""
        return 1000 / self.core_ms if self.core_ms else None

    @property
    def is_sound(self) -> bool:
        """Whether there were answers, and good ones only."""
        return self.requests > 0 and self.failures == 0


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request: asked for without a pause, and at a pace if one is promised of."""

    name: str
    buyers: int
    busy: Run
    paced: Run | None = None


class _Tally:
    """Counts while a kind is asked for."""

    def __init__(self, cast: Cast, kind: Kind) -> None:
        self._cast = cast
        self._kind = kind
        self._histogram = Histogram()
        self._failures = 0
        self._failed_with = ""
        self._statements = 0

    async def once(self, buyer: Buyer, *, due: float | None = None) -> None:
        """Ask once. What was due earlier has waited since then."""
        kind, began = self._kind, due
        try:
            if kind.prepare is not None:
                await kind.prepare(self._cast, buyer)
                began = None
            asked = (buyer, self._cast.staff)
            for each in asked:
                each.statements = 0
            began = trio.current_time() if began is None else began
            answer = await kind.ask(self._cast, buyer)
        except (HttpError, RefusedError) as error:
            self._failures += 1
            self._failed_with = str(error)
            return
        self._histogram.record(trio.current_time() - began)
        told = statements_of(answer) if isinstance(answer, HttpAnswer) else 0
        self._statements = max(self._statements, told, *(each.statements for each in asked))

    def run(self, seconds: float, used: Mapping[str, float]) -> Run:
        """Return what it came to."""
        told, count = self._histogram, self._histogram.count

        def each(name: str) -> float | None:
            return used[name] * 1000 / count if count and name in used else None

        return Run(
            requests=count,
            failures=self._failures,
            per_second=count / seconds,
            p50_ms=told.quantile(0.5) * 1000 if count else 0.0,
            p95_ms=told.quantile(0.95) * 1000 if count else 0.0,
            p99_ms=told.quantile(0.99) * 1000 if count else 0.0,
            statements_max=self._statements or None,
            core_ms=None if self._kind.prepare else each(WEB),
            standin_ms=each(STAND_IN) if "cards" in self._kind.needs else None,
            failed_with=self._failed_with,
        )


async def measure(
    cast: Cast, kind: Kind, *, seconds: float, buyers: int, watched: Mapping[str, int]
) -> Figure:
    """Ask for one kind of thing in both manners."""
    count = kind.buyers or buyers
    people = cast.buyers[:count]
    busy = await _without_pause(_Tally(cast, kind), people, seconds=seconds, watched=watched)
    paced = None
    if kind.pace is not None:
        paced = await _at_a_pace(
            _Tally(cast, kind), cast.buyers, pace=kind.pace, seconds=seconds, watched=watched
        )
    return Figure(name=kind.name, buyers=count, busy=busy, paced=paced)


async def _without_pause(
    tally: _Tally, people: Sequence[Buyer], *, seconds: float, watched: Mapping[str, int]
) -> Run:
    before, began = _cpu(watched), trio.current_time()

    async def go(buyer: Buyer) -> None:
        while trio.current_time() < began + seconds:
            await tally.once(buyer)

    async with trio.open_nursery() as nursery:
        for buyer in people:
            nursery.start_soon(go, buyer)
    return tally.run(trio.current_time() - began, _used(before, _cpu(watched)))


async def _at_a_pace(
    tally: _Tally,
    people: Sequence[Buyer],
    *,
    pace: float,
    seconds: float,
    watched: Mapping[str, int],
) -> Run:
    """Ask when it is due, whether or not those before are answered; by whoever is free."""
    before, began = _cpu(watched), trio.current_time()
    put, take = trio.open_memory_channel[Buyer](len(people))
    for buyer in people:
        put.send_nowait(buyer)

    async def go(due: float) -> None:
        buyer = await take.receive()
        await tally.once(buyer, due=due)
        put.send_nowait(buyer)

    async with trio.open_nursery() as nursery:
        for number in range(max(1, int(seconds * pace))):
            due = began + number / pace
            await trio.sleep_until(due)
            nursery.start_soon(go, due)
    return tally.run(trio.current_time() - began, _used(before, _cpu(watched)))


def _cpu(watched: Mapping[str, int]) -> dict[str, float]:
    return {name: use.cpu_seconds for name, use in look_at(watched).items()}


def _used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after if name in before}
