"""Billing periods: month ends, leap years, and shares of them."""

from calendar import timegm
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from deploy.stripe_standin.billing.discounts import spread
from deploy.stripe_standin.billing.periods import moment_after, period_at, share

ANCHORS = st.integers(timegm((2024, 1, 1, 0, 0, 0)), timegm((2030, 1, 1, 0, 0, 0)))
INTERVALS = st.sampled_from(["day", "week", "month", "year"])


def moment(year, month, day):
    return timegm((year, month, day, 9, 30, 0))


class TestAPeriod:
    @pytest.mark.parametrize(
        ("count", "end"),
        [(1, (2028, 2, 29)), (2, (2028, 3, 31)), (3, (2028, 4, 30)), (13, (2029, 2, 28))],
    )
    def test_ends_on_the_last_day_where_the_month_is_too_short(self, count, end):
        assert moment_after(moment(2028, 1, 31), "month", count) == moment(*end)

    def test_of_a_year_from_a_leap_day_ends_on_the_28th(self):
        assert moment_after(moment(2028, 2, 29), "year", 1) == moment(2029, 2, 28)
        assert moment_after(moment(2028, 2, 29), "year", 4) == moment(2032, 2, 29)

    @given(ANCHORS, INTERVALS, st.integers(1, 6), st.integers(0, 4 * 366 * 24 * 3600))
    def test_holds_its_moment_and_touches_the_next(self, anchor, interval, every, later):
        start, end = period_at(anchor, interval, every, anchor + later)

        assert anchor <= start <= anchor + later < end
        assert period_at(anchor, interval, every, end)[0] == end

    @given(ANCHORS, st.integers(0, 60))
    def test_keeps_the_time_of_day(self, anchor, count):
        before = datetime.fromtimestamp(anchor, UTC).time()

        assert datetime.fromtimestamp(moment_after(anchor, "month", count), UTC).time() == before


class TestAShare:
    @given(st.integers(-(10**8), 10**8), st.integers(0, 1000), st.integers(1, 1000))
    def test_and_the_rest_are_the_whole_to_a_unit(self, amount, part, more):
        whole = part + more

        assert abs(share(amount, part, whole) + share(amount, more, whole) - amount) <= 1

    @given(st.integers(0, 10**6), st.lists(st.integers(0, 10**4), min_size=1, max_size=9))
    def test_of_a_discount_adds_up(self, amount, weights):
        parts = spread(amount, weights)

        assert sum(parts) == (amount if sum(weights) else 0)
