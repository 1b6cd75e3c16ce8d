"""Latency curves as inline SVG: no script, no outside file, colors from the page's variables."""

import html
import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from loadtest.summary import Point

_WIDTH: Final = 640
_HEIGHT: Final = 220
_LEFT: Final = 52
_RIGHT: Final = 14
_TOP: Final = 14
_BOTTOM: Final = 28
_Y_TICKS: Final = 4
_X_TICKS: Final = 6


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One curve of a chart."""

    name: str
    style: str
    value: Callable[[Point], float]


LATENCY_LINES: Final = (
    Line(name="p99", style="p99", value=lambda point: point.p99_ms),
    Line(name="p95", style="p95", value=lambda point: point.p95_ms),
    Line(name="p50", style="p50", value=lambda point: point.p50_ms),
)


class _Scale(msgspec.Struct, frozen=True, kw_only=True):
    seconds_max: float
    value_max: float

    def x(self, second: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * second / self.seconds_max

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / self.value_max


def latency_chart(points: Sequence[Point], *, title: str, most_ms: float | None) -> str:
    """Return the chart of one measure; `most_ms` draws the promised p95 as a line."""
    if not points:
        return '<p class="empty">Nothing was measured.</p>'
    highest = max(point.p99_ms for point in points)
    if most_ms is not None and most_ms < highest * 2:
        highest = max(highest, most_ms)
    scale = _Scale(seconds_max=max(points[-1].second, 1), value_max=_round_up(max(highest, 0.001)))
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(title)}">',
        *_grid(scale),
        _band(points, scale),
        *(_curve(points, line, scale) for line in LATENCY_LINES),
    ]
    if most_ms is not None and most_ms <= scale.value_max:
        y = scale.y(most_ms)
        parts.append(f'<path class="target" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
    parts += _hover(points, scale)
    return "".join([*parts, "</svg>"])


def _round_up(value: float) -> float:
    """Return the next round number, so that the ticks of the axis are round as well."""
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)


def _grid(scale: _Scale) -> list[str]:
    parts = []
    for tick in range(_Y_TICKS + 1):
        value = scale.value_max * tick / _Y_TICKS
        y = scale.y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(
            f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    step = max(1, round(_round_up(scale.seconds_max / _X_TICKS)))
    for second in range(0, int(scale.seconds_max) + 1, step):
        x, y = scale.x(second), _HEIGHT - 8
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{second} s</text>'
        )
    return parts


def _band(points: Sequence[Point], scale: _Scale) -> str:
    """Return the area between the median and p95, where most of the rest is."""
    upper = [f"{scale.x(point.second):.1f} {scale.y(point.p95_ms):.1f}" for point in points]
    lower = [f"{scale.x(point.second):.1f} {scale.y(point.p50_ms):.1f}" for point in points]
    return f'<path class="band" d="M{"L".join([*upper, *reversed(lower)])}Z"/>'


def _curve(points: Sequence[Point], line: Line, scale: _Scale) -> str:
    along = "L".join(
        f"{scale.x(point.second):.1f} {scale.y(line.value(point)):.1f}" for point in points
    )
    return f'<path class="curve {line.style}" d="M{along}"/>'


def _hover(points: Sequence[Point], scale: _Scale) -> list[str]:
    width = max(2.0, (_WIDTH - _LEFT - _RIGHT) / len(points))
    return [
        f'<rect class="hover" x="{scale.x(point.second) - width / 2:.1f}" y="{_TOP}"'
        f' width="{width:.1f}" height="{_HEIGHT - _TOP - _BOTTOM}">'
        f"<title>{point.second} s: {point.count} measured\np50 {point.p50_ms:.1f} ms\n"
        f"p95 {point.p95_ms:.1f} ms\np99 {point.p99_ms:.1f} ms</title></rect>"
        for point in points
    ]
