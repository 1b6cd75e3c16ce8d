"""Whether promises are judged right, and what the report says; the asking is done by hand."""

import msgspec
import pytest
import trio
from rich.console import Console

from loadtest.commerce_bench.buyers import Cast, RefusedError
from loadtest.commerce_bench.kinds import KINDS, Kind, chosen
from loadtest.commerce_bench.measuring import Figure, Run, measure
from loadtest.commerce_bench.promises import VENDURE_PER_SECOND, judge
from loadtest.commerce_bench.telling import CommerceReport, print_report, to_markdown

RUN = Run(
    requests=100,
    failures=0,
    per_second=690.0,
    p50_ms=4.0,
    p95_ms=15.0,
    p99_ms=20.0,
    statements_max=3,
    core_ms=2.0,
)
FIGURE = Figure(name="product list of 50", buyers=4, busy=RUN, paced=RUN)


def with_run(**facts):
    return msgspec.structs.replace(FIGURE, paced=msgspec.structs.replace(RUN, **facts))


def missed(figure, smaller=None):
    return [one.name for one in judge([figure], smaller) if not one.held]


class TestAPromise:
    def test_is_kept_by_what_is_just_good_enough(self):
        assert missed(FIGURE) == []

    @pytest.mark.parametrize(
        ("facts", "what"),
        [
            ({"p95_ms": 15.1}, "p95 at 100/s"),
            ({"statements_max": 4}, "SQL statements of one answer"),
            ({"failures": 1}, "failed"),
            ({"requests": 0}, "failed"),
        ],
    )
    def test_is_broken_by_what_is_slow_or_refused(self, facts, what):
        assert missed(with_run(**facts)) == [f"product list of 50: {what}"]

    def test_of_a_rate_is_judged_without_a_pause(self):
        figure = Figure(name="webhook ingest", buyers=8, busy=RUN)
        slow = msgspec.structs.replace(RUN, per_second=499.0)

        assert missed(figure) == []
        assert missed(msgspec.structs.replace(figure, busy=slow)) == ["webhook ingest: a second"]

    def test_beside_vendure_asks_for_ten_times_its_checkouts(self):
        figure = Figure(name="whole checkout, one buyer", buyers=1, busy=RUN)
        enough, less = (
            msgspec.structs.replace(figure, busy=msgspec.structs.replace(RUN, per_second=rate))
            for rate in (50.0, 49.0)
        )

        assert missed(enough) == []
        assert missed(less) == ["whole checkout, one buyer: beside Vendure's 5/s"]

    @pytest.mark.parametrize(("p50_ms", "is_flat"), [(6.0, True), (6.1, False)])
    def test_of_a_list_is_that_more_rows_take_no_longer(self, p50_ms, is_flat):
        assert (missed(with_run(p50_ms=p50_ms), {FIGURE.name: FIGURE}) == []) is is_flat


class TestAReport:
    report = CommerceReport(
        note="10 orders",
        compared_with="",
        figures=[FIGURE],
        judgements=judge([FIGURE, with_run(p95_ms=99.0)]),
    )

    def test_says_what_was_missed(self):
        console = Console(record=True, width=160)

        print_report(self.report, console)

        assert console.export_text().count("NOT MET") == 1
        assert to_markdown(self.report).count("**not met**") == 1
        assert not self.report.passed

    def test_says_whose_figures_are_beside_it(self):
        assert "Vendure 3.7" in to_markdown(self.report)

    def test_is_read_again(self):
        assert msgspec.json.decode(msgspec.json.encode(self.report), type=CommerceReport)


class Somebody:
    def __init__(self):
        self.statements = 0
        self.prepared = 0


class TestMeasuring:
    async def test_counts_answers_statements_and_refusals(self, autojump_clock):
        somebody = Somebody()

        async def ask(_, buyer):
            await trio.sleep(0.01)
            buyer.statements = 7
            if trio.current_time() > began + 0.5:
                raise RefusedError("no more")

        began = trio.current_time()
        kind = Kind(name="a thing", ask=ask)
        cast = Cast(buyers=[somebody], staff=Somebody())
        figure = await measure(cast, kind, seconds=1.0, buyers=1, watched={})

        assert (figure.busy.requests, figure.busy.failures) == pytest.approx((50, 50), abs=1)
        assert figure.busy.statements_max == 7
        assert figure.busy.p50_ms == pytest.approx(10, rel=0.02)
        assert (figure.busy.failed_with, figure.paced) == ("no more", None)

    async def test_at_a_pace_counts_the_wait_for_those_before(self, autojump_clock):
        async def ask(_, __):
            await trio.sleep(0.02)

        kind = Kind(name="a thing", ask=ask, pace=100.0)
        cast = Cast(buyers=[Somebody()], staff=Somebody())
        figure = await measure(cast, kind, seconds=1.0, buyers=1, watched={})

        assert figure.paced.requests == 100
        assert figure.paced.p99_ms == pytest.approx(1010, rel=0.03)

    async def test_leaves_out_what_is_prepared(self, autojump_clock):
        async def prepare(_, buyer):
            await trio.sleep(1.0)
            buyer.prepared += 1

        async def ask(_, __):
            await trio.sleep(0.01)

        kind = Kind(name="a thing", ask=ask, prepare=prepare)
        somebody = Somebody()
        cast = Cast(buyers=[somebody], staff=Somebody())
        figure = await measure(cast, kind, seconds=3.0, buyers=1, watched={})

        assert somebody.prepared == figure.busy.requests
        assert figure.busy.p99_ms == pytest.approx(10, rel=0.02)


def test_every_kind_of_request_has_a_name_of_its_own():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert set(VENDURE_PER_SECOND) <= {kind.name for kind in KINDS}


def test_kinds_are_chosen_by_how_their_names_begin():
    assert [kind.name for kind in chosen(["webhook", "licence"])] == [
        "webhook ingest",
        "licence validate",
    ]
    assert chosen([]) == list(KINDS)
