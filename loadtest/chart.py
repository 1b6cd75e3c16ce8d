"""Curves as inline SVG: no script, no outside file, colors from the page's variables."""

import html
import math
from collections.abc import Sequence
from typing import Final

import msgspec

_WIDTH: Final = 640
_HEIGHT: Final = 220
_LEFT: Final = 52
_RIGHT: Final = 14
_TOP: Final = 14
_BOTTOM: Final = 28
_Y_TICKS: Final = 4
_X_TICKS: Final = 6


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """One value at one second of the run."""

    second: float
    value: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One curve; `style` names the page's color of it."""

    name: str
    style: str
    spots: Sequence[Spot]


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What all charts of a page share.

    The users come in until `busy_from`; something was done to them at each of `marks`.
    """

    seconds: float
    busy_from: float = 0.0
    marks: Sequence[float] = ()


class _Scale(msgspec.Struct, frozen=True, kw_only=True):
    seconds_max: float
    value_max: float

    def x(self, second: float) -> float:
        inside = min(max(second, 0.0), self.seconds_max)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * inside / self.seconds_max

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / self.value_max


def chart(
    lines: Sequence[Line], frame: Frame, *, title: str, unit: str, most: float | None = None
) -> str:
    """Return the chart of some curves; `most` draws what was promised as a dashed line.

    The first two lines of a latency (p95, p50) have the area between them filled.
    """
    drawn = [line for line in lines if line.spots]
    if not drawn:
        return '<p class="empty">Nothing was measured.</p>'
    highest = max(spot.value for line in drawn for spot in line.spots)
    if most is not None and most < highest * 3:
        highest = max(highest, most)
    last = max(spot.second for line in drawn for spot in line.spots)
    scale = _Scale(
        seconds_max=max(frame.seconds, last, 1), value_max=_round_up(max(highest, 0.001))
    )
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(title)}">',
        *_background(scale, frame),
        *_grid(scale),
        *_band(drawn, scale),
        *(_curve(line, scale) for line in drawn),
    ]
    if most is not None and most <= scale.value_max:
        parts.append(f'<path class="target" d="M{_LEFT} {scale.y(most):.1f}H{_WIDTH - _RIGHT}"/>')
    return "".join([*parts, *_hover(drawn, scale, unit), "</svg>"])


def _round_up(value: float) -> float:
    """Return the next round number, so that the ticks of the axis are round as well."""
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if step * power >= value)


def _background(scale: _Scale, frame: Frame) -> list[str]:
    """Return what shows the users coming in, and the moments something was done to them."""
    height = _HEIGHT - _TOP - _BOTTOM
    parts = []
    if frame.busy_from > 0:
        width = scale.x(frame.busy_from) - _LEFT
        parts.append(
            f'<rect class="coming" x="{_LEFT}" y="{_TOP}" width="{width:.1f}" height="{height}">'
            "<title>The users come in</title></rect>"
        )
    parts += [
        f'<path class="mark" d="M{scale.x(mark):.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
        for mark in frame.marks
    ]
    return parts


def _grid(scale: _Scale) -> list[str]:
    parts = []
    for tick in range(_Y_TICKS + 1):
        value = scale.value_max * tick / _Y_TICKS
        y = scale.y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(
            f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_short(value)}</text>"
        )
    step = max(1, round(_round_up(scale.seconds_max / _X_TICKS)))
    for second in range(0, int(scale.seconds_max) + 1, step):
        x, y = scale.x(second), _HEIGHT - 8
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{second} s</text>'
        )
    return parts


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:.4g}"


def _band(lines: Sequence[Line], scale: _Scale) -> list[str]:
    """Return the area between the median and p95, where most of the rest is."""
    by_name = {line.name: line for line in lines}
    if not {"p95", "p50"} <= by_name.keys():
        return []
    upper = [f"{scale.x(one.second):.1f} {scale.y(one.value):.1f}" for one in by_name["p95"].spots]
    lower = [f"{scale.x(one.second):.1f} {scale.y(one.value):.1f}" for one in by_name["p50"].spots]
    return [f'<path class="band" d="M{"L".join([*upper, *reversed(lower)])}Z"/>']


def _curve(line: Line, scale: _Scale) -> str:
    along = "L".join(f"{scale.x(spot.second):.1f} {scale.y(spot.value):.1f}" for spot in line.spots)
    return f'<path class="curve {line.style}" d="M{along}"/>'


def _hover(lines: Sequence[Line], scale: _Scale, unit: str) -> list[str]:
    told: dict[float, list[str]] = {}
    for line in lines:
        for spot in line.spots:
            told.setdefault(spot.second, []).append(f"{line.name} {spot.value:,.1f} {unit}")
    width = max(2.0, (_WIDTH - _LEFT - _RIGHT) / len(told))
    return [
        f'<rect class="hover" x="{scale.x(second) - width / 2:.1f}" y="{_TOP}"'
        f' width="{width:.1f}" height="{_HEIGHT - _TOP - _BOTTOM}">'
        f"<title>{second:.0f} s\n{html.escape(chr(10).join(lines_told))}</title></rect>"
        for second, lines_told in told.items()
    ]
