"""The folder that holds everything one shop on this machine knows."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import platformdirs

from deploy.supervisor.errors import StartError

FREE_BYTES_MIN: Final = 500_000_000
"""Less than this is too little to start on: Postgres alone begins with some 50 MB and a log of
changes that grows to a gigabyte."""


class DataFolder(msgspec.Struct, frozen=True, kw_only=True):
    """Knows what lies where."""

    path: Path

    @property
    def state(self) -> Path:
        """What runs, written by the supervisor."""
        return self.path / "state.json"

    @property
    def secrets(self) -> Path:
        """Keys made for this folder, for its owner only."""
        return self.path / "secrets.json"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.path / "logs"

    @property
    def files(self) -> Path:
        """What the shop's users and products bring along."""
        return self.path / "files"

    @property
    def postgres(self) -> Path:
        """The embedded Postgres' own."""
        return self.path / "postgres"

    @property
    def stripe(self) -> Path:
        """What the Stripe stand-in remembers."""
        return self.path / "stripe.sqlite"

    @property
    def valkey(self) -> Path:
        """The embedded Valkey's own."""
        return self.path / "valkey"

    @property
    def seed_pending(self) -> Path:
        """There while an empty database is being filled, so that an interruption is mended."""
        return self.path / "seed.pending"


def locate(chosen: str) -> DataFolder:
    """Return the folder of that name, or the user's own if none is named."""
    path = Path(chosen).expanduser() if chosen else platformdirs.user_data_path("rialto")
    return DataFolder(path=Path(os.path.abspath(path)))  # noqa: PTH100 - links stay as written


def prepare(folder: DataFolder) -> None:
    """Make the folder if need be, and see that it can be used.

    Raises:
        StartError: if it cannot be written to, or the disk is nearly full.
    """
    try:
        folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in (folder.logs, folder.files):
            part.mkdir(mode=0o700, exist_ok=True)
        probe = folder.path / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"the data folder {folder.path} cannot be written to: {error.strerror}. "
            "Choose another with --data.",
            exit_code=2,
        ) from error
    free = shutil.disk_usage(folder.path).free
    if free < FREE_BYTES_MIN:
        raise StartError(
            f"the disk of {folder.path} is nearly full: {free // 1_000_000} MB are free, and "
            f"{FREE_BYTES_MIN // 1_000_000} MB are needed. Make room, or choose another with "
            "--data.",
            exit_code=2,
        )


@contextmanager
def locked(folder: DataFolder) -> Iterator[bool]:
    """Hold the folder for the length of the block; yield False if somebody else does.

    The kernel lets go of the lock when its holder dies, however that happens.
    """
    descriptor = os.open(folder.path / "rialto.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
