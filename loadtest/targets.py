"""The numbers we promise, with units, and whether a run kept them."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from loadtest.memory import Growth
from loadtest.recorder import MEANINGS, Measure
from loadtest.summary import Summary
from loadtest.verdict import Verdict

Rate = Literal["messages", "deliveries", "requests"]
"""What there has to be enough of, or the latencies mean little; each a second."""

_RATE_MEANINGS: Final[Mapping[Rate, str]] = {
    "messages": "chat messages committed a second",
    "deliveries": "events delivered a second",
    "requests": "REST requests answered a second",
}


class LatencyTarget(msgspec.Struct, frozen=True, kw_only=True):
    """`share` of all durations of a measure are at most `most_ms`."""

    measure: Measure
    share: float
    most_ms: float

    @property
    def name(self) -> str:
        """Return what is promised, in words."""
        return f"{MEANINGS[self.measure]}, {_share_name(self.share)}"


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """There is at least so much a second for each user."""

    rate: Rate
    per_user: float


class Promises(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile promises beside what all do: nothing is wrong, and no program grows."""

    latencies: tuple[LatencyTarget, ...]
    floors: tuple[Floor, ...] = ()


class TargetResult(msgspec.Struct, frozen=True, kw_only=True):
    """One promise beside what was measured."""

    name: str
    promised: str
    measured: str
    held: bool


REST_FAILURES_SHARE_MAX: Final = 0.001
VIOLATIONS_MAX: Final = 0
FLOOR_COUNT_MIN: Final = 1_000
"""A rate is judged if so many are promised in all: chance alone must not decide."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a run measured beside durations."""

    users: int
    users_ready: int
    rest_requests: int
    rest_failures: int
    busy_seconds: float
    rates: Mapping[Rate, float]
    growths: tuple[Growth, ...]


def compare(
    promises: Promises, summaries: Mapping[Measure, Summary], verdict: Verdict, facts: Facts
) -> list[TargetResult]:
    """Lay a run beside every promise. A measure that never occurred is not judged."""
    share = facts.rest_failures / facts.rest_requests if facts.rest_requests else 0.0
    return [
        TargetResult(
            name="users that connected and subscribed",
            promised=f"{facts.users}",
            measured=f"{facts.users_ready}",
            held=facts.users_ready == facts.users,
        ),
        *_floor_results(promises.floors, facts),
        *(
            _latency_result(target, summaries[target.measure])
            for target in promises.latencies
            if summaries[target.measure].count
        ),
        TargetResult(
            name="REST requests that failed",
            promised=f"≤ {REST_FAILURES_SHARE_MAX:.1%}",
            measured=f"{share:.2%}",
            held=share <= REST_FAILURES_SHARE_MAX,
        ),
        TargetResult(
            name="lost, doubled, reordered or otherwise wrong",
            promised=f"{VIOLATIONS_MAX}",
            measured=f"{verdict.violations.total}",
            held=verdict.violations.total <= VIOLATIONS_MAX,
        ),
        *(_growth_result(growth) for growth in facts.growths),
    ]


def _floor_results(floors: Iterable[Floor], facts: Facts) -> Iterable[TargetResult]:
    for floor in floors:
        least, measured = floor.per_user * facts.users, facts.rates.get(floor.rate)
        if measured is not None and least * facts.busy_seconds >= FLOOR_COUNT_MIN:
            yield TargetResult(
                name=_RATE_MEANINGS[floor.rate],
                promised=f"≥ {least:,.0f}" if least >= 10 else f"≥ {least:.2g}",
                measured=f"{measured:,.1f}",
                held=measured >= least,
            )


def _latency_result(target: LatencyTarget, summary: Summary) -> TargetResult:
    measured_ms = {
        0.5: summary.p50_ms,
        0.95: summary.p95_ms,
        0.99: summary.p99_ms,
        1.0: summary.max_ms,
    }[target.share]
    return TargetResult(
        name=target.name,
        promised=f"≤ {target.most_ms:g} ms",
        measured=f"{measured_ms:.1f} ms",
        held=measured_ms <= target.most_ms,
    )


def _share_name(share: float) -> str:
    return "the longest" if share >= 1 else f"p{share * 100:g}"


def _growth_result(growth: Growth) -> TargetResult:
    return TargetResult(
        name=f"memory {growth.process} gained after the first minute",
        promised=f"≤ {growth.allowed_bytes / 2**20:.0f} MiB",
        measured=f"{growth.gained_bytes / 2**20:+.1f} MiB",
        held=growth.held,
    )
