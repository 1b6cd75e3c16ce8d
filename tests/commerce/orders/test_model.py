from typing import get_args

from hypothesis import given, strategies as st

from commerce.orders.model import FACTS, FactName, order_number, show
from tests.commerce.orders.builders import a_line, an_order


class TestTheTotalOfAnOrder:
    @given(
        bought=st.lists(
            st.tuples(st.integers(1, 99), st.integers(0, 10**12)), min_size=1, max_size=50
        )
    )
    def test_is_the_sum_of_its_lines_to_the_cent(self, bought):
        lines = [a_line(at, quantity=many, price=price) for at, (many, price) in enumerate(bought)]
        shown = show(an_order(lines=lines))

        assert shown.total.amount_minor == sum(many * price for many, price in bought)
        assert shown.total.amount_minor == sum(line.total.amount_minor for line in shown.lines)

    def test_is_free_only_when_everything_in_it_is(self):
        assert an_order(lines=[a_line(1, price=0), a_line(2, price=0)]).is_free
        assert not an_order(lines=[a_line(1, price=0), a_line(2, price=1)]).is_free


class TestWhatAnOrderTells:
    def test_has_an_event_of_its_own_for_each_fact(self):
        assert {name: kind.__struct_config__.tag for name, kind in FACTS.items()} == {
            name: name for name in get_args(FactName)
        }


class TestTheNumberOfAnOrder:
    def test_can_be_read_out(self):
        assert order_number(2026, 123) == "R-2026-000123"

    def test_outgrows_its_zeros(self):
        assert order_number(2026, 1_234_567) == "R-2026-1234567"
