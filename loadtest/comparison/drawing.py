"""A picture of the comparisons: bars side by side, one panel a benchmark, as plain SVG."""

import html
from collections.abc import Sequence
from typing import Final

from loadtest.comparison.results import Comparison, Standing

_WIDTH: Final = 760
_NAME_WIDTH: Final = 150
_VALUE_WIDTH: Final = 130
_BAR_HEIGHT: Final = 20
_BAR_STEP: Final = 27
_PANEL_HEAD: Final = 58
_PANEL_GAP: Final = 22
_STYLE: Final = (
    "<style>text{font:13px system-ui,sans-serif;fill:#222}.soft{fill:#666}.head{font-size:16px;"
    "font-weight:600}.peer{fill:#9db2bf}.rialto{fill:#c2410c}rect.page{fill:#fff}</style>"
)


def to_svg(comparisons: Sequence[Comparison]) -> str:
    """Return the picture: the first metric of each benchmark, Rialto in a color of its own."""
    parts: list[str] = []
    y = _PANEL_GAP
    for comparison in comparisons:
        parts += _panel(comparison, y)
        y += _PANEL_HEAD + _BAR_STEP * len(comparison.standings) + _PANEL_GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img" '
        f'aria-label="Rialto beside other servers">{_STYLE}'
        f'<rect class="page" width="{_WIDTH}" height="{y}"/>{"".join(parts)}</svg>\n'
    )


def _panel(comparison: Comparison, top: int) -> list[str]:
    metric = comparison.metrics[0]
    note = f"{metric.name}, {metric.unit}; {metric.better} is better"
    highest = max(one.medians[metric.name] for one in comparison.standings) or 1.0
    heading = f"{comparison.benchmark}: {comparison.meaning}"
    return [
        f'<text class="head" x="16" y="{top + 16}">{html.escape(heading)}</text>',
        f'<text class="soft" x="16" y="{top + 38}">{html.escape(note)}</text>',
        *(
            _bar(one, top + _PANEL_HEAD + place * _BAR_STEP, comparison, highest)
            for place, one in enumerate(comparison.standings)
        ),
    ]


def _bar(one: Standing, y: int, comparison: Comparison, highest: float) -> str:
    metric = comparison.metrics[0]
    value = one.medians[metric.name]
    width = max(1.0, (_WIDTH - _NAME_WIDTH - _VALUE_WIDTH) * value / highest)
    kind = "rialto" if one.contender == "rialto" else "peer"
    return (
        f'<text x="16" y="{y + 15}">{html.escape(one.contender)}</text>'
        f'<rect class="{kind}" x="{_NAME_WIDTH}" y="{y}" width="{width:.1f}" '
        f'height="{_BAR_HEIGHT}" rx="3"/>'
        f'<text x="{_NAME_WIDTH + width + 8:.1f}" y="{y + 15}">{value:,.{metric.digits}f}</text>'
    )
