"""`rialto up`: in the foreground, or in the background with --detach."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from deploy.cli.options import data_option, read_everything
from deploy.cli.output import ConsoleReporter, EveryReporter, JournalReporter, console, fail
from deploy.data_folder import DataFolder, locked, prepare
from deploy.paths import python_argv
from deploy.settings import GATEWAYS_COUNT_MAX, DeploySettings
from deploy.supervisor.errors import StartError
from deploy.supervisor.logs import log_path, open_log
from deploy.supervisor.state import read_state
from deploy.up import decide, make_engine_files, run

_ALL_READY: Final = "\0ready"
_SOME_READY: Final = "\0degraded"
_EXAMPLES: Final = """
Examples:

\b
  ./rialto up                              the shop on http://localhost:8300
  ./rialto up --detach                     … in the background; see down, status, logs
  ./rialto up --data ./other --port 9300   a second one beside it

Exit codes: 0 stopped as asked, 1 a program failed, 2 something must be changed first.
"""


@click.command(epilog=_EXAMPLES)
@data_option
@click.option("--port", type=click.IntRange(1, 65_000), help="The base port; default 8300.")
@click.option(
    "--gateways",
    type=click.IntRange(1, GATEWAYS_COUNT_MAX),
    help="How many gateway workers; default 2.",
)
@click.option("--detach", is_flag=True, help="Return once it is ready, and leave it running.")
@click.option("--tell", type=int, hidden=True, help="A descriptor to tell progress to.")
@click.option("--coloured", is_flag=True, hidden=True)
def up(
    *,
    data: str | None,
    port: int | None,
    gateways: int | None,
    detach: bool,
    tell: int | None,
    coloured: bool,
) -> None:
    """Start the whole shop, and keep it running until Ctrl-C."""
    if detach:
        words = [("--data", data), ("--port", port), ("--gateways", gateways)]
        sys.exit(_detach([word for name, value in words if value for word in (name, str(value))]))
    variables, settings, folder = read_everything(data=data, port=port, gateways=gateways)
    try:
        prepare(folder)
        with locked(folder) as is_ours:
            if not is_ours:
                fail(_already_running(folder), exit_code=2)
            _run_here(variables, settings, folder, tell=tell, coloured=coloured)
    except StartError as error:
        fail(str(error), exit_code=error.exit_code)


def _run_here(
    variables: Mapping[str, str],
    settings: DeploySettings,
    folder: DataFolder,
    *,
    tell: int | None,
    coloured: bool,
) -> None:
    told = None if tell is None else os.fdopen(tell, "w", buffering=1)
    target = console(told, is_terminal=coloured or None)
    person = ConsoleReporter(target)
    reporter = EveryReporter([person, JournalReporter(log_path(folder.logs, "supervisor"))])
    target.print(Text.assemble(("Rialto", "bold"), f" in {folder.path} ({settings.profile})"))
    shop = decide(variables, folder, settings, reporter)
    make_engine_files(shop, reporter)

    def on_up(everything_ready: bool) -> None:  # noqa: FBT001 - its only argument
        url = shop.variables.get("RIALTO_PUBLIC_URL") or f"http://localhost:{shop.ports.web}"
        word = "Open" if everything_ready else "Running, but not all of it; see above."
        target.print(Text.assemble(f"\n  {word} ", (url, "bold cyan"), "\n"))
        if told is not None:
            told.write(f"{_ALL_READY if everything_ready else _SOME_READY}\n")
            reporter.leave(person)
            told.close()
            _let_go_of_the_terminal(log_path(folder.logs, "supervisor"))

    run(shop, reporter, on_up=on_up)


def _let_go_of_the_terminal(log: Path) -> None:
    """Hold on to nothing that whoever started us may wait for."""
    with open_log(log) as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())


def _already_running(folder: DataFolder) -> str:
    state = read_state(folder.state)
    where = "" if state is None else f" at {state.address.url}"
    return f"the shop in {folder.path} is already running{where}; `rialto down` stops it."


def _detach(words: list[str]) -> int:
    """Run ourselves in a session of our own, pass on what it tells, and leave when it is ready."""
    reading, writing = os.pipe()
    coloured = ["--coloured"] if sys.stdout.isatty() else []
    process = subprocess.Popen(
        [*python_argv("deploy", "up", *words, "--tell", str(writing)), *coloured],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[writing],
    )
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        for line in told:
            if line.startswith("\0"):
                return 0 if line.strip() == _ALL_READY else 1
            sys.stdout.write(line)
            sys.stdout.flush()
    return process.wait()
