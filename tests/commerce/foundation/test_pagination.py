"""Keyset pages and their cursors."""

import msgspec
import pytest
from hypothesis import given, strategies as st

from commerce.foundation.errors import InvalidRequestError
from commerce.foundation.pagination import PageQuery, decode_cursor, encode_cursor, page_of


class Key(msgspec.Struct, frozen=True, kw_only=True):
    at: int
    id: str


def keys(count):
    return [Key(at=number, id=f"id_{number}") for number in range(count)]


class TestAPage:
    def test_gives_the_cursor_of_the_next(self):
        page = page_of(keys(4), limit=3, key=lambda item: item)

        assert page.items == keys(3)
        assert decode_cursor(Key, page.next) == keys(3)[-1]

    def test_is_the_last_when_nothing_follows(self):
        assert page_of(keys(3), limit=3, key=lambda item: item).next is None

    def test_may_be_empty(self):
        assert page_of([], limit=3, key=lambda item: item).next is None


class TestACursor:
    @given(at=st.integers(min_value=-(2**63), max_value=2**63 - 1), identity=st.text(max_size=50))
    def test_comes_back_as_it_was(self, at, identity):
        key = Key(at=at, id=identity)

        assert decode_cursor(Key, encode_cursor(key)) == key

    @given(text=st.text(max_size=60))
    def test_that_is_not_ours_is_refused(self, text):
        try:
            decode_cursor(Key, text)
        except InvalidRequestError:
            return
        pytest.fail("it was taken")


class TestAPageQuery:
    @pytest.mark.parametrize("limit", [0, 101, -1])
    def test_refuses_a_limit_out_of_bounds(self, limit):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"limit": str(limit)}, PageQuery, strict=False)
