"""What people see: aligned lines, tables, and colours where there is a terminal."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from deploy.supervisor.logs import open_log
from deploy.supervisor.reporter import Reporter
from deploy.supervisor.state import ProcessState, ProcessStatus, ShopStatus
from shared.clock import SystemClock

_WIDTH_PIPED: Final = 300
"""Whoever reads from a pipe wants whole lines."""

_STYLES: Final = {
    ProcessState.READY: "green",
    ProcessState.STARTING: "yellow",
    ProcessState.UNREADY: "yellow",
    ProcessState.RESTARTING: "yellow",
    ProcessState.CRASH_LOOP: "bold red",
}


def console(file: IO[str] | None = None, *, is_terminal: bool | None = None) -> Console:
    """Return where to print; plain text unless it is a terminal."""
    target = Console(
        file=file or sys.stdout, highlight=False, soft_wrap=True, force_terminal=is_terminal
    )
    if not target.is_terminal:
        target.width = _WIDTH_PIPED
    return target


def fail(sentence: str, *, exit_code: int) -> NoReturn:
    """Say what is wrong on standard error and end the command."""
    text = Text.assemble(("rialto: ", "bold red"), sentence)
    console(sys.stderr).print(text)
    sys.exit(exit_code)


class ConsoleReporter(Reporter):
    """Tells a person, one line each."""

    def __init__(self, target: Console) -> None:
        self._console = target

    @override
    def ready(self, name: str, where: str, seconds: float) -> None:
        """Print a line with a check mark."""
        took = f"{seconds:5.1f} s"
        self._console.print(
            Text.assemble(("  ✓ ", "green"), (f"{name:<12}", "bold"), f"{where:<44}", (took, "dim"))
        )

    @override
    def note(self, name: str, sentence: str) -> None:
        """Print a quiet line."""
        self._console.print(Text.assemble("  · ", (f"{name:<12}", "bold"), (sentence, "dim")))

    @override
    def trouble(self, name: str, sentence: str) -> None:
        """Print a loud line."""
        self._console.print(Text.assemble(("  ✗ ", "red"), (f"{name:<12}", "bold red"), sentence))


class JournalReporter(Reporter):
    """Writes to the supervisor's own log, as JSON lines."""

    def __init__(self, path: Path) -> None:
        self._file = open_log(path)
        self._clock = SystemClock()

    @override
    def ready(self, name: str, where: str, seconds: float) -> None:
        """Write a line."""
        self._write("process.ready", name, where=where, seconds=round(seconds, 3))

    @override
    def note(self, name: str, sentence: str) -> None:
        """Write a line."""
        self._write("process.noted", name, sentence=sentence)

    @override
    def trouble(self, name: str, sentence: str) -> None:
        """Write a line."""
        self._write("process.troubled", name, sentence=sentence)

    def _write(self, event: str, name: str, **facts: object) -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        line = {"timestamp": at, "event": event, "process": name, **facts}
        self._file.write(json.dumps(line).encode() + b"\n")


class EveryReporter(Reporter):
    """Tells several; one of them may leave."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = list(reporters)

    def leave(self, reporter: Reporter) -> None:
        """Tell `reporter` nothing from now on."""
        self._reporters.remove(reporter)

    @override
    def ready(self, name: str, where: str, seconds: float) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.ready(name, where, seconds)

    @override
    def note(self, name: str, sentence: str) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.note(name, sentence)

    @override
    def trouble(self, name: str, sentence: str) -> None:
        """Pass it on."""
        for reporter in self._reporters:
            reporter.trouble(name, sentence)


def print_status(target: Console, status: ShopStatus) -> None:
    """Print the table of `rialto status`."""
    target.print(Text.assemble(("Rialto", "bold"), f" at {status.url}  ({status.profile})"))
    target.print(Text(f"sockets {status.socket_url}\ndata    {status.data}", style="dim"))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("process", "state", "pid", "restarts", "ports", "since"):
        table.add_column(heading, justify="right" if heading in {"pid", "restarts"} else "left")
    for process in status.processes:
        table.add_row(*_cells(process))
    target.print(table)


def _cells(process: ProcessStatus) -> list[Text]:
    state = Text(process.state.value, style=_STYLES.get(process.state, ""))
    if process.last_exit and process.state is not ProcessState.READY:
        state.append(f" ({process.last_exit})")
    ports = ", ".join(f"{name} {port}" for name, port in process.ports.items())
    since = (process.started_at or "").partition(".")[0].replace("T", " ")
    words = [str(process.pid or ""), str(process.restarts), ports, since]
    return [Text(process.name), state, *map(Text, words)]
