"""Covers of courses and game assets: blocks, sprites and facets."""

import math
from typing import Final

from commerce.seed.covers.drawing import HEIGHT, WIDTH, Point, Sheet, mixed, smooth

_PIXEL: Final = 20


def stairs(sheet: Sheet) -> None:
    """Isometric blocks that rise step by step."""
    inks = sheet.shuffled_inks()
    sheet.circle(400, 300, 250, fill=inks[0], opacity=0.16)
    for depth in range(4):
        for side in range(4):
            tall = 30 + (3 - depth + side) * 26 + sheet.dice.randrange(4) * 13
            x = 400 + (side - depth) * 78
            y = 350 + (side + depth - 3) * 45
            _block(sheet, (x, y), tall, inks[(side + depth) % len(inks)])


def _block(sheet: Sheet, foot: Point, tall: float, ink: str) -> None:
    x, y = foot
    top = y - tall
    wide, deep = 74, 43
    left, right = mixed(ink, "#0b1020", 0.32), mixed(ink, "#0b1020", 0.14)
    sheet.polygon([(x - wide, top), (x, top + deep), (x, y + deep), (x - wide, y)], fill=left)
    sheet.polygon([(x + wide, top), (x, top + deep), (x, y + deep), (x + wide, y)], fill=right)
    lit = mixed(ink, "#ffffff", 0.2)
    sheet.polygon([(x - wide, top), (x, top - deep), (x + wide, top), (x, top + deep)], fill=lit)


def journey(sheet: Sheet) -> None:
    """A winding way with stations, the last of them under a flag."""
    way, station, done, flag = sheet.shuffled_inks()[:4]
    for ring in range(5):
        sheet.circle(
            690, 110, 70 + ring * 62, fill="none", stroke=flag, stroke_width=2, opacity=0.28
        )
    sway = sheet.dice.uniform(70, 105)
    points = [
        (90 + step * 88, 380 - step * 22 + sway * math.sin(step * 1.7 + sway)) for step in range(8)
    ]
    look: dict[str, object] = {"fill": "none", "stroke_linecap": "round"}
    sheet.path(
        smooth(points), stroke=mixed(sheet.palette.ground, way, 0.35), stroke_width=46, **look
    )
    sheet.path(smooth(points), stroke=way, stroke_width=10, stroke_dasharray="2 24", **look)
    for number, (x, y) in enumerate(points):
        sheet.circle(x, y, 30, fill=done if number < 5 else station)
        sheet.circle(x, y, 14, fill=sheet.palette.ground)
    x, y = points[-1]
    sheet.line((x, y), (x, y - 120), stroke=flag, stroke_width=9, stroke_linecap="round")
    sheet.polygon([(x, y - 122), (x + 78, y - 94), (x, y - 64)], fill=flag)


def bloom(sheet: Sheet) -> None:
    """Petals around a middle, like something that opens while one learns."""
    inks = sheet.shuffled_inks()
    petals = sheet.dice.choice((6, 8, 10, 12))
    for layer in range(4):
        long, wide = 262 - layer * 56, 92 - layer * 16
        for petal in range(petals):
            turn = 360 * (petal + 0.5 * (layer % 2)) / petals
            sheet.path(
                f"M0 0C{wide}-{long * 0.35:.0f} {wide * 0.7:.0f}-{long * 0.85:.0f} 0-{long}"
                f"C-{wide * 0.7:.0f}-{long * 0.85:.0f}-{wide}-{long * 0.35:.0f} 0 0Z",
                transform=f"translate(400 300) rotate({turn:.1f})",
                fill=inks[layer],
                opacity=0.82,
            )
    sheet.circle(400, 300, 34, fill=sheet.palette.ground)
    sheet.circle(400, 300, 17, fill=inks[4])


def sprites(sheet: Sheet) -> None:
    """Little symmetrical creatures of pixels under stars."""
    night = mixed(sheet.palette.ground, "#0b1026", 0.86)
    sheet.rectangle(0, 0, WIDTH, HEIGHT, fill=night)
    for _ in range(46):
        sheet.rectangle(
            sheet.dice.randrange(80) * 10,
            sheet.dice.randrange(52) * 10,
            5,
            5,
            fill="#ffffff",
            opacity=sheet.dice.uniform(0.2, 0.8),
        )
    _ground(sheet)
    for place in range(3):
        _creature(sheet, 70 + place * 240, 140 + sheet.dice.randrange(4) * _PIXEL)


def _ground(sheet: Sheet) -> None:
    grass, soil = sheet.shuffled_inks()[:2]
    for column in range(WIDTH // _PIXEL):
        tall = 4 + sheet.dice.randrange(2)
        y = HEIGHT - tall * _PIXEL
        sheet.rectangle(column * _PIXEL, y, _PIXEL, HEIGHT - y, fill=mixed(soil, "#0b1026", 0.35))
        sheet.rectangle(column * _PIXEL, y, _PIXEL, _PIXEL, fill=grass)


def _creature(sheet: Sheet, x: int, y: int) -> None:
    body, detail = sheet.dice.sample([mixed(ink, "#ffffff", 0.15) for ink in sheet.palette.inks], 2)
    rows, half = 9, 4
    for row in range(rows):
        for column in range(half):
            likely = 0.86 - 0.1 * (half - 1 - column) - 0.05 * abs(row - 4)
            if sheet.dice.random() > likely:
                continue
            ink = detail if sheet.dice.random() < 0.18 else body
            for side in {column, 2 * half - 1 - column}:
                sheet.rectangle(x + side * _PIXEL, y + row * _PIXEL, _PIXEL, _PIXEL, fill=ink)
    for side in (2, 5):
        sheet.rectangle(x + side * _PIXEL, y + 3 * _PIXEL, _PIXEL, _PIXEL, fill="#ffffff")
        sheet.rectangle(x + side * _PIXEL + 5, y + 3 * _PIXEL + 8, 10, 12, fill="#11131f")


def facets(sheet: Sheet) -> None:
    """A low-poly field of triangles, lit from one side."""
    low, middle, high = sheet.shuffled_inks()[:3]
    grid = {
        (column, row): (
            column * 100 - 50 + sheet.dice.uniform(-34, 34),
            row * 86 - 40 + sheet.dice.uniform(-28, 28),
        )
        for row in range(9)
        for column in range(10)
    }
    light = sheet.dice.uniform(0, math.tau)
    for column in range(9):
        for row in range(8):
            corners = [grid[column + dx, row + dy] for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
            for triangle in (corners[:3], [corners[0], *corners[2:]]):
                x, y = (sum(point[axis] for point in triangle) / 3 for axis in (0, 1))
                slope = (math.cos(light) * x / WIDTH + math.sin(light) * y / HEIGHT + 1.2) / 2.6
                share = min(1.0, max(0.0, slope + sheet.dice.uniform(-0.16, 0.16)))
                shade = (
                    mixed(low, middle, share * 2)
                    if share < 0.5
                    else mixed(middle, high, share * 2 - 1)
                )
                sheet.polygon(triangle, fill=shade, stroke=shade, stroke_width=1)
