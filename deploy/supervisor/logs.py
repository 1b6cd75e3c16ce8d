"""One log file a process, bounded in size.

A process writes to its file directly, so its last words survive even the supervisor. A file that
has grown too large is copied away and emptied under it (it is open for appending, so it goes on
at the beginning); lines written during the copy's last moment may be lost.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

import trio

LOG_BYTES_MAX: Final = 10_000_000
OLD_LOGS_KEPT_COUNT: Final = 3
_LOOK_EVERY_SECONDS: Final = 5.0
_TAIL_BYTES_MAX: Final = 64_000


def log_path(folder: Path, name: str) -> Path:
    """Return where the process called `name` logs to."""
    return folder / f"{name}.log"


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; it is readable for its owner only."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)


def log_tail(path: Path, *, lines_max: int, after_byte: int = 0) -> list[str]:
    """Return the last lines of a log, of those after `after_byte`; none if there is no log."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, after_byte, size - _TAIL_BYTES_MAX))
            text = file.read(_TAIL_BYTES_MAX).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines_max:]


def rotate(path: Path, *, bytes_max: int = LOG_BYTES_MAX) -> bool:
    """Empty the log if it is too large, keeping copies as .1 (the newest), .2, …."""
    if not path.exists() or path.stat().st_size <= bytes_max:
        return False
    for number in range(OLD_LOGS_KEPT_COUNT - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)
    return True


async def keep_rotating(paths: Iterable[Path]) -> None:
    """Look after the logs until cancelled."""
    kept = list(paths)
    while True:
        for path in kept:
            await trio.to_thread.run_sync(rotate, path)
        await trio.sleep(_LOOK_EVERY_SECONDS)
