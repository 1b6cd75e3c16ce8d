"""`rialto bench`: small parts by themselves, and Rialto beside other servers."""

from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console

from loadtest.bench import BENCHMARKS, print_results, run_benchmarks
from loadtest.comparison.contenders import CONTENDERS, RIALTO
from loadtest.comparison.dialects import UnwelcomeError
from loadtest.comparison.drawing import to_svg
from loadtest.comparison.peers import PeersUnavailableError
from loadtest.comparison.results import Comparison
from loadtest.comparison.scenery import Size
from loadtest.comparison.servers import ServerDiedError
from loadtest.comparison.suite import SUITE, compare
from loadtest.comparison.surroundings import Surroundings, look_around
from loadtest.comparison.swarm import SwarmError
from loadtest.comparison.telling import print_comparison, to_markdown
from loadtest.descriptors import TooFewDescriptorsError, raise_limit

_SOCKETS_MAX: Final = 20_000
_PEERS: Final = [name for name in CONTENDERS if name != RIALTO]


class BenchReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was measured side by side, as `report.json` has it."""

    surroundings: Surroundings
    comparisons: list[Comparison]


def run_bench(names: tuple[str, ...], plan: "Plan", console: Console) -> bool:
    """Measure what is named, everything if nothing is; say whether every promise was kept.

    Raises:
        click.ClickException: if a server could not be run or measured.
    """
    chosen = names or (*BENCHMARKS, *SUITE)
    small = [name for name in chosen if name in BENCHMARKS]
    if small:
        print_results(run_benchmarks(small), console)
    comparisons = _compare_all([name for name in chosen if name in SUITE], plan, console)
    if plan.report is not None and comparisons:
        _write(comparisons, plan, console)
    judgements = [one for comparison in comparisons for one in comparison.judgements]
    return all(judgement.held is not False for judgement in judgements)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen on the command line."""

    runs: int = 3
    size: Size = Size()
    peers: tuple[str, ...] | None = None
    report: Path | None = None


def list_benchmarks(console: Console) -> None:
    """Print what can be measured."""
    for name, benchmark in BENCHMARKS.items():
        console.print(f"{name:14} {benchmark.meaning}", highlight=False)
    for name, suit in SUITE.items():
        console.print(f"{name:14} {suit.meaning} *", highlight=False)
    console.print("* Rialto beside other servers; takes minutes", highlight=False)


def bench_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options of `bench`."""
    options = (
        click.option(
            "--runs", type=click.IntRange(1, 99), default=3, show_default=True, help="Runs of each."
        ),
        click.option(
            "--sockets", type=click.IntRange(1, _SOCKETS_MAX), help="Instead of what is promised."
        ),
        click.option("--seconds", type=click.FloatRange(0.1, 60), help="Instead of the default."),
        click.option(
            "--peers",
            help=f"Whom to measure beside Rialto, with commas: {', '.join(_PEERS)}; or none.",
        ),
        click.option(
            "--report",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for report.json, report.md and report.svg.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_plan(options: dict[str, object]) -> Plan:
    """Return what was chosen.

    Raises:
        click.BadParameter: if a peer is not known.
    """
    runs, sockets, seconds = options["runs"], options["sockets"], options["seconds"]
    report = options["report"]
    assert isinstance(runs, int)
    return Plan(
        runs=runs,
        size=Size(
            sockets=sockets if isinstance(sockets, int) else None,
            seconds=seconds if isinstance(seconds, float) else None,
        ),
        peers=_read_peers(options["peers"]),
        report=report if isinstance(report, Path) else None,
    )


def _read_peers(given: object) -> tuple[str, ...] | None:
    if not isinstance(given, str):
        return None
    peers = tuple(name.strip() for name in given.split(",") if name.strip() not in {"", "none"})
    unknown = [name for name in peers if name not in _PEERS]
    if unknown:
        raise click.BadParameter(f"no peer is called {unknown[0]!r}; there are {', '.join(_PEERS)}")
    return peers


def _compare_all(names: list[str], plan: Plan, console: Console) -> list[Comparison]:
    comparisons: list[Comparison] = []
    for name in names:
        try:
            raise_limit(plan.size.sockets or SUITE[name].sockets)
            compared = compare(
                name,
                runs=plan.runs,
                size=plan.size,
                peers=plan.peers,
                tell=lambda line: console.print(line, highlight=False, markup=False),
            )
        except (SwarmError, ServerDiedError, UnwelcomeError, PeersUnavailableError) as error:
            raise click.ClickException(f"{name}: {error}") from error
        except TooFewDescriptorsError as error:
            raise click.UsageError(str(error)) from error
        print_comparison(compared, console)
        comparisons.append(compared)
    return comparisons


def _write(comparisons: list[Comparison], plan: Plan, console: Console) -> None:
    folder = plan.report
    assert folder is not None
    folder.mkdir(parents=True, exist_ok=True)
    surroundings = look_around(runs=plan.runs)
    report = BenchReport(surroundings=surroundings, comparisons=comparisons)
    encoded = msgspec.json.format(msgspec.json.encode(report), indent=2)
    (folder / "report.json").write_bytes(encoded)
    (folder / "report.md").write_text(to_markdown(comparisons, surroundings), encoding="utf-8")
    (folder / "report.svg").write_text(to_svg(comparisons), encoding="utf-8")
    console.print(f"Written: {folder / 'report.svg'}, report.md and report.json", highlight=False)
