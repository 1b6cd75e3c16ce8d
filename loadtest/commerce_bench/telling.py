"""What was measured, told to people: as tables in the terminal, and as Markdown."""

from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from loadtest.commerce_bench.measuring import Figure, Run
from loadtest.commerce_bench.promises import VENDURE, Judgement, ratio_to_vendure

_HEADINGS: Final = (
    "request",
    "at once",
    "SQL",
    "requests/s",
    "p50, p95, p99 ms",
    "web CPU ms",
    "requests/s per core",
    "at its pace: p50, p95, p99 ms",
    "beside Vendure",
)


class CommerceReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was measured, as `report.json` has it."""

    note: str
    compared_with: str
    figures: list[Figure]
    judgements: list[Judgement]

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        return all(judgement.held for judgement in self.judgements)


def print_report(report: CommerceReport, console: Console) -> None:
    """Print the figures, and every promise with whether it was kept."""
    table = Table(*_HEADINGS)
    for column in table.columns[1:]:
        column.justify = "right"
    for figure in report.figures:
        table.add_row(*_cells(figure))
    console.print(table)
    for line in _notes(report):
        console.print(line, highlight=False, markup=False)
    for one in report.judgements:
        console.print(f"  {_verdict(one)}", highlight=False, markup=False)


def to_markdown(report: CommerceReport) -> str:
    """Return everything as a page."""
    rows = ["| " + " | ".join(_HEADINGS) + " |", "|" + "---|" * len(_HEADINGS)]
    rows += ["| " + " | ".join(_cells(figure)) + " |" for figure in report.figures]
    targets = ["| target | promised | measured | |", "|---|---|---|---|"]
    targets += [
        f"| {one.name} | {one.promised} | {one.measured} | {_held(one)} |"
        for one in report.judgements
    ]
    return "\n\n".join(["\n".join(rows), *_notes(report), "\n".join(targets)]) + "\n"


def _notes(report: CommerceReport) -> list[str]:
    standin = [
        f"{figure.name}: {figure.busy.standin_ms:.1f} ms of it is the stand-in's own processor "
        f"time; without it p50 is {figure.busy.p50_ms - figure.busy.standin_ms:.1f} ms"
        for figure in report.figures
        if figure.busy.standin_ms is not None
    ]
    told = [f"Vendure: {VENDURE}."]
    if report.note:
        told.insert(0, report.note)
    if report.compared_with:
        told.append(f"Fewer rows: {report.compared_with}")
    return [*told, *standin]


def _cells(figure: Figure) -> tuple[str, ...]:
    busy, ratio = figure.busy, ratio_to_vendure(figure)
    return (
        figure.name,
        str(figure.buyers),
        _or_nothing(busy.statements_max, "d"),
        f"{busy.per_second:,.0f}",
        _quantiles(busy),
        _or_nothing(busy.core_ms, ".2f"),
        _or_nothing(busy.per_core, ",.0f"),
        "" if figure.paced is None else _quantiles(figure.paced),
        "" if ratio is None else f"{ratio:.1f} x",
    )


def _quantiles(run: Run) -> str:
    return f"{run.p50_ms:.1f}, {run.p95_ms:.1f}, {run.p99_ms:.1f}"


def _or_nothing(value: float | None, shape: str) -> str:
    return "" if value is None else format(value, shape)


def _held(one: Judgement) -> str:
    return "met" if one.held else "**not met**"


def _verdict(one: Judgement) -> str:
    return f"{'met    ' if one.held else 'NOT MET'}  {one.name}: {one.measured} ({one.promised})"
