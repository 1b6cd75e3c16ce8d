"""One line that says how the run goes: live on a terminal, now and then when piped."""

import math
import time
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from loadtest.orders import Progress
from loadtest.recorder import Measure

PLAIN_LINE_EVERY_SECONDS: Final = 5.0


class Display:
    """Shows progress on a console. Close it before printing anything else."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phase = ""
        self._ends_at = math.inf
        self._next_plain_at = -math.inf
        self._live = Live(console=console, auto_refresh=False, transient=True)
        if console.is_terminal:
            self._live.start()

    def says(self, phase: str, *, seconds: float = math.inf) -> None:
        """Name what happens now, and how long it will take if that is known."""
        self._phase = phase
        self._ends_at = time.monotonic() + seconds
        self._next_plain_at = -math.inf
        self._show(phase)

    def signed_in(self, done: int, count: int) -> None:
        """Show how many users are signed in."""
        self._show(f"{self._phase}: {done} of {count}")

    def progress(self, parts: Sequence[Progress]) -> None:
        """Show how the workers get on."""
        if parts:
            self._show(f"{self._phase}{self._left()} · {describe(parts)}")

    def close(self) -> None:
        """Take the live line away."""
        self._live.stop()

    def _left(self) -> str:
        left = self._ends_at - time.monotonic()
        return "" if math.isinf(left) else f", {max(0, left):.0f} s left"

    def _show(self, line: str) -> None:
        if self._console.is_terminal:
            self._live.update(Text(line, overflow="ellipsis", no_wrap=True), refresh=True)
        elif time.monotonic() >= self._next_plain_at:
            self._next_plain_at = time.monotonic() + PLAIN_LINE_EVERY_SECONDS
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def describe(parts: Sequence[Progress]) -> str:
    """Say in one line how all workers together get on."""
    said = [
        f"{sum(part.connected for part in parts)} connected",
        (
            f"{sum(part.commands_committed for part in parts)}"
            f"/{sum(part.commands_given for part in parts)} commands"
        ),
        f"{sum(part.events_seen for part in parts)} events",
    ]
    for name, measure in (("commit", Measure.COMMITTED), ("REST", Measure.REST)):
        recent = [part.recent_p95_seconds[measure] for part in parts]
        known = [seconds for seconds in recent if seconds is not None]
        if known:
            said.append(f"{name} p95 {max(known) * 1000:.0f} ms")
    wrong = sum(part.violations for part in parts)
    said.append(f"{wrong} wrong" if wrong else "nothing wrong")
    lost = sum(part.disconnects for part in parts)
    return " · ".join([*said, f"{lost} disconnects"] if lost else said)
