import pytest
from hypothesis import given, strategies as st

from protocol.money import decimals, written


class TestACurrency:
    @pytest.mark.parametrize(
        ("currency", "places"), [("JPY", 0), ("KRW", 0), ("EUR", 2), ("HUF", 2), ("KWD", 3)]
    )
    def test_has_the_decimals_of_the_standard(self, currency, places):
        assert decimals(currency) == places


class TestAnAmount:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            (1999, "EUR", "19.99"),
            (5, "EUR", "0.05"),
            (0, "EUR", "0.00"),
            (-120, "EUR", "-1.20"),
            (1999, "JPY", "1999"),
            (0, "JPY", "0"),
            (6400, "KWD", "6.400"),
            (-7, "KWD", "-0.007"),
        ],
    )
    def test_is_written_with_a_point(self, amount, currency, text):
        assert written(amount, currency) == text

    @given(amount=st.integers(), currency=st.sampled_from(("JPY", "EUR", "KWD")))
    def test_can_be_read_back_from_what_was_written(self, amount, currency):
        assert int(written(amount, currency).replace(".", "")) == amount
