"""Which kind of picture a product gets."""

from collections.abc import Callable, Mapping
from typing import Final

from commerce.seed.covers import blocks, landscapes, letters, waves
from commerce.seed.covers.drawing import Sheet

Style = Callable[[Sheet], None]

STYLES: Final[Mapping[str, tuple[Style, ...]]] = {
    "fonts": (letters.tiles, letters.glyph),
    "icons": (letters.pictograms,),
    "sounds": (waves.waveform, waves.record, waves.ridges),
    "books": (landscapes.paper_hills, landscapes.shelf),
    "courses": (blocks.stairs, blocks.journey, blocks.bloom),
    "game-assets": (blocks.sprites, blocks.facets),
    "presets": (landscapes.mountains, landscapes.aperture, landscapes.swatches),
    "tools": (waves.knobs, waves.pipes),
}
"""Category to its styles."""


def paint(category: str, slug: str) -> bytes:
    """Return the cover of a product as an SVG file."""
    sheet = Sheet(f"{category}/{slug}")
    sheet.dice.choice(STYLES[category])(sheet)
    return sheet.finish()
