import os

import pytest

from loadtest.memory import GROWTH_BYTES_MIN, KEPT_BYTES_PER_COMMAND, judge_growth
from loadtest.timeline import cpu_shares, mean_rate, rate_curve, strangers_share
from loadtest.watching import look_at, machine_busy_seconds
from tests.loadtest.builders import a_moment

MEGA = 2**20


def a_run(size_at, *, name="gateway-1", seconds=300, commands_a_second=0):
    return [
        a_moment(second, sizes={name: size_at(second)}, commands=second * commands_a_second)
        for second in range(seconds + 1)
    ]


def judged(moments, *, until=300):
    return judge_growth(moments, busy_from=0, busy_until=until)


class TestMemory:
    def test_that_grows_in_the_first_minute_only_is_well(self):
        growths = judged(a_run(lambda second: 100 * MEGA + min(second, 60) * MEGA))

        assert [growth.held for growth in growths] == [True]
        assert growths[0].gained_bytes == 0

    def test_that_goes_on_growing_is_not(self):
        growths = judged(a_run(lambda second: 100 * MEGA + second * MEGA // 10))

        assert [growth.held for growth in growths] == [False]
        assert growths[0].gained_bytes > GROWTH_BYTES_MIN

    def test_that_stands_still_but_for_one_moment_is_well(self):
        growths = judged(a_run(lambda second: 900 * MEGA if second == 290 else 100 * MEGA))

        assert growths[0].held

    def test_of_the_store_may_hold_what_it_was_given_to_keep(self):
        def size_at(second):
            return 100 * MEGA + second * 100 * KEPT_BYTES_PER_COMMAND

        assert judged(a_run(size_at, name="valkey", commands_a_second=100))[0].held
        assert not judged(a_run(size_at, name="worker", commands_a_second=100))[0].held

    def test_is_not_judged_in_a_short_run(self):
        assert judged(a_run(lambda second: second * MEGA, seconds=90), until=90) == ()

    def test_of_the_harness_itself_is_not_judged(self):
        assert judged(a_run(lambda second: second * MEGA, name="load-1")) == ()

    def test_is_not_judged_where_a_process_was_started_again(self):
        moments = [
            *a_run(lambda _: 100 * MEGA, seconds=150),
            *(a_moment(second, sizes={"gateway-1": MEGA}, pid=8) for second in range(151, 301)),
        ]

        assert judged(moments) == ()


class TestTheTimeline:
    def test_tells_how_fast_a_count_grew(self):
        moments = [a_moment(second) for second in (0, 1, 3)]

        curve = rate_curve(moments, lambda moment: moment.events_seen)

        assert [(point.second, point.value) for point in curve] == [(1, 10), (3, 10)]

    @pytest.mark.parametrize("moments", [[], [a_moment(1)]])
    def test_tells_no_rate_where_there_is_none(self, moments):
        assert mean_rate(moments, lambda moment: moment.requests, since=0, until=9) is None

    def test_tells_the_cores_a_process_kept_busy(self):
        moments = [a_moment(second, sizes={"web": MEGA}) for second in range(11)]

        assert cpu_shares(moments, since=0, until=10) == {"web": 0.25}

    def test_tells_what_other_programs_took(self):
        moments = [a_moment(second, sizes={"web": MEGA}) for second in range(11)]

        assert strangers_share(moments, since=0, until=10) == 1.25


class TestLookingAtProcesses:
    def test_tells_what_a_living_one_uses_and_leaves_a_dead_one_out(self):
        found = look_at({"us": os.getpid(), "nobody": 2**22 - 1})

        assert found.keys() == {"us"}
        assert 0 < found["us"].private_bytes <= found["us"].resident_bytes
        assert found["us"].cpu_seconds > 0

    def test_tells_how_long_the_machine_has_worked(self):
        assert 0 < machine_busy_seconds() <= machine_busy_seconds()

    def test_counts_children_with_their_parent_unless_it_is_to_be_seen_alone(self):
        together = look_at({"us": os.getpid()})["us"]
        alone = look_at({"us": os.getpid()}, alone=frozenset({"us"}))["us"]

        assert alone.resident_bytes <= together.resident_bytes
