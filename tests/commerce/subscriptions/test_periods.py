"""Periods keep their day and their time of day, whatever the calendar and the clocks do."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from commerce.subscriptions.model import Interval, boundary

ROME = "Europe/Rome"
ZONES = ("UTC", ROME, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")

moments = st.integers(min_value=1_577_836_800, max_value=2_840_140_800).map(
    lambda second: datetime.fromtimestamp(second, UTC)
)
intervals = st.builds(
    Interval,
    unit=st.sampled_from(("day", "week", "month", "year")),
    count=st.integers(min_value=1, max_value=24),
)
zones = st.sampled_from(ZONES)


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def local(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(timespec="minutes")


class TestABoundary:
    @given(anchor=moments, interval=intervals, zone=zones)
    def test_comes_after_the_one_before(self, anchor, interval, zone):
        found = [boundary(anchor, interval, number, time_zone=zone) for number in range(14)]

        assert found[0] == anchor
        assert all(early < late for early, late in pairwise(found))

    @given(anchor=moments, months=st.integers(1, 24), number=st.integers(1, 60), zone=zones)
    def test_keeps_the_day_of_the_month_or_takes_the_last_one(self, anchor, months, number, zone):
        interval = Interval(unit="month", count=months)
        begun = anchor.astimezone(ZoneInfo(zone))
        found = boundary(anchor, interval, number, time_zone=zone).astimezone(ZoneInfo(zone))

        assert found.day == min(begun.day, monthrange(found.year, found.month)[1])
        passed = (found.year - begun.year) * 12 + found.month - begun.month
        assert passed == months * number

    @given(anchor=moments, interval=intervals, number=st.integers(1, 60), zone=zones)
    def test_keeps_the_time_of_day_but_where_the_clocks_skip_it(
        self, anchor, interval, number, zone
    ):
        begun = anchor.astimezone(ZoneInfo(zone))
        found = boundary(anchor, interval, number, time_zone=zone).astimezone(ZoneInfo(zone))
        late = datetime.combine(found.date(), found.time()) - datetime.combine(
            found.date(), begun.time()
        )

        assert late in {timedelta(0), timedelta(hours=1), timedelta(minutes=30)}

    def test_is_the_last_day_of_short_months_and_never_drifts(self):
        month = Interval(unit="month", count=1)
        begun = at("2027-01-31T09:30")
        days = [boundary(begun, month, number, time_zone="UTC").day for number in range(13)]

        assert days == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]

    def test_is_the_28th_for_a_plan_of_the_29th_of_february_until_the_next_leap_year(self):
        year = Interval(unit="year", count=1)
        begun = at("2028-02-29T12:00")
        days = [boundary(begun, year, number, time_zone="UTC").day for number in range(5)]

        assert days == [29, 28, 28, 28, 29]

    def test_is_at_the_same_hour_of_the_sellers_day_in_summer_and_in_winter(self):
        month = Interval(unit="month", count=1)
        begun = at("2026-03-01T08:00", ROME)
        found = [boundary(begun, month, number, time_zone=ROME) for number in (1, 8)]

        assert [local(each, ROME) for each in found] == ["2026-04-01T08:00", "2026-11-01T08:00"]
        assert [each.hour for each in found] == [6, 7]

    @pytest.mark.parametrize(
        ("begun", "interval", "expected"),
        [
            ("2026-02-28T02:30", Interval(unit="month", count=1), "2026-03-28T02:30"),
            ("2026-03-28T02:30", Interval(unit="day", count=1), "2026-03-29T03:30"),
            ("2026-03-22T02:30", Interval(unit="week", count=1), "2026-03-29T03:30"),
            ("2026-10-24T02:30", Interval(unit="day", count=1), "2026-10-25T02:30"),
        ],
    )
    def test_of_a_time_that_is_skipped_is_later_and_of_one_that_comes_twice_is_the_first(
        self, begun, interval, expected
    ):
        found = boundary(at(begun, ROME), interval, 1, time_zone=ROME)

        assert local(found, ROME) == expected
        assert found.astimezone(ZoneInfo(ROME)).fold == 0

    def test_belongs_to_the_sellers_day_and_not_to_that_of_utc(self):
        month = Interval(unit="month", count=1)
        begun = at("2026-01-31T23:30", "America/New_York")  # already February in UTC

        found = boundary(begun, month, 1, time_zone="America/New_York")

        assert local(found, "America/New_York") == "2026-02-28T23:30"
