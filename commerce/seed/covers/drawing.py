"""A sheet to draw on: shapes become SVG, colours come from palettes."""

import math
import random
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

WIDTH: Final = 800
HEIGHT: Final = 600

Point = tuple[float, float]


class Palette(msgspec.Struct, frozen=True):
    """A ground, and inks that go together on it, from the loudest to the softest."""

    ground: str
    inks: tuple[str, ...]


PALETTES: Final[tuple[Palette, ...]] = (
    Palette("#f4ede4", ("#d1495b", "#1f3a5f", "#edae49", "#66a182", "#2e4057")),
    Palette("#10233b", ("#ff8552", "#f5e9cf", "#4fb3bf", "#e8c547", "#2f4b6e")),
    Palette("#fbf7ef", ("#264653", "#e76f51", "#2a9d8f", "#e9c46a", "#f4a261")),
    Palette("#1b1b2f", ("#f67280", "#c06c84", "#f8b195", "#6c5b7b", "#355c7d")),
    Palette("#e9f1ee", ("#1d5c63", "#417d7a", "#ef6f4c", "#edbf69", "#1a3c40")),
    Palette("#231942", ("#be95c4", "#9f86c0", "#ffb4a2", "#e0b1cb", "#5e548e")),
    Palette("#fff4e0", ("#bf4342", "#8c1c13", "#e7a977", "#3f612d", "#735751")),
    Palette("#0f2e2e", ("#f2d492", "#f29559", "#b8b08d", "#63a088", "#2c5c56")),
    Palette("#edf2fb", ("#3d5a98", "#ff6b6b", "#7b9acc", "#ffd166", "#22335b")),
    Palette("#2b2118", ("#f7c59f", "#efefd0", "#e2711d", "#7a9e9f", "#6b4226")),
    Palette("#f0efeb", ("#3c3c3b", "#d9573c", "#8ea4a2", "#d8b26e", "#5f7470")),
    Palette("#0b132b", ("#5bc0be", "#ffd6a5", "#6fffe9", "#ff8fa3", "#3a506b")),
)


class Sheet:
    """One picture in the making. Later shapes lie above earlier ones."""

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - art needs no secrets
        self.palette = self.dice.choice(PALETTES)
        self._shapes: list[str] = []
        self._definitions: list[str] = []
        self.rectangle(0, 0, WIDTH, HEIGHT, fill=self.palette.ground)

    def ink(self) -> str:
        """Return one of the palette's inks."""
        return self.dice.choice(self.palette.inks)

    def shuffled_inks(self) -> list[str]:
        """Return all inks, in some order."""
        return self.dice.sample(self.palette.inks, len(self.palette.inks))

    def rectangle(
        self, x: float, y: float, width: float, height: float, *, radius: float = 0, **look: object
    ) -> None:
        """Draw a rectangle, with rounded corners if `radius` is given."""
        rounded = f' rx="{_number(radius)}"' if radius else ""
        self._shapes.append(
            f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(width)}"'
            f' height="{_number(height)}"{rounded}{_attributes(look)}/>'
        )

    def circle(self, x: float, y: float, radius: float, **look: object) -> None:
        """Draw a circle around a point."""
        self._shapes.append(
            f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"'
            f"{_attributes(look)}/>"
        )

    def polygon(self, points: Iterable[Point], **look: object) -> None:
        """Draw a closed shape with straight sides."""
        corners = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._shapes.append(f'<polygon points="{corners}"{_attributes(look)}/>')

    def path(self, outline: str, **look: object) -> None:
        """Draw an outline written in SVG's own path language."""
        self._shapes.append(f'<path d="{outline}"{_attributes(look)}/>')

    def line(self, start: Point, end: Point, **look: object) -> None:
        """Draw a straight line."""
        self.path(f"M{_pair(start)}L{_pair(end)}", **look)

    def gradient(self, *colours: str, angle: int = 90) -> str:
        """Define a linear gradient and return what to fill with."""
        name = f"g{len(self._definitions)}"
        stops = "".join(
            f'<stop offset="{_number(place / (len(colours) - 1))}" stop-color="{colour}"/>'
            for place, colour in enumerate(colours)
        )
        self._definitions.append(
            f'<linearGradient id="{name}" gradientTransform="rotate({angle} .5 .5)">'
            f"{stops}</linearGradient>"
        )
        return f"url(#{name})"

    def finish(self) -> bytes:
        """Return the picture as an SVG file."""
        definitions = f"<defs>{''.join(self._definitions)}</defs>" if self._definitions else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            f' width="{WIDTH}" height="{HEIGHT}">{definitions}{"".join(self._shapes)}</svg>'
        ).encode()


def smooth(points: Sequence[Point]) -> str:
    """Return an outline that passes through all points without corners."""
    outline = [f"M{_pair(points[0])}"]
    for before, point, following, after in _neighbours(points):
        first = (
            point[0] + (following[0] - before[0]) / 6,
            point[1] + (following[1] - before[1]) / 6,
        )
        second = (
            following[0] - (after[0] - point[0]) / 6,
            following[1] - (after[1] - point[1]) / 6,
        )
        outline.append(f"C{_pair(first)} {_pair(second)} {_pair(following)}")
    return "".join(outline)


def around(x: float, y: float, radius: float, turn: float) -> Point:
    """Return the point on a circle at `turn`, in full turns from the right, clockwise."""
    return (x + radius * math.cos(turn * math.tau), y + radius * math.sin(turn * math.tau))


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour between two: `share` of the other."""
    parts = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def _neighbours(points: Sequence[Point]) -> Iterable[tuple[Point, Point, Point, Point]]:
    for at in range(len(points) - 1):
        yield (
            points[max(at - 1, 0)],
            points[at],
            points[at + 1],
            points[min(at + 2, len(points) - 1)],
        )


def _attributes(look: dict[str, object]) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{_number(value) if isinstance(value, float) else value}"'
        for name, value in look.items()
    )


def _pair(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    places = 2 if abs(value) < 1 else 1
    return f"{value:.{places}f}".rstrip("0").rstrip(".") if value != int(value) else str(int(value))
