import re
import xml.etree.ElementTree as ET

import pytest

from commerce.seed.content.shelves import SHELVES, read_shelves
from commerce.seed.covers.drawing import Sheet
from commerce.seed.covers.gallery import STYLES, paint

COVER_BYTES_MAX = 64 * 1024
STYLE_LIST = [style for styles in STYLES.values() for style in styles]


def painted(style, seed="a seed"):
    sheet = Sheet(seed)
    style(sheet)
    return sheet.finish()


class TestACover:
    @pytest.mark.parametrize("style", STYLE_LIST, ids=lambda style: style.__name__)
    def test_is_a_small_picture_that_runs_and_loads_nothing(self, style):
        for seed in ("one", "two", "three"):
            picture = painted(style, seed)

            assert len(picture) <= COVER_BYTES_MAX
            root = ET.fromstring(picture)  # noqa: S314 - drawn by ourselves
            assert root.get("viewBox") == "0 0 800 600"
            tags = {element.tag.rpartition("}")[2] for element in root.iter()}
            assert tags <= {
                "svg", "defs", "linearGradient", "stop", "rect", "circle", "polygon", "path",
            }  # fmt: skip
            assert not re.search(rb"nan|inf|href|style=|on[a-z]+=", picture)

    @pytest.mark.parametrize("style", STYLE_LIST, ids=lambda style: style.__name__)
    def test_comes_out_the_same_every_time(self, style):
        assert painted(style) == painted(style)

    @pytest.mark.parametrize("category", SHELVES)
    def test_differs_from_every_other(self, category):
        pictures = [paint(category, f"product-{number}") for number in range(20)]

        assert len(set(pictures)) == 20

    def test_is_there_for_every_category(self):
        assert {shelf.slug for shelf in read_shelves()} == set(STYLES)
