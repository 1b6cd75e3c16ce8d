"""What a run found, for people (a text table) and for programs (JSON)."""

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from loadtest.orders import Result
from loadtest.recorder import MEANINGS, Measure, merge
from loadtest.summary import Point, Summary, curve, summarize
from loadtest.targets import TargetResult, compare
from loadtest.verdict import Verdict
from loadtest.violations import MEANINGS as VIOLATION_MEANINGS
from protocol.version import WireFormat


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
    seconds_per_point: int,
) -> Report:
    """Put together what the workers measured and what the model found."""
    measured = merge(result.measured for result in results)
    summaries = {measure: summarize(of.whole) for measure, of in measured.items()}
    requests = _sums([result.rest.requests for result in results])
    failures = _sums([result.rest.failures for result in results])
    progresses = [result.progress for result in results]
    users_ready = sum(progress.ready for progress in progresses)
    targets = compare(
        summaries,
        verdict,
        users=circumstances.users,
        users_ready=users_ready,
        rest_requests=sum(requests.values()),
        rest_failures=sum(failures.values()),
    )
    return Report(
        circumstances=circumstances,
        passed=verdict.perfect and all(target.held for target in targets),
        targets=targets,
        measures=summaries,
        curves={
            measure: curve(of.series, seconds_per_point=seconds_per_point)
            for measure, of in measured.items()
        },
        verdict=verdict,
        users_ready=users_ready,
        connect_failures=sum(progress.connect_failures for progress in progresses),
        disconnects=sum(progress.disconnects for progress in progresses),
        rest_requests=requests,
        rest_failures=failures,
        harness_cpu_seconds=round(sum(result.cpu_seconds for result in results), 1),
        first_trouble=next(filter(None, (progress.first_trouble for progress in progresses)), ""),
    )


def _sums(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
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
        f"\n{circumstances.users} users, {circumstances.seconds:g} s, {circumstances.rooms} rooms, "
        f"{circumstances.wire_format}, {circumstances.processes} load process(es), "
        f"seed {circumstances.seed}; {circumstances.machine}"
    )
    console.print(_latency_table(report))
    console.print(_target_table(report))
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
        numbers = (summary.p50_ms, summary.p95_ms, summary.p99_ms, summary.max_ms)
        shown = [f"{number:.1f}" if summary.count else "" for number in numbers]
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
