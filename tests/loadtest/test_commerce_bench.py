import msgspec
import pytest
from rich.console import Console

from loadtest.commerce_bench import KINDS, Figure, print_figures

FIGURE = Figure(
    name="product list of 50",
    requests=100,
    failures=0,
    per_second=200.0,
    p50_ms=4.0,
    p95_ms=15.0,
    p99_ms=20.0,
    statements_max=3,
    target_p95_ms=15.0,
)


class TestATarget:
    def test_is_met_by_what_is_just_fast_enough(self):
        assert FIGURE.is_met

    @pytest.mark.parametrize("wrong", [{"p95_ms": 15.1}, {"failures": 1}, {"requests": 0}])
    def test_is_missed_by_what_is_slow_or_refused(self, wrong):
        assert not msgspec.structs.replace(FIGURE, **wrong).is_met

    def test_that_is_missed_is_said_so(self):
        console = Console(record=True, width=120)

        print_figures([FIGURE, msgspec.structs.replace(FIGURE, p95_ms=99.0)], console)

        assert console.export_text().count("missed") == 1


def test_every_kind_of_request_has_a_name_of_its_own():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
