import pytest

from commerce.catalog.model import SearchText, media_url, parse_search, room_of
from protocol.ids import ProductId


class TestWhatWasTypedIntoTheSearchBox:
    @pytest.mark.parametrize(
        ("text", "whole", "prefix"),
        [
            ("gro", "", "gro"),
            ("Halden Gro", "Halden", "gro"),
            ("  warm   serif ", "warm", "serif"),
            ("sci-fi", "", "sci-fi"),
            ("überse", "", "überse"),
        ],
    )
    def test_ends_in_a_word_that_is_still_being_typed(self, text, whole, prefix):
        assert parse_search(text) == SearchText(whole=whole, prefix=prefix)

    @pytest.mark.parametrize(
        "text", ['"warm serif"', '"warm ser', "serif -mono", "serif or", "serif!", "!!"]
    )
    def test_is_taken_whole_where_it_uses_the_query_language(self, text):
        assert parse_search(text) == SearchText(whole=text, prefix="")

    @pytest.mark.parametrize("text", ["", "   ", "\x00"])
    def test_may_be_nothing(self, text):
        assert parse_search(text) is None


class TestAProduct:
    def test_is_talked_about_in_the_room_of_its_own_number(self):
        product = ProductId("prd_01JD0000000000000000000001")

        assert room_of(product) == "rom_01JD0000000000000000000001"

    def test_has_its_picture_among_the_media(self):
        assert media_url("covers/abc.svg") == "/media/covers/abc.svg"
        assert media_url(None) is None
