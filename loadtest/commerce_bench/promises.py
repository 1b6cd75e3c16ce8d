"""What was promised of each kind of request, beside what was measured and what others do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from loadtest.commerce_bench.kinds import KINDS, Kind
from loadtest.commerce_bench.measuring import Figure, Run

FLAT_RATIO_MAX: Final = 1.5
"""A list may take so much longer on a hundred times as many rows."""

VENDURE: Final = (
    "Vendure 3.7 (Node, one process, Postgres 18, 1 000 products), measured for issue 4 on the "
    "same kind of box; not by this program"
)
VENDURE_PER_SECOND: Final[Mapping[str, float]] = {
    "product list of 50": 230.0,
    "product detail": 100.0,
    "a buyer's orders": 150.0,
    "cart change": 40.0,
    "whole checkout, one buyer": 5.0,
    "whole checkout, eight buyers": 10.0,
}
"""Requests a second, the better figure of each: of the list 7 with prices, 230 by its index."""

_TIMES: Final = 3.0
_TIMES_CHECKOUT: Final = 10.0
_CHECKOUT: Final = "whole checkout"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One promise beside what was measured."""

    name: str
    promised: str
    measured: str
    held: bool


def judge(
    figures: Sequence[Figure], smaller: Mapping[str, Figure] | None = None
) -> list[Judgement]:
    """Lay what was measured beside every promise, and lists beside the same on fewer rows."""
    kinds = {kind.name: kind for kind in KINDS}
    return [
        judgement
        for figure in figures
        for judgement in (
            *_answered(figure),
            *_fast(figure, kinds[figure.name]),
            *_few_statements(figure, kinds[figure.name]),
            *_beside_vendure(figure),
            *_flat(figure, kinds[figure.name], smaller or {}),
        )
    ]


def ratio_to_vendure(figure: Figure) -> float | None:
    """Return how many times as many requests a second as Vendure; None if it was not measured."""
    theirs = VENDURE_PER_SECOND.get(figure.name)
    return None if theirs is None else figure.busy.per_second / theirs


def _runs(figure: Figure) -> Iterable[Run]:
    return [figure.busy] if figure.paced is None else [figure.busy, figure.paced]


def _answered(figure: Figure) -> Iterator[Judgement]:
    """Only a failure is told."""
    if not all(run.is_sound for run in _runs(figure)):
        failed = sum(run.failures for run in _runs(figure))
        why = next((run.failed_with for run in _runs(figure) if run.failed_with), "no answers")
        yield Judgement(
            name=f"{figure.name}: failed", promised="0", measured=f"{failed} ({why})", held=False
        )


def _fast(figure: Figure, kind: Kind) -> Iterator[Judgement]:
    if kind.p95_ms is not None and figure.paced is not None:
        yield Judgement(
            name=f"{figure.name}: p95 at {kind.pace:g}/s",
            promised=f"≤ {kind.p95_ms:g} ms",
            measured=f"{figure.paced.p95_ms:.1f} ms",
            held=figure.paced.p95_ms <= kind.p95_ms,
        )
    if kind.per_second_min is not None:
        yield Judgement(
            name=f"{figure.name}: a second",
            promised=f"≥ {kind.per_second_min:g}",
            measured=f"{figure.busy.per_second:,.0f}",
            held=figure.busy.per_second >= kind.per_second_min,
        )


def _few_statements(figure: Figure, kind: Kind) -> Iterator[Judgement]:
    counts = [run.statements_max for run in _runs(figure) if run.statements_max is not None]
    if kind.statements_max is not None and counts:
        yield Judgement(
            name=f"{figure.name}: SQL statements of one answer",
            promised=f"≤ {kind.statements_max}",
            measured=f"{max(counts)}",
            held=max(counts) <= kind.statements_max,
        )


def _beside_vendure(figure: Figure) -> Iterator[Judgement]:
    ratio = ratio_to_vendure(figure)
    if ratio is not None:
        least = _TIMES_CHECKOUT if figure.name.startswith(_CHECKOUT) else _TIMES
        yield Judgement(
            name=f"{figure.name}: beside Vendure's {VENDURE_PER_SECOND[figure.name]:g}/s",
            promised=f"≥ {least:g} x",
            measured=f"{ratio:.1f} x",
            held=ratio >= least,
        )


def _flat(figure: Figure, kind: Kind, smaller: Mapping[str, Figure]) -> Iterator[Judgement]:
    before = smaller.get(figure.name)
    if kind.grows and before is not None and before.paced and figure.paced and before.paced.p50_ms:
        ratio = figure.paced.p50_ms / before.paced.p50_ms
        yield Judgement(
            name=f"{figure.name}: p50 beside fewer rows ({before.paced.p50_ms:.1f} ms)",
            promised=f"≤ {FLAT_RATIO_MAX:g} x",
            measured=f"{ratio:.2f} x",
            held=ratio <= FLAT_RATIO_MAX,
        )
