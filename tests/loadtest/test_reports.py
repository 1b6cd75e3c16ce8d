import io
import re

import msgspec
import pytest
from rich.console import Console

from loadtest.__main__ import _status
from loadtest.display import Display, describe
from loadtest.model import ReferenceModel
from loadtest.page import to_html
from loadtest.recorder import Measure, Recorder, merge, seconds_per_point
from loadtest.report import Report, print_report, to_json, write_up
from loadtest.verdict import judge
from protocol.topics import Position
from tests.loadtest.builders import (
    TOPIC,
    a_course,
    a_progress,
    a_result,
    a_sighting,
    some_circumstances,
)


def a_report(*, broken=False, circumstances=None, course=None, **result):
    model = ReferenceModel()
    model.starts(1, TOPIC, Position("e1", 0))
    model.sees(1, a_sighting(1))
    if broken:
        model.sees(1, a_sighting(1))
    results = [a_result(model, **result)]
    verdict = judge([results[0].findings], {})
    course = course or a_course()
    return write_up(circumstances or some_circumstances(), results, verdict, course=course)


def printed(report):
    console = Console(file=io.StringIO(), width=120, no_color=True)
    print_report(report, console)
    return console.file.getvalue()


class TestTheTargets:
    def test_hold_for_a_fast_and_correct_run(self):
        report = a_report()

        assert report.passed
        assert _status(report) == 0

    def test_are_missed_when_something_takes_too_long(self):
        report = a_report(seconds=2.0)

        assert not report.passed
        assert _status(report) == 1

    def test_are_missed_when_one_event_came_twice_however_fast(self):
        report = a_report(broken=True)

        assert not report.passed
        assert [target.held for target in report.targets].count(False) == 1

    def test_are_missed_when_a_user_could_not_connect(self):
        assert not a_report(users_ready=0).passed

    def test_are_missed_when_more_than_one_request_in_a_thousand_failed(self):
        assert a_report(failures={"GET /v1/products 500": 1}).passed
        assert not a_report(failures={"GET /v1/products 500": 2}).passed

    def test_do_not_judge_what_never_happened(self):
        report = a_report(durations=0)

        assert report.passed
        assert len(report.targets) == 3

    def test_give_no_status_of_success_to_a_run_that_was_interrupted(self):
        assert _status(a_report(circumstances=some_circumstances(interrupted=True))) == 130


class TestTheTextReport:
    def test_shows_latencies_targets_and_the_verdict(self):
        text = printed(a_report())

        assert "chat message: send to committed" in text
        assert "≤ 200 ms" in text
        assert text.rstrip().endswith("Passed")

    def test_names_what_went_wrong(self):
        text = printed(a_report(broken=True, failures={"GET /v1/products 500": 3}))

        assert "1 doubled: an event reached a listener twice" in text
        assert "3 failed: GET /v1/products 500" in text
        assert text.rstrip().endswith("Failed")

    def test_says_when_it_is_partial(self):
        text = printed(a_report(circumstances=some_circumstances(interrupted=True)))

        assert "partial" in text


class TestTheJsonReport:
    def test_holds_everything_the_report_does(self):
        report = a_report()

        assert msgspec.json.decode(to_json(report), type=Report) == report


class TestTheHtmlPage:
    def test_has_one_chart_a_measure_and_needs_nothing_from_outside(self):
        page = to_html(a_report())

        assert page.count("<svg") == len(Measure) + len(["deliveries", "memory", "processors"])
        assert "<script" not in page
        assert not re.search(r"(?:src|href)=", page)

    def test_follows_the_colors_of_the_system(self):
        assert "prefers-color-scheme: dark" in to_html(a_report())

    def test_leaves_out_what_was_not_measured(self):
        model = ReferenceModel()
        result = msgspec.structs.replace(a_result(model), measured={})
        verdict = judge([result.findings], {})
        report = write_up(some_circumstances(), [result], verdict, course=a_course())

        assert to_html(report).count("<svg") == len(["deliveries", "memory", "processors"])

    def test_shows_violations_without_trusting_them(self):
        report = a_report(broken=True)
        hostile = msgspec.structs.replace(report, first_trouble="<script>alert(1)</script>")

        page = to_html(hostile)

        assert "1 doubled" in page
        assert "<script" not in page


class TestTheProgressLine:
    def test_says_how_all_workers_together_get_on(self):
        line = describe([a_progress(), a_progress(violations=2)])

        assert "2 connected" in line
        assert "6/8 commands" in line
        assert "2 wrong" in line
        assert "commit p95 20 ms" in line

    def test_comes_only_now_and_then_when_piped(self):
        console = Console(file=io.StringIO(), force_terminal=False, width=200)
        display = Display(console)
        display.says("everybody is here", seconds=60)
        for _ in range(10):
            display.progress([a_progress()])
        display.close()

        assert len(console.file.getvalue().splitlines()) == 1

    def test_stays_one_line_on_a_terminal(self):
        console = Console(file=io.StringIO(), force_terminal=True, width=80)
        display = Display(console)
        display.says("signing in 5 users")
        display.signed_in(3, 5)
        display.close()

        assert "3 of 5" in console.file.getvalue()


class TestTheRecorder:
    def test_tells_the_whole_run_and_each_moment_apart(self):
        moment = [100.0]
        recorder = Recorder(began_at=100, now=lambda: moment[0], seconds_per_point=1)
        recorder.record(Measure.REST, 0.1)
        moment[0] = 103.5
        recorder.record(Measure.REST, 0.3)

        merged = merge([recorder.counts(), recorder.counts()])[Measure.REST]

        assert merged.whole.count == 4
        assert sorted(merged.series) == [0, 3]
        assert recorder.recent(Measure.REST).count == 1
        assert recorder.count(Measure.REST) == 2

    @pytest.mark.parametrize(("run_seconds", "expected"), [(1, 1), (600, 1), (601, 2), (3600, 6)])
    def test_keeps_curves_short(self, run_seconds, expected):
        assert seconds_per_point(run_seconds) == expected
