"""What a run found, for people (a text table) and for programs (JSON)."""

import math
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
from rich.console import Console
from rich.table import Table

from loadtest.histogram import Histogram
from loadtest.memory import Growth, judge_growth
from loadtest.orders import Result
from loadtest.profiles import PROFILES
from loadtest.recorder import MEANINGS, Measure, Measured, merge
from loadtest.summary import Point, Summary, curve, summarize
from loadtest.targets import Facts, Rate, TargetResult, compare
from loadtest.timeline import Moment, cpu_shares, mean_rate, strangers_share
from loadtest.verdict import Verdict
from loadtest.violations import MEANINGS as VIOLATION_MEANINGS
from protocol.version import WireFormat

Name = TypeVar("Name", str, int)

_JUDGED_ALWAYS: Final = frozenset({Measure.CONNECT, Measure.RESUMED, Measure.ORDERED})


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, and where it ran."""

    web_url: str
    socket_url: str
    users: int
    seconds: float
    processes: int
    rooms: int
    seed: int
    wire_format: WireFormat
    started_at: str
    machine: str
    interrupted: bool = False
    profile: str = "shop"


class CourseTold(msgspec.Struct, frozen=True, kw_only=True):
    """What happened when; all times in seconds since the run began.

    Everybody was there and busy from `busy_from` until `busy_until`, which is what latencies and
    rates are judged by; something was done to the users at each of `disturbed_at`.
    """

    seconds_per_point: int
    moments: list[Moment]
    busy_from: float
    busy_until: float
    disturbed_at: list[float] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run found."""

    circumstances: Circumstances
    passed: bool
    targets: list[TargetResult]
    measures: dict[Measure, Summary]
    curves: dict[Measure, list[Point]]
    verdict: Verdict
    users_ready: int
    connect_failures: int
    disconnects: int
    rest_requests: dict[str, int]
    rest_failures: dict[str, int]
    harness_cpu_seconds: float
    course: CourseTold
    rates: dict[Rate, float]
    signals_per_second: float
    cpu_cores: dict[str, float]
    strangers_cores: float
    growths: list[Growth]
    closes: dict[int, int]
    first_trouble: str


def machine() -> str:
    """Say in one line what this process runs on."""
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} CPUs, {platform.system()} {platform.release()}, Python {python}"


def moment() -> str:
    """Return the current time in UTC, for people."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())


def write_up(
    circumstances: Circumstances,
    results: Sequence[Result],
    verdict: Verdict,
    *,
    course: CourseTold,
) -> Report:
    """Put together what the workers measured and what the model found."""
    measured = merge(result.measured for result in results)
    summaries = {
        measure: summarize(_judged(measure, of, course)) for measure, of in measured.items()
    }
    progresses = [result.progress for result in results]
    facts = _facts(circumstances, results, course)
    span = {"since": course.busy_from, "until": course.busy_until}
    targets = compare(PROFILES[circumstances.profile].promises, summaries, verdict, facts)
    return Report(
        circumstances=circumstances,
        passed=verdict.perfect and all(target.held for target in targets),
        targets=targets,
        measures=summaries,
        curves=_curves(measured, course),
        verdict=verdict,
        users_ready=facts.users_ready,
        connect_failures=sum(progress.connect_failures for progress in progresses),
        disconnects=sum(progress.disconnects for progress in progresses),
        rest_requests=_sums([result.rest.requests for result in results]),
        rest_failures=_sums([result.rest.failures for result in results]),
        harness_cpu_seconds=round(sum(result.cpu_seconds for result in results), 1),
        first_trouble=next(filter(None, (progress.first_trouble for progress in progresses)), ""),
        course=course,
        rates=dict(facts.rates),
        signals_per_second=_rate(course, lambda moment: moment.signals_seen) or 0.0,
        cpu_cores=cpu_shares(course.moments, **span),
        strangers_cores=strangers_share(course.moments, **span),
        growths=list(facts.growths),
        closes=_sums([progress.closes for progress in progresses]),
    )


def _facts(circumstances: Circumstances, results: Sequence[Result], course: CourseTold) -> Facts:
    """Return what the targets are compared with besides latencies."""
    return Facts(
        users=circumstances.users,
        users_ready=sum(result.progress.ready for result in results),
        rest_requests=sum(sum(result.rest.requests.values()) for result in results),
        rest_failures=sum(sum(result.rest.failures.values()) for result in results),
        busy_seconds=course.busy_until - course.busy_from,
        rates=_rates(course),
        growths=judge_growth(
            course.moments, busy_from=course.busy_from, busy_until=course.busy_until
        ),
    )


def _curves(measured: Mapping[Measure, Measured], course: CourseTold) -> dict[Measure, list[Point]]:
    """Return how each latency went over time."""
    return {
        measure: curve(of.series, seconds_per_point=course.seconds_per_point)
        for measure, of in measured.items()
    }


def _judged(measure: Measure, measured: Measured, course: CourseTold) -> Histogram:
    """Return what counts: what came about while everybody was there; connecting, always."""
    if measure in _JUDGED_ALWAYS:
        return measured.whole
    return measured.since(math.ceil(course.busy_from / course.seconds_per_point))


def _rates(course: CourseTold) -> dict[Rate, float]:
    counts: dict[Rate, Callable[[Moment], float]] = {
        "messages": lambda moment: moment.messages_committed,
        "deliveries": lambda moment: moment.events_seen,
        "requests": lambda moment: moment.requests,
    }
    rates = {name: _rate(course, count) for name, count in counts.items()}
    return {name: rate for name, rate in rates.items() if rate is not None}


def _rate(course: CourseTold, count: Callable[[Moment], float]) -> float | None:
    return mean_rate(course.moments, count, since=course.busy_from, until=course.busy_until)


def _sums(parts: Sequence[Mapping[Name, int]]) -> dict[Name, int]:
    sums: dict[Name, int] = {}
    for part in parts:
        for name, count in part.items():
            sums[name] = sums.get(name, 0) + count
    return sums


def to_json(report: Report) -> bytes:
    """Return the report for programs."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def print_report(report: Report, console: Console) -> None:
    """Print the report for people."""
    circumstances = report.circumstances
    console.print(
        f"\n{circumstances.profile}: {circumstances.users} users, {circumstances.seconds:g} s, "
        f"{circumstances.rooms} rooms, "
        f"{circumstances.wire_format}, {circumstances.processes} load process(es), "
        f"seed {circumstances.seed}; {circumstances.machine}"
    )
    console.print(_latency_table(report))
    console.print(_target_table(report))
    _print_rates(report, console)
    _print_verdict(report, console)
    if circumstances.interrupted:
        console.print("Interrupted: this is a partial report.", style="yellow")
    word, style = ("Passed", "bold green") if report.passed else ("Failed", "bold red")
    console.print(word, style=style)


def _latency_table(report: Report) -> Table:
    table = Table("ms", title="Latency", title_justify="left")
    for heading in ("count", "p50", "p95", "p99", "max"):
        table.add_column(heading, justify="right")
    for measure, summary in report.measures.items():
        if not summary.count:
            continue
        numbers = (summary.p50_ms, summary.p95_ms, summary.p99_ms, summary.max_ms)
        shown = [f"{number:,.1f}" for number in numbers]
        table.add_row(MEANINGS[measure], f"{summary.count}", *shown)
    return table


def _target_table(report: Report) -> Table:
    table = Table("", "target", title="Targets", title_justify="left")
    table.add_column("promised", justify="right")
    table.add_column("measured", justify="right")
    for target in report.targets:
        mark = "[green]✓[/]" if target.held else "[red]✗[/]"
        table.add_row(mark, target.name, target.promised, target.measured)
    return table


def _print_rates(report: Report, console: Console) -> None:
    rates = [f"{rate:,.1f} {name}" for name, rate in report.rates.items()]
    if rates:
        console.print(
            f"A second: {', '.join(rates)}, and {report.signals_per_second:,.0f} signals "
            f"(typing, presence) delivered.",
            highlight=False,
        )
    if report.cpu_cores:
        busiest = sorted(report.cpu_cores.items(), key=lambda each: -each[1])
        cores = ", ".join(f"{name} {share:.2f}" for name, share in busiest)
        console.print(
            f"Cores kept busy: {cores}; {report.strangers_cores:.2f} by other programs.",
            highlight=False,
        )


def _print_verdict(report: Report, console: Console) -> None:
    verdict = report.verdict
    console.print(
        f"{verdict.commands_committed} of {verdict.commands_given} commands committed; "
        f"{verdict.events_seen} events heard, {verdict.messages_seen} of them messages; "
        f"{verdict.messages_stored_checked} committed messages looked up in the history."
    )
    for kind, count in verdict.violations.counts.items():
        console.print(f"{count} {kind}: {VIOLATION_MEANINGS[kind]}", style="red")
    for violation in verdict.violations.told[:10]:
        console.print(f"  {violation.kind} {violation.topic or ''} {violation.told}", markup=False)
    for route, count in report.rest_failures.items():
        console.print(f"{count} failed: {route}", style="red", markup=False)
    if report.connect_failures or report.disconnects:
        console.print(
            f"{report.connect_failures} failed connects, {report.disconnects} disconnects",
            style="yellow",
        )
    if report.first_trouble:
        console.print(f"First trouble: {report.first_trouble}", style="yellow", markup=False)
