"""Commands about a shop that runs: down, status, logs, restart."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from deploy.cli.options import data_option, read_everything
from deploy.cli.output import console, fail, print_status
from deploy.data_folder import DataFolder, locked
from deploy.supervisor.control import AskDown, AskRestart, AskStatus, NotRunningError, ask
from deploy.supervisor.logs import log_path, log_tail
from deploy.supervisor.state import ShopStatus, end_leftovers

_EXAMPLES: Final = "Example:\n\n\b\n"
_DOWN_SECONDS_MAX: Final = 90.0
_POLL_SECONDS: Final = 0.1
_FOLLOW_SECONDS: Final = 0.3
_LINES_DEFAULT: Final = 50


@click.command(epilog=f"{_EXAMPLES}  ./rialto down --data ./other")
@data_option
def down(*, data: str | None) -> None:
    """Stop the shop, in order."""
    _, _, folder = read_everything(data=data)
    out = console()
    try:
        ask(folder.path, AskDown())
    except NotRunningError as error:
        ended = _end_leftovers(folder)
        out.print(f"{error}." + (f" Ended what was left over: {', '.join(ended)}." * bool(ended)))
        return
    deadline = time.monotonic() + _DOWN_SECONDS_MAX
    while not _is_free(folder):
        if time.monotonic() > deadline:
            fail(f"it has not stopped within {_DOWN_SECONDS_MAX:.0f} s.", exit_code=1)
        time.sleep(_POLL_SECONDS)
    out.print("Stopped.")


@click.command(epilog=f"{_EXAMPLES}  ./rialto status --json | jq .url")
@data_option
@click.option("--json", "as_json", is_flag=True, help="For scripts; the form only grows.")
def status(*, data: str | None, as_json: bool) -> None:
    """Show every process: its state, pid, restarts and ports.

    Exit code 0 when the shop is running, 1 when it is not.
    """
    _, _, folder = read_everything(data=data)
    found = status_of(folder)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif found.running:
        print_status(console(), found)
    else:
        console().print(f"no Rialto is running in {folder.path}.")
    sys.exit(0 if found.running else 1)


@click.command(epilog=f"{_EXAMPLES}  ./rialto restart gateway-1")
@click.argument("name")
@data_option
def restart(*, name: str, data: str | None) -> None:
    """Stop NAME in good order and start it again.

    NAME is a process as `rialto status` lists it, or a kind: `gateway` means all of them.
    """
    _, _, folder = read_everything(data=data)
    try:
        answer = ask(folder.path, AskRestart(name=name))
    except NotRunningError as error:
        fail(f"{error}.", exit_code=1)
    if not answer.names:
        known = ", ".join(process.name for process in answer.status.processes)
        fail(f"there is no process {name}; there are {known}.", exit_code=2)
    console().print(f"Restarting {', '.join(answer.names)}.")


@click.command(epilog=f"{_EXAMPLES}  ./rialto logs web worker -f")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@data_option
@click.option("-f", "--follow", is_flag=True, help="Go on printing what is added.")
@click.option("-n", "--lines", default=_LINES_DEFAULT, show_default=True, help="Lines of each.")
def logs(*, names: tuple[str, ...], data: str | None, follow: bool, lines: int) -> None:
    """Show the end of the logs of NAME, or of every process."""
    _, _, folder = read_everything(data=data)
    known = sorted(path.stem for path in folder.logs.glob("*.log"))
    unknown = [name for name in names if name not in known]
    if unknown or not known:
        there_are = f"there are {', '.join(known)}" if known else f"nothing in {folder.logs}"
        fail(f"there is no log of {', '.join(unknown) or 'anything'}; {there_are}.", exit_code=2)
    chosen = {name: log_path(folder.logs, name) for name in names or known}
    prefix = len(chosen) > 1
    for name, path in chosen.items():
        for line in log_tail(path, lines_max=lines):
            _print_line(name if prefix else "", line)
    if follow:
        for name, line in _followed(chosen):
            _print_line(name if prefix else "", line)


def status_of(folder: DataFolder) -> ShopStatus:
    """Return what the supervisor of `folder` says, or that there is none."""
    try:
        return ask(folder.path, AskStatus()).status
    except NotRunningError:
        return ShopStatus(
            running=False,
            url=None,
            socket_url=None,
            data=str(folder.path),
            profile=None,
            supervisor_pid=None,
            processes=[],
        )


def _end_leftovers(folder: DataFolder) -> list[str]:
    if not folder.path.is_dir():
        return []
    with locked(folder) as is_ours:
        return end_leftovers(folder.state) if is_ours else []


def _is_free(folder: DataFolder) -> bool:
    with locked(folder) as is_ours:
        return is_ours


def _print_line(name: str, line: str) -> None:
    click.echo(f"{name:<12} {line}" if name else line)


def _followed(chosen: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """Yield what is added, for ever; a log that shrinks was rotated."""
    positions = {name: path.stat().st_size for name, path in chosen.items()}
    while True:
        for name, path in chosen.items():
            size = path.stat().st_size
            if size < positions[name]:
                positions[name] = 0
            with path.open("rb") as file:
                file.seek(positions[name])
                added = file.read(size - positions[name])
            whole, newline, _ = added.rpartition(b"\n")
            positions[name] += len(whole) + len(newline)
            for line in whole.decode("utf-8", errors="replace").splitlines():
                yield name, line
        time.sleep(_FOLLOW_SECONDS)
