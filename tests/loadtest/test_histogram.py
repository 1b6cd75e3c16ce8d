import math

import pytest
from hypothesis import given, strategies as st

from loadtest.histogram import BUCKETS_MAX, LARGEST_SECONDS, RELATIVE_ERROR, Histogram
from loadtest.summary import curve, summarize

durations = st.lists(
    st.floats(min_value=1e-6, max_value=LARGEST_SECONDS, allow_nan=False), min_size=1, max_size=300
)


def recorded(seconds):
    histogram = Histogram()
    for one in seconds:
        histogram.record(one)
    return histogram


class TestAHistogram:
    @given(durations, st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 1.0]))
    def test_is_at_most_one_percent_away_from_the_true_quantile(self, seconds, share):
        true = sorted(seconds)[max(0, math.ceil(share * len(seconds)) - 1)]

        assert recorded(seconds).quantile(share) == pytest.approx(true, rel=RELATIVE_ERROR * 1.001)

    @given(durations, durations)
    def test_merged_with_another_is_as_if_one_had_recorded_everything(self, mine, theirs):
        merged = Histogram.merged([recorded(mine), recorded(theirs)])
        whole = recorded(mine + theirs)

        assert merged.counts().buckets == whole.counts().buckets
        assert merged.largest_seconds == whole.largest_seconds
        assert merged.count == len(mine) + len(theirs)

    def test_survives_a_journey_between_processes(self):
        histogram = recorded([0.001, 0.5, 3.0])

        arrived = Histogram.from_counts(histogram.counts())

        assert arrived.quantile(0.5) == histogram.quantile(0.5)
        assert arrived.count == 3

    def test_has_bounded_memory_whatever_it_is_told(self):
        histogram = recorded([10.0 ** (power / 50) for power in range(-600, 600)])

        assert len(histogram.counts().buckets) <= BUCKETS_MAX

    def test_keeps_the_exact_extremes_of_what_lies_outside_its_range(self):
        histogram = recorded([0.0, 5000.0])

        assert histogram.largest_seconds == 5000.0
        assert histogram.smallest_seconds == 0.0

    def test_knows_nothing_while_it_is_empty(self):
        assert math.isnan(Histogram().quantile(0.5))
        assert math.isnan(Histogram().mean())


class TestASummary:
    def test_is_in_milliseconds(self):
        summary = summarize(recorded([0.010] * 100))

        assert summary.p95_ms == pytest.approx(10, rel=0.01)
        assert summary.max_ms == 10

    def test_of_nothing_is_zero(self):
        assert summarize(Histogram()).count == 0

    def test_becomes_a_curve_in_order_of_time(self):
        points = curve({3: recorded([0.2]), 1: recorded([0.1])}, seconds_per_point=2)

        assert [point.second for point in points] == [2, 6]
