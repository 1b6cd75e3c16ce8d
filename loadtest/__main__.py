"""`python -m loadtest load | bench`: what the command line offers."""

import math
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
import trio
from rich.console import Console

from loadtest.bench import BENCHMARKS
from loadtest.commerce_bench.command import (
    Plan as CommercePlan,
    commerce_options,
    run_commerce_bench,
)
from loadtest.comparison.command import bench_options, list_benchmarks, read_plan, run_bench
from loadtest.comparison.suite import SUITE
from loadtest.crew import NoRoomsError, Plan, run
from loadtest.descriptors import TooFewDescriptorsError, raise_limit
from loadtest.display import Display
from loadtest.limits import (
    PROCESSES_MAX,
    ROOMS_PER_USER_MAX,
    SECONDS_MAX,
    USERS_MAX,
    WORKER_USERS_MAX,
)
from loadtest.orders import Habits
from loadtest.page import to_html
from loadtest.people import NobodySignedInError
from loadtest.processes import WorkerDiedError, serve_crew
from loadtest.profiles import PROFILES
from loadtest.report import Report, print_report, to_json
from loadtest.rest import RestError
from loadtest.sale import NothingScarceError
from loadtest.sockets import SocketAddress

_CANNOT_START: Final = (
    TooFewDescriptorsError,
    NobodySignedInError,
    NoRoomsError,
    NothingScarceError,
)

STATUS_PASSED: Final = 0
STATUS_FAILED: Final = 1
STATUS_USAGE: Final = 2
STATUS_INTERRUPTED: Final = 130

PLAIN_COLUMNS: Final = 110
SECONDS_DEFAULT: Final = 60.0

Given = TypeVar("Given")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure how much a running shop carries, and whether it keeps its promises."""


def _socket_url(_context: click.Context, _option: click.Parameter, url: str) -> str:
    try:
        SocketAddress.parse(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return url


def _watched(
    _context: click.Context, _option: click.Parameter, named: tuple[str, ...]
) -> dict[str, int]:
    watched: dict[str, int] = {}
    for one in named:
        name, _, pid = one.partition("=")
        if not name or not pid.isdecimal():
            raise click.BadParameter(f"{one!r} is not NAME=PID")
        watched[name] = int(pid)
    return watched


_PROFILES_TOLD: Final = "Profiles:\n\n\b\n" + "\n".join(
    f"  {name:11} {profile.meaning}" for name, profile in PROFILES.items()
)


@main.command(epilog=_PROFILES_TOLD)
@click.option("--users", type=click.IntRange(1, USERS_MAX), default=1000, show_default=True)
@click.option(
    "--profile",
    type=click.Choice([*PROFILES]),
    default="shop",
    show_default=True,
    help="What kind of crowd it is; see below.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, SECONDS_MAX),
    help="How long they are busy, once everybody is connected.  [default: 60]",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.02, SECONDS_MAX / 60),
    help="The same, in minutes. Memory is judged in runs of two minutes and longer.",
)
@click.option("--web-url", default="http://127.0.0.1:8300", show_default=True)
@click.option(
    "--socket-url",
    default="ws://127.0.0.1:8301/ws",
    show_default=True,
    callback=_socket_url,
)
@click.option("--origin", help="The Origin header to send; none by default, as apps send none.")
@click.option("--seed", type=int, help="Makes what the users do repeatable.")
@click.option("--format", "wire_format", type=click.Choice(["json", "msgpack"]), default="json")
@click.option(
    "--processes",
    type=click.IntRange(1, PROCESSES_MAX),
    help=f"Worker processes; one for every {WORKER_USERS_MAX} users by default.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report.html and report.json.",
)
@click.option(
    "--connects-per-second",
    type=click.FloatRange(1, 5000),
    default=150.0,
    show_default=True,
    help="How fast the users come in.",
)
@click.option(
    "--messages-per-minute",
    type=click.FloatRange(0, 6000),
    help="Chat messages of one user, instead of the profile's.",
)
@click.option(
    "--requests-per-minute",
    type=click.FloatRange(0, 6000),
    help="REST requests of one user, instead of the profile's.",
)
@click.option(
    "--rooms", type=click.IntRange(1, ROOMS_PER_USER_MAX), default=3, help="Rooms of one user."
)
@click.option(
    "--watch",
    multiple=True,
    metavar="NAME=PID",
    callback=_watched,
    help="A process of the shop whose memory and CPU to follow; `./rialto load` names them all.",
)
@click.pass_context
def load(context: click.Context, /, **options: object) -> None:
    """Simulate users, check every promise, and report.

    Exit status: 0 all targets held and nothing was wrong; 1 one did not; 2 it could not start;
    130 interrupted (the report is partial).
    """
    console = _console()
    report_folder = options["report"]
    plan = _plan(options)
    try:
        raise_limit(math.ceil(plan.users / plan.processes))
        report = _run_until_signal(plan, console)
    except _CANNOT_START as error:
        raise click.UsageError(str(error)) from error
    except (OSError, RestError, WorkerDiedError) as error:
        raise click.ClickException(str(error)) from error
    print_report(report, console)
    if isinstance(report_folder, Path):
        _write(report, report_folder, console)
    context.exit(_status(report))


def _console() -> Console:
    """Return standard output: as wide as the terminal, or wide enough for our tables."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_COLUMNS)


def _plan(options: dict[str, object]) -> Plan:
    def given(name: str, kind: type[Given]) -> Given:
        value = options[name]
        assert isinstance(value, kind)
        return value

    users, profile = given("users", int), given("profile", str)
    processes, seed, origin = options["processes"], options["seed"], options["origin"]
    return Plan(
        web_url=given("web_url", str).rstrip("/"),
        socket_url=given("socket_url", str),
        users=users,
        seconds=_seconds(options),
        processes=(
            processes if isinstance(processes, int) else math.ceil(users / WORKER_USERS_MAX)
        ),
        seed=seed if isinstance(seed, int) else secrets.randbelow(1_000_000),
        wire_format="msgpack" if options["wire_format"] == "msgpack" else "json",
        origin=origin if isinstance(origin, str) else None,
        connects_per_second=given("connects_per_second", float),
        habits=_habits(PROFILES[profile].habits, options),
        profile=profile,
        watched=given("watch", dict),
    )


def _seconds(options: dict[str, object]) -> float:
    seconds, minutes = options["seconds"], options["minutes"]
    if seconds is not None and minutes is not None:
        raise click.UsageError("Give --seconds or --minutes, not both.")
    if isinstance(minutes, float):
        return minutes * 60
    return seconds if isinstance(seconds, float) else SECONDS_DEFAULT


def _habits(usual: Habits, options: dict[str, object]) -> Habits:
    """Return the profile's habits, with what was asked for instead."""
    asked = {
        name: options[name]
        for name in ("messages_per_minute", "requests_per_minute", "rooms")
        if options[name] is not None
    }
    return msgspec.structs.replace(usual, **asked)


def _run_until_signal(plan: Plan, console: Console) -> Report:
    display = Display(console)
    reports: list[Report] = []

    async def carry_out() -> None:
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen_for_signals, stop, nursery.cancel_scope)
            reports.append(await run(plan, display, stop))
            nursery.cancel_scope.cancel()

    try:
        _run_unwrapped(carry_out)
    finally:
        display.close()
    if not reports:
        raise SystemExit(STATUS_INTERRUPTED)
    return reports[0]


def _run_unwrapped(carry_out: Callable[[], Awaitable[None]]) -> None:
    """Run, and raise a lone error as itself instead of as a group of one."""
    try:
        trio.run(carry_out)
    except BaseExceptionGroup as errors:
        lone: BaseException = errors
        while isinstance(lone, BaseExceptionGroup) and len(lone.exceptions) == 1:
            lone = lone.exceptions[0]
        raise lone from None


async def _listen_for_signals(stop: trio.Event, scope: trio.CancelScope) -> None:
    """The first signal asks for a partial report, the second one gives up."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            if stop.is_set():
                scope.cancel()
            stop.set()


def _write(report: Report, folder: Path, console: Console) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(to_json(report))
    (folder / "report.html").write_text(to_html(report), encoding="utf-8")
    console.print(f"Written: {folder / 'report.html'} and report.json", highlight=False)


def _status(report: Report) -> int:
    if report.circumstances.interrupted:
        return STATUS_INTERRUPTED
    return STATUS_PASSED if report.passed else STATUS_FAILED


@main.command()
@click.argument("names", nargs=-1, type=click.Choice([*BENCHMARKS, *SUITE]))
@click.option("--list", "only_list", is_flag=True, help="Say what there is, and measure nothing.")
@bench_options
@click.pass_context
def bench(
    context: click.Context, /, names: tuple[str, ...], *, only_list: bool, **options: object
) -> None:
    """Measure small parts by themselves, and Rialto beside other servers.

    Everything unless some are named, which takes about half an hour. The other servers are fetched
    on first use.

    Exit status: 0 every target was met; 1 one was not, or a server failed; 2 it could not start.
    """
    console = _console()
    if only_list:
        list_benchmarks(console)
    elif not run_bench(names, read_plan(options), console):
        context.exit(STATUS_FAILED)


@main.command(name="commerce")
@click.option("--web-url", default="http://localhost:8300", show_default=True)
@click.option("--socket-url", hidden=True, help="Not used.")
@click.option(
    "--watch",
    "watched",
    multiple=True,
    metavar="NAME=PID",
    callback=_watched,
    help="A process of the shop whose CPU to follow; `./rialto bench` names them all.",
)
@commerce_options
@click.argument("names", nargs=-1)
@click.pass_context
def bench_commerce(  # noqa: PLR0913  the command line's own parts
    context: click.Context,
    /,
    *,
    web_url: str,
    socket_url: str | None,
    watched: dict[str, int],
    webhook_secret: str,
    names: tuple[str, ...],
    seconds: float,
    buyers: int,
    beside: Path | None,
    note: str,
    report: Path | None,
) -> None:
    """Measure the requests of a running shop in the dev profile; it leaves orders behind.

    NAMES are the beginnings of those kinds of request to measure; all if there are none.

    Exit status: 0 every target was met; 1 one was not, or a request failed.
    """
    del socket_url
    plan = CommercePlan(
        web_url=web_url,
        seconds=seconds,
        buyers=buyers,
        names=names,
        watched=watched,
        secret=webhook_secret,
        note=note,
        beside=beside,
        report=report,
    )
    if not run_commerce_bench(plan, _console()):
        context.exit(STATUS_FAILED)


@main.command(hidden=True, name="work")
def be_a_worker() -> None:
    """Take orders from a crew; started by `load`."""
    trio.run(serve_crew)


if __name__ == "__main__":
    sys.exit(main())
