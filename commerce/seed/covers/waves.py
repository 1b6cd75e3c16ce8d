"""Covers of sounds and tools: waves, rings, knobs and pipes."""

import math
from typing import Final

from commerce.seed.covers.drawing import HEIGHT, WIDTH, Sheet, around, mixed, smooth

_PIPE: Final = 100


def waveform(sheet: Sheet) -> None:
    """Bars around a middle line, swelling and fading."""
    first, second, accent = sheet.shuffled_inks()[:3]
    sheet.circle(sheet.dice.uniform(180, 620), 300, 215, fill=accent, opacity=0.28)
    swell = [sheet.dice.uniform(0.8, 2.6) for _ in range(3)]
    shift = sheet.dice.uniform(0, math.tau)
    bars = 44
    for bar in range(bars):
        place = bar / (bars - 1)
        body = math.sin(place * math.pi) ** 0.7
        ripple = sum(math.sin(place * each * math.tau * 2 + shift) for each in swell) / 3
        tall = 30 + 400 * body * abs(0.35 + 0.65 * ripple) * sheet.dice.uniform(0.75, 1)
        sheet.rectangle(
            70 + place * 650, 300 - tall / 2, 9, tall, radius=4.5, fill=mixed(first, second, place)
        )


def record(sheet: Sheet) -> None:
    """The grooves of a record, with light on them."""
    label, ring, light = sheet.shuffled_inks()[:3]
    x, y = sheet.dice.uniform(300, 500), sheet.dice.uniform(270, 330)
    dark = mixed(sheet.palette.ground, "#0d0d12", 0.82)
    sheet.circle(x, y, 262, fill=dark)
    for groove in range(19):
        sheet.circle(
            x,
            y,
            110 + groove * 8,
            fill="none",
            stroke=ring,
            stroke_width=1.6,
            opacity=sheet.dice.uniform(0.12, 0.5),
        )
    turn = sheet.dice.random()
    for side in (turn, turn + 0.5):
        outline = [(x, y), around(x, y, 258, side - 0.045), around(x, y, 258, side + 0.045)]
        sheet.polygon(outline, fill=light, opacity=0.16)
    sheet.circle(x, y, 96, fill=label)
    sheet.path(f"M{x - 96:.1f} {y:.1f}a96 96 0 0 1 192 0z", fill=light, opacity=0.7)
    sheet.circle(x, y, 12, fill=sheet.palette.ground)


def ridges(sheet: Sheet) -> None:
    """Lines that hide one another, like a mountain range of sound."""
    inks = sheet.shuffled_inks()
    centre = sheet.dice.uniform(300, 500)
    for row in range(22):
        base = 130 + row * 20
        points = []
        for step in range(33):
            x = 60 + step * 21.25
            hill = math.exp(-(((x - centre) / 150) ** 2))
            points.append((x, base - hill * sheet.dice.uniform(5, 96) - sheet.dice.uniform(0, 4)))
        ink = mixed(inks[0], inks[1], row / 21)
        sheet.path(
            smooth(points),
            fill=sheet.palette.ground,
            stroke=ink,
            stroke_width=3,
            stroke_linejoin="round",
        )


def knobs(sheet: Sheet) -> None:
    """A panel of dials, each turned somewhere else."""
    panel = mixed(sheet.palette.ground, sheet.palette.inks[-1], 0.16)
    sheet.rectangle(50, 50, 700, 500, radius=40, fill=panel)
    lit = sheet.ink()
    for place in range(6):
        x, y = 180 + place % 3 * 220, 205 + place // 3 * 205
        ink = sheet.ink()
        value = sheet.dice.uniform(0.1, 0.95)
        _arc(sheet, x, y, 0.75, colour=mixed(panel, ink, 0.28))
        _arc(sheet, x, y, 0.75 * value, colour=ink)
        sheet.circle(x, y, 56, fill=mixed(panel, sheet.palette.inks[0], 0.85))
        turn = 0.375 + 0.75 * value
        sheet.line(
            around(x, y, 20, turn),
            around(x, y, 46, turn),
            stroke=sheet.palette.ground,
            stroke_width=9,
            stroke_linecap="round",
        )
    for lamp in range(9):
        on = sheet.dice.random() < 0.5
        sheet.circle(112 + lamp * 72, 88, 8, fill=lit if on else mixed(panel, lit, 0.25))


def _arc(sheet: Sheet, x: float, y: float, turns: float, *, colour: str) -> None:
    start, end = around(x, y, 76, 0.375), around(x, y, 76, 0.375 + turns)
    sheet.path(
        f"M{start[0]:.1f} {start[1]:.1f}A76 76 0 {int(turns > 0.5)} 1 {end[0]:.1f} {end[1]:.1f}",
        fill="none",
        stroke=colour,
        stroke_width=13,
        stroke_linecap="round",
    )


def pipes(sheet: Sheet) -> None:
    """Quarter turns that always join, thick over thin."""
    under, over, core = sheet.shuffled_inks()[:3]
    turns = {
        (column, row): sheet.dice.random() < 0.5
        for row in range(HEIGHT // _PIPE)
        for column in range(WIDTH // _PIPE)
    }
    for width, ink in ((46, under), (28, over), (8, core)):
        for (column, row), falling in turns.items():
            sheet.path(
                _quarter_turns(column * _PIPE, row * _PIPE, falling=falling),
                fill="none",
                stroke=ink,
                stroke_width=width,
            )
    for _ in range(7):
        column, row = sheet.dice.choice(sorted(turns))
        sheet.circle(column * _PIPE + 50, row * _PIPE, 20, fill=core)


def _quarter_turns(x: int, y: int, *, falling: bool) -> str:
    half = _PIPE // 2
    if falling:
        return (
            f"M{x + half} {y}a{half} {half} 0 0 0 {half} {half}"
            f"M{x} {y + half}a{half} {half} 0 0 1 {half} {half}"
        )
    return (
        f"M{x + half} {y}a{half} {half} 0 0 1 -{half} {half}"
        f"M{x + _PIPE} {y + half}a{half} {half} 0 0 0 -{half} {half}"
    )
