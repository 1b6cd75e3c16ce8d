"""Covers of fonts and icons: shapes on a grid."""

from collections.abc import Callable
from typing import Final

from commerce.seed.covers.drawing import HEIGHT, WIDTH, Sheet, around

_TILE: Final = 200


def tiles(sheet: Sheet) -> None:
    """Arcs, bars and dots in twelve tiles, like the parts of letters."""
    for row in range(HEIGHT // _TILE):
        for column in range(WIDTH // _TILE):
            _tile(sheet, column * _TILE, row * _TILE)


def _tile(sheet: Sheet, x: int, y: int) -> None:
    ground, ink, spot = sheet.shuffled_inks()[:3]
    if sheet.dice.random() < 0.35:
        ground = sheet.palette.ground
    sheet.rectangle(x, y, _TILE, _TILE, fill=ground)
    middle, half = (x + _TILE / 2, y + _TILE / 2), _TILE / 2
    match sheet.dice.randrange(6):
        case 0:
            sheet.path(f"M{x} {y}h{_TILE}a{_TILE} {_TILE} 0 0 1 -{_TILE} {_TILE}z", fill=ink)
        case 1:
            sheet.path(f"M{x} {y + _TILE}v-{half}a{half} {half} 0 0 1 {_TILE} 0v{half}z", fill=ink)
            sheet.circle(middle[0], y + half, half / 2.6, fill=spot)
        case 2:
            sheet.circle(*middle, half, fill=ink)
            sheet.circle(*middle, half / 2, fill=ground)
        case 3:
            for bar in range(4):
                sheet.rectangle(x + bar * 50, y, 25, _TILE, fill=ink)
        case 4:
            sheet.path(f"M{x} {y}a{half} {half} 0 0 0 {_TILE} 0z", fill=ink)
            sheet.path(f"M{x} {y + _TILE}a{half} {half} 0 0 1 {_TILE} 0z", fill=spot)
        case _:
            sheet.polygon([(x, y + _TILE), (x + _TILE, y + _TILE), (x + _TILE, y)], fill=ink)
            sheet.circle(x + 55, y + 55, 28, fill=spot)


def glyph(sheet: Sheet) -> None:
    """One huge letter of no alphabet, on its guide lines."""
    ink, bowl, accent, guide = sheet.shuffled_inks()[:4]
    for level in (140, 230, 430, 520):
        sheet.line((0, level), (WIDTH, level), stroke=guide, stroke_width=2, opacity=0.35)
    stem = sheet.dice.choice((250, 430))
    heavy = sheet.dice.choice((70, 95, 120))
    rising = sheet.dice.random() < 0.5
    right = stem < WIDTH / 2
    top, bottom = (90, 430) if rising else (230, 560)
    centre = stem + heavy / 2 + (115 if right else -115)
    sheet.circle(centre, 330, 145, fill=bowl)
    sheet.circle(centre, 330, 145 - heavy * 0.72, fill=sheet.palette.ground)
    sheet.rectangle(stem, top, heavy, bottom - top, fill=ink)
    if sheet.dice.random() < 0.6:
        foot = bottom if rising else top + 26
        sheet.rectangle(stem - 36, foot - 26, heavy + 72, 26, fill=ink)
    sheet.circle(660 if right else 140, 170, heavy * 0.62, fill=accent)
    sheet.path(f"M{620 if right else 60} 520a60 60 0 0 1 120 0z", fill=accent, opacity=0.85)


def pictograms(sheet: Sheet) -> None:
    """A page of small line icons on coloured tiles."""
    names = sheet.dice.sample(sorted(_PICTOGRAMS), 12)
    light = sheet.palette.ground
    for place, name in enumerate(names):
        x, y = 62 + place % 4 * 174, 51 + place // 4 * 174
        ink = sheet.ink()
        filled = sheet.dice.random() < 0.62
        look: dict[str, object] = (
            {"fill": ink}
            if filled
            else {"fill": "none", "stroke": ink, "stroke_width": 5, "stroke_opacity": 0.55}
        )
        sheet.rectangle(x, y, 152, 152, radius=36, **look)
        _PICTOGRAMS[name](sheet, x + 76, y + 76, light if filled else ink)


def _stroke(colour: str) -> dict[str, object]:
    return {
        "fill": "none",
        "stroke": colour,
        "stroke_width": 9,
        "stroke_linecap": "round",
        "stroke_linejoin": "round",
    }


def _outline(path: str) -> Callable[[Sheet, float, float, str], None]:
    """Return how to draw a path that is written around its own middle."""

    def draw(sheet: Sheet, x: float, y: float, colour: str) -> None:
        sheet.path(path, transform=f"translate({x:.0f} {y:.0f})", **_stroke(colour))

    return draw


def _sun(sheet: Sheet, x: float, y: float, colour: str) -> None:
    sheet.circle(x, y, 17, **_stroke(colour))
    for ray in range(8):
        sheet.line(around(x, y, 31, ray / 8), around(x, y, 42, ray / 8), **_stroke(colour))


_PICTOGRAMS: Final[dict[str, Callable[[Sheet, float, float, str], None]]] = {
    "sun": _sun,
    "house": _outline("M-36 0L0-34L36 0M-26-8V34H26V-8M-8 34V12H8V34"),
    "heart": _outline("M0 34C-60-6-26-48 0-18C26-48 60-6 0 34Z"),
    "drop": _outline("M0-40C34 0 28 36 0 36C-28 36-34 0 0-40Z"),
    "star": _outline("M0-40L11-13L39-11L17 7L25 35L0 19L-25 35L-17 7L-39-11L-11-13Z"),
    "cloud": _outline("M-24 26A20 20 0 0 1-22-13A26 26 0 0 1 27-8A17 17 0 0 1 26 26Z"),
    "leaf": _outline("M-30 32C-42-24 0-40 36-36C40 4 22 40-22 24M-34 40C-20 8 0-8 16-16"),
    "bell": _outline("M-32 22H32C22 10 24-2 22-14A22 22 0 0 0-22-14C-24-2-22 10-32 22ZM-8 36H8"),
    "eye": _outline(
        "M-42 0C-22-34 22-34 42 0C22 34-22 34-42 0ZM-13 0A13 13 0 1 0 13 0A13 13 0 1 0-13 0"
    ),
    "flag": _outline("M-26 40V-38M-26-34C-6-48 6-20 32-34V6C6 20-6-8-26 6"),
    "key": _outline("M-38 12A18 18 0 1 0-2 12A18 18 0 1 0-38 12M-6-2L34-38M16-22L30-8"),
    "anchor": _outline(
        "M0-22V38M-36 8C-32 30-14 38 0 38C14 38 32 30 36 8"
        "M-18-4H18M-10-32A10 10 0 1 0 10-32A10 10 0 1 0-10-32"
    ),
    "moon": _outline("M16-36A38 38 0 1 0 36 14A32 32 0 0 1 16-36Z"),
    "book": _outline(
        "M0-22C-14-34-30-32-40-28V30C-28 26-12 26 0 36C12 26 28 26 40 30V-28C30-32 14-34 0-22V36"
    ),
    "cup": _outline(
        "M-34-20H22V8A24 24 0 0 1-2 34H-10A24 24 0 0 1-34 8Z"
        "M22-10H30A12 12 0 0 1 30 14H21M-16-42V-32M4-42V-32"
    ),
    "pin": _outline(
        "M0 42C-22 12-30 0-30-12A30 30 0 0 1 30-12C30 0 22 12 0 42Z"
        "M-10-12A10 10 0 1 0 10-12A10 10 0 1 0-10-12"
    ),
}
