"""What a part of a period is worth comes to the whole, to the last minor unit."""

from datetime import timedelta

from hypothesis import given, strategies as st

from commerce.subscriptions.model import prorate, split_at
from tests.commerce.subscriptions.builders import MORNING

amounts = st.integers(min_value=0, max_value=10**12)
seconds = st.integers(min_value=0, max_value=400 * 86_400)


class TestSplitting:
    @given(amount=amounts, length=seconds, passed=st.integers(-(10**6), 10**8))
    def test_gives_parts_that_come_to_the_whole(self, amount, length, passed):
        end = MORNING + timedelta(seconds=length)
        past, left = split_at(amount, MORNING, MORNING + timedelta(seconds=passed), end)

        assert past + left == amount
        assert past >= 0
        assert left >= 0

    @given(amount=amounts, length=seconds, one=seconds, other=seconds)
    def test_leaves_less_the_later_it_is(self, amount, length, one, other):
        early, late = (MORNING + timedelta(seconds=each) for each in sorted((one, other)))
        end = MORNING + timedelta(seconds=length)

        assert split_at(amount, MORNING, early, end)[1] >= split_at(amount, MORNING, late, end)[1]

    def test_leaves_all_before_and_nothing_after(self):
        end = MORNING + timedelta(days=30)

        assert split_at(900, MORNING, MORNING, end) == (0, 900)
        assert split_at(900, MORNING, MORNING + timedelta(days=10), end) == (300, 600)
        assert split_at(900, MORNING, end, end) == (900, 0)


class TestProrating:
    @given(unused=amounts, charge=amounts, credit=amounts)
    def test_neither_makes_money_nor_loses_any(self, unused, charge, credit):
        found = prorate(unused_minor=unused, charge_minor=charge, credit_minor=credit)

        assert found.due_minor >= 0
        assert found.credit_after_minor >= 0
        assert unused + credit + found.due_minor == charge + found.credit_after_minor

    @given(unused=amounts, charge=amounts)
    def test_of_a_change_there_and_back_at_once_is_nothing(self, unused, charge):
        there = prorate(unused_minor=unused, charge_minor=charge, credit_minor=0)
        back = prorate(
            unused_minor=charge, charge_minor=unused, credit_minor=there.credit_after_minor
        )

        assert back.due_minor == 0
        assert back.credit_after_minor == there.due_minor

    def test_charges_the_difference_for_what_is_left_of_the_period(self):
        found = prorate(unused_minor=500, charge_minor=1500, credit_minor=200)

        assert (found.due_minor, found.credit_used_minor) == (800, 700)
