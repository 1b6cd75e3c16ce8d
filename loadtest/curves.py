"""The charts of a report: latencies, deliveries, memory and processors over the run."""

import html
from collections.abc import Callable, Sequence
from typing import Final

from loadtest.chart import Frame, Line, Spot, chart
from loadtest.profiles import PROFILES
from loadtest.recorder import MEANINGS, Measure
from loadtest.report import Report
from loadtest.summary import Point
from loadtest.timeline import Moment, is_harness, rate_curve

_QUANTILES: Final[Sequence[tuple[str, Callable[[Point], float]]]] = (
    ("p99", lambda point: point.p99_ms),
    ("p95", lambda point: point.p95_ms),
    ("p50", lambda point: point.p50_ms),
)
_COLORS: Final = 8
_SMOOTH_POINTS: Final = 3
_MEBIBYTE: Final = 2**20


def charts(report: Report) -> str:
    """Return the section with every curve."""
    course = report.course
    frame = Frame(seconds=course.busy_until, busy_from=course.busy_from, marks=course.disturbed_at)
    cards = [
        _latency_card(report, measure, frame) for measure in Measure if report.curves.get(measure)
    ]
    moments = course.moments
    if len(moments) > 1:
        cards += [
            _card("Delivered a second", "events are durable, signals are typing and presence",
                  _delivered(moments), frame, "a second"),
            _card("Memory", "MiB that each process has for itself",
                  _memory(moments), frame, "MiB"),
            _card("Processors", "cores kept busy",
                  _processors(moments), frame, "cores"),
        ]  # fmt: skip
    return (
        '<section><h2>Over the run</h2><p class="soft">Shaded: the users come in. '
        "Dashed across: what p95 was promised to stay below."
        f"{' Upright: the disturbance.' if course.disturbed_at else ''}</p>"
        f'<div class="grid-of">{"".join(cards)}</div></section>'
    )


def _latency_card(report: Report, measure: Measure, frame: Frame) -> str:
    promised = {
        target.measure: target.most_ms
        for target in PROFILES[report.circumstances.profile].promises.latencies
        if target.share == 0.95
    }
    points = report.curves[measure]
    lines = [
        Line(
            name=name,
            style=name,
            spots=[Spot(second=point.second, value=value(point)) for point in points],
        )
        for name, value in _QUANTILES
    ]
    count = sum(point.count for point in points)
    return _card(
        MEANINGS[measure], f"ms; {count:,} measured", lines, frame, "ms", promised.get(measure)
    )


def _card(  # noqa: PLR0917  a card has that many parts
    title: str,
    said: str,
    lines: Sequence[Line],
    frame: Frame,
    unit: str,
    most: float | None = None,
) -> str:
    drawn = [line for line in lines if line.spots]
    legend = "".join(
        f'<span><i style="color: var(--{line.style})"></i>{html.escape(line.name)}</span>'
        for line in (reversed(drawn) if most is not None else drawn)
    )
    return (
        f'<div class="card"><h2>{html.escape(title)}</h2><p class="soft">{html.escape(said)}</p>'
        f"{chart(lines, frame, title=title, unit=unit, most=most)}"
        f'<p class="legend soft">{legend}</p></div>'
    )


def _delivered(moments: Sequence[Moment]) -> list[Line]:
    return [
        _rate_line("events", 1, moments, lambda moment: moment.events_seen),
        _rate_line("signals", 2, moments, lambda moment: moment.signals_seen),
    ]


def _memory(moments: Sequence[Moment]) -> list[Line]:
    return [
        Line(
            name=name,
            style=f"c{number % _COLORS + 1}",
            spots=[
                Spot(
                    second=moment.second,
                    value=moment.processes[name].private_bytes / _MEBIBYTE,
                )
                for moment in moments
                if name in moment.processes
            ],
        )
        for number, name in enumerate(_shop_processes(moments))
    ]


def _processors(moments: Sequence[Moment]) -> list[Line]:
    names = _shop_processes(moments)
    lines = [
        _rate_line(
            name,
            number % _COLORS + 1,
            [moment for moment in moments if name in moment.processes],
            lambda moment, name=name: moment.processes[name].cpu_seconds,  # type: ignore[misc]
        )
        for number, name in enumerate(names)
    ]
    ours = max((_harness_names(moment) for moment in moments), key=len)
    complete = [moment for moment in moments if _harness_names(moment) == ours]
    harness = _rate_line("this harness", len(names) % _COLORS + 1, complete, _harness_seconds)
    return [*lines, harness]


def _harness_names(moment: Moment) -> set[str]:
    return {name for name in moment.processes if is_harness(name)}


def _harness_seconds(moment: Moment) -> float:
    return sum(use.cpu_seconds for name, use in moment.processes.items() if is_harness(name))


def _shop_processes(moments: Sequence[Moment]) -> list[str]:
    return sorted({name for each in moments for name in each.processes if not is_harness(name)})


def _rate_line(
    name: str, color: int, moments: Sequence[Moment], count: Callable[[Moment], float]
) -> Line:
    """Return how fast a count grew, smoothed over a few points."""
    rates = rate_curve(moments, count)
    spots = []
    for at, point in enumerate(rates):
        near = rates[max(0, at - _SMOOTH_POINTS + 1) : at + 1]
        value = max(0.0, sum(one.value for one in near) / len(near))
        spots.append(Spot(second=point.second, value=value))
    return Line(name=name, style=f"c{color}", spots=spots)
