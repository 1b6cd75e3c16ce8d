import msgspec
import pytest

from commerce.storefront.rendering import as_json, initials, money, stock_left, sum_of, tone
from protocol.money import Money


class TestAPrice:
    @pytest.mark.parametrize(
        ("minor", "currency", "said"),
        [
            (0, "EUR", "Free"),
            (1999, "EUR", "€19.99"),
            (5, "USD", "$0.05"),
            (1_234_500, "GBP", "£12,345.00"),
            (900, "CHF", "CHF\u00a09.00"),
            (1_234_500, "JPY", "¥1,234,500"),
            (6_400, "KWD", "KWD\u00a06.400"),
            (7, "KWD", "KWD\u00a00.007"),
        ],
    )
    def test_is_said_as_people_do(self, minor, currency, said):
        assert money(Money(amount_minor=minor, currency=currency)) == said

    def test_of_nothing_is_a_sum_all_the_same(self):
        assert sum_of(Money(amount_minor=0, currency="EUR")) == "€0.00"
        assert sum_of(Money(amount_minor=-150, currency="EUR")) == "-€1.50"


class TestAStock:
    @pytest.mark.parametrize(
        ("stock", "said"),
        [(None, ""), (11, ""), (10, "Only 10 left"), (1, "Only 1 left"), (0, "Sold out")],
    )
    def test_is_said_only_when_it_runs_low(self, stock, said):
        assert stock_left(stock) == said


class TestInitials:
    @pytest.mark.parametrize(
        ("name", "letters"),
        [("Ada Lindqvist", "AL"), ("Ada", "A"), ("Jan van der Meer", "JM"), ("Bo Bo", "BB")],
    )
    def test_are_those_of_the_first_and_the_last_word(self, name, letters):
        assert initials(name) == letters


class TestATone:
    def test_is_always_the_same_for_one_thing(self):
        assert tone("usr_1") == tone("usr_1")
        assert {tone(f"usr_{number}") for number in range(40)} == set(range(8))


class TestDataInAPage:
    @pytest.mark.parametrize("text", ["</script><script>", "<!--", "a & b", "\u2028"])
    def test_cannot_end_its_element_and_comes_out_as_it_went_in(self, text):
        written = str(as_json({"text": text}))

        assert not set(written) & set("<>&\u2028\u2029")
        assert msgspec.json.decode(written) == {"text": text}
