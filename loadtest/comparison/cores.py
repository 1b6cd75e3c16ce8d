"""Which core serves and which one loads it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Cores(msgspec.Struct, frozen=True, kw_only=True):
    """The server's core, and the generator's. They are the same on a machine with one."""

    server: int
    generator: int


def choose_cores() -> Cores:
    """Return two cores this process may use: the first one serves, the last one loads."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(server=allowed[0], generator=allowed[-1])


@contextmanager
def on_cores(*cores: int) -> Iterator[None]:
    """Stay on these cores for the length of the block; what is started in it stays for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class OwnCpu:
    """How busy this process was since a moment."""

    def __init__(self) -> None:
        self._cpu_at = time.process_time()
        self._at = time.monotonic()

    @property
    def seconds(self) -> float:
        """Processor seconds since then."""
        return time.process_time() - self._cpu_at

    @property
    def share(self) -> float:
        """Processor seconds for each second that passed."""
        return self.seconds / max(time.monotonic() - self._at, 1e-9)
