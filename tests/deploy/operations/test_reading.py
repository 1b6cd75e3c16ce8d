"""Numbers of `/metrics` pages: rates and quantiles between two looks."""

from math import isnan

import pytest

from deploy.operations.reading import Reading

PAGE = """
# TYPE sent counter
sent_total{code="1"} %s
sent_total{code="2"} 10.0
# TYPE lag histogram
lag_bucket{le="0.1"} %s
lag_bucket{le="0.2"} %s
lag_bucket{le="+Inf"} %s
lag_count %s
lag_sum 1.0
"""


def page(sent=0.0, first=0.0, second=0.0, every=0.0):
    return PAGE % (sent, first, second, every, every)


class TestAReading:
    def test_adds_up_labels_and_processes(self):
        reading = Reading(page(sent=5), page(sent=7))

        assert reading.value("sent_total") == 32
        assert reading.value("sent_total", "code", "1") == 12
        assert dict(reading.labelled("sent_total", "code")) == {"1": 12, "2": 20}
        assert reading.value("unheard_of") == 0

    def test_gives_the_rate_of_a_counter(self):
        assert Reading(page(sent=25)).rate(Reading(page(sent=5)), "sent_total", seconds=2) == 10

    def test_takes_a_counter_that_fell_for_a_process_that_began_anew(self):
        assert Reading(page(sent=3)).rate(Reading(page(sent=99)), "sent_total", seconds=1) == 13

    def test_gives_quantiles_of_what_was_measured_in_between(self):
        before, now = Reading(page(first=100, second=100, every=100)), page(110, 110, 120, 120)

        assert Reading(now).quantile(before, "lag", 0.5) == pytest.approx(0.1)
        assert Reading(now).quantile(before, "lag", 0.75) == pytest.approx(0.15)

    def test_says_no_more_than_its_highest_bound(self):
        assert Reading(page(every=5)).quantile(Reading(page()), "lag", 0.99) == 0.2

    def test_knows_no_quantile_of_nothing(self):
        assert isnan(Reading(page()).quantile(Reading(page()), "lag", 0.5))
        assert isnan(Reading(page()).quantile(Reading(page()), "unheard_of", 0.5))
