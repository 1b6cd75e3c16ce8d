"""Which process a number means: numbers are used again, start times are not."""

import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
import psutil

_POLL_SECONDS: Final = 0.05
_STARTED_FIELD: Final = 19
"""Of /proc/<pid>/stat, counted after the command's closing parenthesis (proc(5), field 22)."""


class ProcessIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A process of this machine, since this boot."""

    pid: int
    started_ticks: int
    boot: str


def identify(pid: int) -> ProcessIdentity | None:
    """Return who `pid` is now; None if it is nobody, or dead and not yet reaped."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ProcessIdentity(pid=pid, started_ticks=int(fields[_STARTED_FIELD]), boot=boot)


def is_alive(identity: ProcessIdentity) -> bool:
    """Tell whether exactly this process still runs."""
    return identify(identity.pid) == identity


def end(identities: Iterable[ProcessIdentity], *, stop_signal: int, seconds_max: float) -> None:
    """End those that are alive: first in good order, then by SIGKILL."""
    alive = [identity for identity in identities if is_alive(identity)]
    for number, patience in ((stop_signal, seconds_max), (signal.SIGKILL, seconds_max)):
        for identity in alive:
            _send(identity, number)
        alive = _wait_until_gone(alive, seconds_max=patience)
        if not alive:
            return


def _send(identity: ProcessIdentity, number: int) -> None:
    try:
        process = psutil.Process(identity.pid)
        if is_alive(identity):
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
    except psutil.Error:
        return  # it is gone, which is what was wanted, or not ours to end


def _wait_until_gone(
    identities: list[ProcessIdentity], *, seconds_max: float
) -> list[ProcessIdentity]:
    deadline = time.monotonic() + seconds_max
    alive = identities
    while alive and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        alive = [identity for identity in alive if is_alive(identity)]
    return alive
