"""The numbers we promise, with units, and whether a run kept them."""

from collections.abc import Mapping
from typing import Final

import msgspec

from loadtest.recorder import MEANINGS, Measure
from loadtest.summary import Summary
from loadtest.verdict import Verdict


class LatencyTarget(msgspec.Struct, frozen=True, kw_only=True):
    """`share` of all durations of a measure are at most `most_ms`."""

    measure: Measure
    share: float
    most_ms: float

    @property
    def name(self) -> str:
        """Return what is promised, in words."""
        return f"{MEANINGS[self.measure]}, p{self.share * 100:g}"


class TargetResult(msgspec.Struct, frozen=True, kw_only=True):
    """One promise beside what was measured."""

    name: str
    promised: str
    measured: str
    held: bool


LATENCY_TARGETS: Final = (
    LatencyTarget(measure=Measure.CONNECT, share=0.95, most_ms=1000),
    LatencyTarget(measure=Measure.ACCEPTED, share=0.95, most_ms=100),
    LatencyTarget(measure=Measure.COMMITTED, share=0.95, most_ms=250),
    LatencyTarget(measure=Measure.COMMITTED, share=0.99, most_ms=1000),
    LatencyTarget(measure=Measure.SEEN, share=0.95, most_ms=250),
    LatencyTarget(measure=Measure.SEEN, share=0.99, most_ms=1000),
    LatencyTarget(measure=Measure.REST, share=0.95, most_ms=200),
)

REST_FAILURES_SHARE_MAX: Final = 0.001
VIOLATIONS_MAX: Final = 0


def compare(
    summaries: Mapping[Measure, Summary],
    verdict: Verdict,
    *,
    users: int,
    users_ready: int,
    rest_requests: int,
    rest_failures: int,
) -> list[TargetResult]:
    """Lay a run beside every promise. A measure that never occurred is not judged."""
    results = [
        _latency_result(target, summaries[target.measure])
        for target in LATENCY_TARGETS
        if summaries[target.measure].count
    ]
    share = rest_failures / rest_requests if rest_requests else 0.0
    return [
        TargetResult(
            name="users that connected and subscribed",
            promised=f"{users}",
            measured=f"{users_ready}",
            held=users_ready == users,
        ),
        *results,
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
    ]


def _latency_result(target: LatencyTarget, summary: Summary) -> TargetResult:
    measured_ms = {0.5: summary.p50_ms, 0.95: summary.p95_ms, 0.99: summary.p99_ms}[target.share]
    return TargetResult(
        name=target.name,
        promised=f"≤ {target.most_ms:g} ms",
        measured=f"{measured_ms:.1f} ms",
        held=measured_ms <= target.most_ms,
    )
