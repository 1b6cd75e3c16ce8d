"""Servers that were left behind in a folder of ours, and what they left behind in it.

Only call these while holding the data folder's lock. Both servers change into their own folder
when they start, which tells them apart from every other one on the machine.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

_PROGRAMS: Final = frozenset({"postgres", "valkey-server"})
_POSTGRES_LOCK: Final = "postmaster.pid"


def servers_in(folder: Path) -> Iterator[int]:
    """Yield the process ids of the servers that have `folder` for their own.

    What a server has started itself is not among them, unless it has outlived its server.
    """
    if not folder.exists():
        return
    for process in psutil.process_iter(["name", "ppid"]):
        is_server = process.info["name"] in _PROGRAMS and _is_at_home(process.pid, folder)
        if is_server and not _is_at_home(process.info["ppid"], folder):
            yield process.pid


def forget_foreign_lock(folder: Path) -> None:
    """Remove Postgres' lock if the process that it names is not a server of this folder.

    After a crash or a new start of the machine its number may be another program's, and Postgres
    would refuse to start for fear of itself.
    """
    lock = folder / _POSTGRES_LOCK
    if not lock.exists():
        return
    first, _, _ = lock.read_text(encoding="utf-8", errors="replace").partition("\n")
    if not first.strip().isdigit() or not _is_at_home(int(first), folder):
        lock.unlink(missing_ok=True)


def _is_at_home(pid: int, folder: Path) -> bool:
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", folder)  # noqa: PTH121 - a link of the kernel's
    except OSError:
        return False
