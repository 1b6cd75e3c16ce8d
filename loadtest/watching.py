"""What processes use of the machine, read from /proc; where there is none, nothing is told."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from loadtest.timeline import ProcessUse

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_KIB: Final = 1024
_WORKING: Final = (0, 1, 2, 5, 6)
"""User, nice, system, interrupts: fields of the first line of /proc/stat."""

_USER_TIME, _SYSTEM_TIME = 11, 12
"""Fields of /proc/PID/stat, counted from the one after the name."""


def look_at(
    watched: Mapping[str, int], *, alone: frozenset[str] = frozenset()
) -> dict[str, ProcessUse]:
    """Return what each named process uses now; dead ones are left out.

    Children are counted with their parent, except for those named in `alone`.
    """
    found = ((name, _use(pid, alone=name in alone)) for name, pid in watched.items())
    return {name: use for name, use in found if use is not None}


def machine_busy_seconds() -> float:
    """Return the processor seconds that the machine has spent working; 0 where nobody tells."""
    try:
        fields = (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    return sum(int(fields[at]) for at in _WORKING) / _TICKS


def _use(pid: int, *, alone: bool) -> ProcessUse | None:
    uses = [use for each in [pid] if alone and (use := _one(each)) is not None] or [
        use for each in _family(pid) if not alone and (use := _one(each)) is not None
    ]
    if not uses:
        return None
    return ProcessUse(
        pid=pid,
        private_bytes=sum(use.private_bytes for use in uses),
        resident_bytes=sum(use.resident_bytes for use in uses),
        cpu_seconds=sum(use.cpu_seconds for use in uses),
    )


def _family(pid: int) -> Iterable[int]:
    yield pid
    with contextlib.suppress(OSError):  # it has ended
        for child in (_PROC / f"{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _one(pid: int) -> ProcessUse | None:
    try:
        status = (_PROC / f"{pid}/status").read_text()
        times = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    sizes = {
        name: int(rest.split()[0]) * _KIB
        for name, _, rest in (line.partition(":") for line in status.splitlines())
        if name in {"VmRSS", "RssAnon"}
    }
    return ProcessUse(
        pid=pid,
        private_bytes=sizes.get("RssAnon", 0),
        resident_bytes=sizes.get("VmRSS", 0),
        cpu_seconds=(int(times[_USER_TIME]) + int(times[_SYSTEM_TIME])) / _TICKS,
    )
