"""Covers of books and presets: places, shelves and light."""

import math

from commerce.seed.covers.drawing import HEIGHT, WIDTH, Point, Sheet, around, mixed, smooth


def paper_hills(sheet: Sheet) -> None:
    """Hills cut from paper, one before the other, under a large sun."""
    sky, sun, near = sheet.shuffled_inks()[:3]
    pale = mixed(sheet.palette.ground, sky, 0.3)
    sheet.rectangle(0, 0, WIDTH, HEIGHT, fill=pale)
    x, y = sheet.dice.uniform(220, 580), sheet.dice.uniform(150, 260)
    for ring in range(4):
        sheet.circle(x, y, 200 - ring * 38, fill=sun, opacity=0.18 + ring * 0.24)
    for layer in range(6):
        shade = mixed(pale, near, 0.25 + layer * 0.15)
        _hill(sheet, 300 + layer * 52, 70 - layer * 4, fill=shade)
    _birds(sheet, near)


def mountains(sheet: Sheet) -> None:
    """Ridges in haze under an evening sky, as a photograph would have them."""
    warm, cool, deep = sheet.shuffled_inks()[:3]
    sky = sheet.gradient(mixed(deep, "#0b1020", 0.35), cool, warm, mixed(warm, "#fff3d6", 0.6))
    sheet.rectangle(0, 0, WIDTH, HEIGHT, fill=sky)
    sheet.circle(
        sheet.dice.uniform(200, 600), sheet.dice.uniform(200, 330), 52, fill="#fff6e0", opacity=0.9
    )
    far = mixed(warm, "#ffffff", 0.25)
    for layer in range(5):
        shade = mixed(far, mixed(deep, "#0a0e18", 0.62), (layer + 0.6) / 5)
        _crest(sheet, 330 + layer * 55, 120 - layer * 14, fill=shade)


def shelf(sheet: Sheet) -> None:
    """Spines of books on two boards, one of them leaning."""
    board = mixed(sheet.palette.ground, sheet.palette.inks[-1], 0.5)
    for level in (290, 560):
        x = 48.0
        while x < 715:
            wide, tall = sheet.dice.uniform(24, 62), sheet.dice.uniform(150, 222)
            if x + wide > 752:
                break
            _spine(sheet, (x, level - tall), wide, tall)
            x += wide + sheet.dice.choice((3, 3, 3, 3, 26))
        sheet.rectangle(30, level, 740, 16, radius=3, fill=board)


def aperture(sheet: Sheet) -> None:
    """The blades of an iris around a point of light."""
    warm, cool, blade = sheet.shuffled_inks()[:3]
    sheet.rectangle(0, 0, WIDTH, HEIGHT, fill=sheet.gradient(cool, warm, angle=35))
    sheet.circle(400, 300, 250, fill=mixed(blade, "#0b0d14", 0.72))
    sheet.circle(400, 300, 226, fill=sheet.gradient("#fff4dc", warm, cool, angle=60))
    blades, opening = sheet.dice.choice((6, 7, 8, 9)), sheet.dice.uniform(70, 130)
    turn = sheet.dice.random()
    for number in range(blades):
        start = turn + number / blades
        outline = [
            around(400, 300, 232, start),
            around(400, 300, 232, start + 0.6 / blades),
            around(400, 300, 232, start + 1.35 / blades),
            around(400, 300, opening, start + 1.62 / blades),
            around(400, 300, opening, start + 0.62 / blades),
        ]
        shade = mixed(blade, "#0b0d14", 0.35 + 0.4 * (number % 2))
        sheet.polygon(outline, fill=shade, stroke="#0b0d14", stroke_width=1.5)
    sheet.circle(400, 300, 250, fill="none", stroke=mixed(blade, "#ffffff", 0.2), stroke_width=4)


def swatches(sheet: Sheet) -> None:
    """Soft light in bands, with a film strip of the same colours."""
    inks = sheet.shuffled_inks()
    sheet.rectangle(0, 0, WIDTH, HEIGHT, fill=sheet.gradient(*inks[:4], angle=20))
    for _ in range(5):
        sheet.circle(
            sheet.dice.uniform(0, WIDTH),
            sheet.dice.uniform(0, HEIGHT),
            sheet.dice.uniform(90, 260),
            fill=sheet.ink(),
            opacity=0.3,
        )
    sheet.rectangle(0, 400, WIDTH, 140, fill="#0d0f16")
    for frame in range(5):
        light = sheet.gradient(inks[frame], mixed(inks[frame], "#fff4dc", 0.65), angle=70)
        sheet.rectangle(22 + frame * 154, 424, 138, 92, radius=6, fill=light)
    for hole in range(26):
        for level in (406, 524):
            sheet.rectangle(8 + hole * 31, level, 14, 10, radius=2.5, fill="#f3ead8", opacity=0.85)


def _hill(sheet: Sheet, level: float, swing: float, **look: object) -> None:
    shift, pace = sheet.dice.uniform(0, math.tau), sheet.dice.uniform(0.8, 1.7)
    points: list[Point] = [
        (x, level + swing * math.sin(x / WIDTH * math.tau * pace + shift))
        for x in range(-20, WIDTH + 41, 60)
    ]
    sheet.path(f"{smooth(points)}V{HEIGHT}H-20Z", **look)


def _crest(sheet: Sheet, level: float, tall: float, **look: object) -> None:
    points: list[Point] = [(-10.0, float(HEIGHT)), (-10.0, level)]
    x = -10.0
    while x < WIDTH + 10:
        x += sheet.dice.uniform(24, 74)
        points.append((x, level - sheet.dice.uniform(0, tall)))
    sheet.polygon([*points, (x, float(HEIGHT))], **look)


def _spine(sheet: Sheet, corner: Point, wide: float, tall: float) -> None:
    x, y = corner
    ink, band = sheet.dice.sample(sheet.palette.inks, 2)
    sheet.rectangle(x, y, wide, tall, radius=3, fill=ink)
    for place in sheet.dice.sample((0.08, 0.16, 0.74, 0.84, 0.9), 2):
        sheet.rectangle(x, y + tall * place, wide, 6, fill=band)
    if wide > 36:
        sheet.circle(x + wide / 2, y + tall * 0.45, wide * 0.2, fill=band)


def _birds(sheet: Sheet, ink: str) -> None:
    for _ in range(sheet.dice.randrange(2, 6)):
        x, y = sheet.dice.uniform(80, 720), sheet.dice.uniform(60, 220)
        sheet.path(
            f"M{x:.0f} {y:.0f}q10-11 19 0q9-11 19 0",
            fill="none",
            stroke=ink,
            stroke_width=3.5,
            stroke_linecap="round",
        )
