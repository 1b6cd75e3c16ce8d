"""An engine that runs as long as a block of code does; what the tests hold in their hands."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from deploy.engines.errors import EngineError
from deploy.launch import Launch, start


class Engine(Protocol):
    """What the two engines have in common."""

    def prepare(self) -> None:
        """Make the files if there are none."""

    def launch(self) -> Launch:
        """Return how to start the server in the foreground."""
        ...

    def is_ready(self) -> bool:
        """Tell whether the server would talk to a client now."""
        ...


AnyEngine = TypeVar("AnyEngine", bound=Engine)

_READY_SECONDS_MAX: Final = 60.0
_STOP_SECONDS_MAX: Final = 20.0
_POLL_SECONDS: Final = 0.02
_LOG_TAIL_CHARACTERS: Final = 2000


class RunningEngine(Generic[AnyEngine]):
    """An engine and its process; it can be killed, frozen and started again on the same files.

    It dies with the thread that started it, by SIGKILL, so a killed test run leaves none behind.
    """

    def __init__(self, engine: AnyEngine, *, log: Path) -> None:
        self.engine = engine
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the server."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped or killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            EngineError: if it ends or does not answer in time, with the end of its log.
        """
        assert self._process is None
        self.engine.prepare()
        launch = msgspec.structs.replace(self.engine.launch(), signal_on_orphaned=signal.SIGKILL)
        with self._log.open("ab") as output:
            self._process = start(launch, output=output)
        deadline = time.monotonic() + _READY_SECONDS_MAX
        while not self.engine.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise EngineError(f"it did not start:\n{self.log_tail()}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server in good order; by SIGKILL if that takes too long."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(self.engine.launch().signal_to_stop)
        try:
            self._process.wait(timeout=_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End the server with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Freeze the server: its connections stay open, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Thaw a frozen server."""
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self) -> str:
        """Return the end of what the server has logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL_CHARACTERS:]


@contextmanager
def running(engine: AnyEngine, *, log: Path) -> Iterator[RunningEngine[AnyEngine]]:
    """Run `engine` for the length of the block; it logs to the file `log`."""
    server = RunningEngine(engine, log=log)
    server.start()
    try:
        yield server
    finally:
        server.stop()
