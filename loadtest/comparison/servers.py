"""A server process: started on its core, waited for, measured, ended."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from loadtest.comparison.bounds import SERVER_START_SECONDS_MAX
from loadtest.comparison.cores import on_cores

ROOT: Final = Path(__file__).resolve().parents[2]
LOCALHOST: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.02
_LOG_TAIL_BYTES: Final = 2000


class ServerDiedError(Exception):
    """A server did not start, or ended on its own; says what it wrote last."""


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server((LOCALHOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def python_argv(module: str, *words: str) -> tuple[str, ...]:
    """Return the command line of `python -m module`, in the environment we run in."""
    return (sys.executable, "-P", "-m", module, *words)


class Server:
    """One process and what it costs. A context manager: it ends with the block."""

    def __init__(
        self, argv: tuple[str, ...], *, variables: Mapping[str, str], port: int, core: int
    ) -> None:
        """Describe a server that will listen on `port`."""
        self.port = port
        self._argv = argv
        self._variables = variables
        self._core = core
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server runs
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it, and wait until it takes connections.

        Raises:
            ServerDiedError: if it does not.
        """
        words = [f"{name}={value}" for name, value in self._variables.items()]
        with on_cores(self._core):
            self._process = subprocess.Popen(
                ["/usr/bin/env", f"PYTHONPATH={ROOT}", *words, *self._argv],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_listening()
        except BaseException:
            self._end_for_good()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._end_for_good()

    def _end_for_good(self) -> None:
        self.end()
        self._log.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the processor seconds it has used, user and system, all threads."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """Return what would be free if it ended (its unique set size)."""
        return int(psutil.Process(self.pid).memory_full_info().uss)

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it, and whatever it started, at once: nothing it holds is wanted."""
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def check_alive(self) -> None:
        """Make sure that it runs.

        Raises:
            ServerDiedError: if it does not.
        """
        assert self._process is not None
        status = self._process.poll()
        if status is not None:
            raise ServerDiedError(f"{self._argv} ended with {status}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """Return the end of what it wrote."""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - _LOG_TAIL_BYTES))
        return self._log.read().decode(errors="replace")

    def _wait_listening(self) -> None:
        deadline = time.monotonic() + SERVER_START_SECONDS_MAX
        while time.monotonic() < deadline:
            self.check_alive()
            with contextlib.suppress(OSError):
                socket.create_connection((LOCALHOST, self.port), timeout=1).close()
                return
            time.sleep(_POLL_SECONDS)
        raise ServerDiedError(f"{self._argv} does not listen:\n{self.log_tail()}")
