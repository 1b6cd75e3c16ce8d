"""A comparison told to people: as a table in the terminal, and as one in Markdown."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from loadtest.comparison.results import Comparison, Judgement, Metric, Standing
from loadtest.comparison.surroundings import Surroundings

_RIALTO = "rialto"


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print one benchmark: the medians, Rialto's ratio to each peer, and every promise."""
    table = Table("", *_headings(comparison), title=f"{comparison.benchmark}: {comparison.meaning}")
    for column in table.columns[1:]:
        column.justify = "right"
    for one in comparison.standings:
        table.add_row(one.contender, *_cells(comparison, one))
    console.print(table)
    for judgement in comparison.judgements:
        console.print(f"  {_verdict(judgement)}", highlight=False)
    for one in comparison.standings:
        for flag in one.flags:
            console.print(f"  ! {one.contender}: {flag}", highlight=False, markup=False)


def to_markdown(comparisons: Iterable[Comparison], surroundings: Surroundings) -> str:
    """Return everything as a page."""
    parts = [f"{surroundings.sentence()}\n"]
    for comparison in comparisons:
        headings = ["", *_headings(comparison)]
        rows = [[one.contender, *_cells(comparison, one)] for one in comparison.standings]
        parts += [f"## {comparison.benchmark}\n\n{comparison.meaning}\n", _table(headings, rows)]
        parts += [f"* {_verdict(judgement)}" for judgement in comparison.judgements]
        parts += [
            f"* {one.contender}: {flag}" for one in comparison.standings for flag in one.flags
        ]
        parts.append("")
    return "\n".join(parts)


def _headings(comparison: Comparison) -> list[str]:
    return [f"{metric.name}, {metric.unit}".rstrip(", ") for metric in comparison.metrics] + [
        f"rialto's {comparison.metrics[0].name} beside it"
    ]


def _cells(comparison: Comparison, one: Standing) -> list[str]:
    shown = [_shown(one, metric) for metric in comparison.metrics]
    return [*shown, _ratio(comparison, one)]


def _shown(one: Standing, metric: Metric) -> str:
    return f"{one.medians[metric.name]:,.{metric.digits}f}"


def _ratio(comparison: Comparison, one: Standing) -> str:
    name = comparison.metrics[0].name
    ours = next((each for each in comparison.standings if each.contender == _RIALTO), None)
    if ours is None or one is ours or not one.medians[name]:
        return ""
    return f"{ours.medians[name] / one.medians[name]:.2f} x"


def _verdict(judgement: Judgement) -> str:
    word = {True: "met", False: "NOT MET", None: "unknown"}[judgement.held]
    return f"{word}: {judgement.promised}; measured {judgement.measured}"


def _table(headings: list[str], rows: list[list[str]]) -> str:
    ruler = ["---", *["---:"] * (len(headings) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, ruler, *rows)) + "\n"
