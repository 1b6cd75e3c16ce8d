"""One process: started, watched, brought back when it dies, stopped when asked.

Its life is one task, `run`. Only that task starts or ends the process; others ask it to.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from deploy.launch import start
from deploy.supervisor.identity import identify
from deploy.supervisor.logs import open_log
from deploy.supervisor.reporter import Reporter
from deploy.supervisor.restarts import DEFAULT_RULE, RestartBudget, RestartRule
from deploy.supervisor.spec import ProcessSpec
from deploy.supervisor.state import OwnedProcess, ProcessState, ProcessStatus
from shared.clock import Clock, SystemClock

_PROBE_SECONDS_STARTING: Final = 0.1
_PROBE_SECONDS_LATER: Final = 2.0
SETTINGS_EXIT_CODE: Final = 2
"""With this our programs say that their settings are at fault, so a new start cannot help."""


class Child:
    """A process under supervision."""

    def __init__(
        self,
        spec: ProcessSpec,
        *,
        log: Path,
        reporter: Reporter,
        on_change: Callable[[], None],
        rule: RestartRule = DEFAULT_RULE,
        clock: Clock | None = None,
    ) -> None:
        self.spec = spec
        self.log = log
        self.state = ProcessState.WAITING
        self._reporter = reporter
        self._on_change = on_change
        self._budget = RestartBudget(rule)
        self._clock = clock or SystemClock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owned: OwnedProcess | None = None
        self._started_at: str | None = None
        self._restarts_count = 0
        self._last_exit: str | None = None
        self._was_ready = False
        self._stop_asked = trio.Event()
        self._end_asked = trio.Event()
        self._changed = trio.Event()

    def status(self) -> ProcessStatus:
        """Return how the process is."""
        return ProcessStatus(
            name=self.spec.name,
            pid=None if self._process is None else self._process.pid,
            state=self.state,
            restarts=self._restarts_count,
            ports=dict(self.spec.ports),
            started_at=self._started_at,
            last_exit=self._last_exit,
        )

    @property
    def owned(self) -> OwnedProcess | None:
        """Who the process is while it runs."""
        return self._owned

    async def run(self) -> None:
        """Keep the process alive until `stop` is called.

        Cancelled: the process is killed.
        """
        while not self._stop_asked.is_set():
            asked = self._end_asked
            await self._live_once()
            if self._stop_asked.is_set():
                break
            if asked.is_set():
                self._end_asked = trio.Event()
                self._budget.forgive()
                continue
            await self._pause_after_death()
        self._become(ProcessState.STOPPED)

    async def wait_until(self, *states: ProcessState) -> ProcessState:
        """Wait until the process is in one of `states`; return which."""
        while self.state not in states:
            await self._changed.wait()
        return self.state

    def ask_restart(self) -> None:
        """Have the process stopped in good order and started again, its deaths forgiven."""
        self._end_asked.set()
        self._was_ready = False
        self._become(ProcessState.RESTARTING)

    async def stop(self) -> None:
        """End the process in good order, for good."""
        self._stop_asked.set()
        self._end_asked.set()
        if self.state is not ProcessState.WAITING:
            await self.wait_until(ProcessState.STOPPED)

    async def _live_once(self) -> None:
        try:
            with open_log(self.log) as output:
                process = start(self.spec.launch, output=output)
        except OSError as error:
            self._last_exit = f"could not be started: {error}"
            return
        self._remember(process)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch_readiness)
                nursery.start_soon(self._end_when_asked, process)
                await wait_exit(process)
                nursery.cancel_scope.cancel()
        finally:
            self._forget(process)

    def _remember(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        identity = identify(process.pid)
        if identity is not None:
            self._owned = OwnedProcess(
                name=self.spec.name,
                identity=identity,
                signal_to_stop=self.spec.launch.signal_to_stop,
            )
        self._started_at = self._clock.now().isoformat(timespec="milliseconds")
        self._become(ProcessState.STARTING)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        """Leave nothing of it behind, not even the children it did not wait for."""
        process.kill()
        code = process.wait()
        with suppress(ProcessLookupError, PermissionError):  # it left nobody
            os.killpg(process.pid, signal.SIGKILL)
        self._last_exit = describe_exit(code)
        self._process = None
        self._owned = None

    async def _watch_readiness(self) -> None:
        started = trio.current_time()
        while True:
            is_ready = await trio.to_thread.run_sync(self.spec.probe, abandon_on_cancel=True)
            if is_ready and self.state is not ProcessState.READY:
                if self.state is ProcessState.STARTING:
                    self._reporter.ready(
                        self.spec.name, self.spec.where, trio.current_time() - started
                    )
                self._was_ready = True
                self._become(ProcessState.READY)
            elif not is_ready and self.state is ProcessState.READY:
                self._become(ProcessState.UNREADY)
            is_starting = self.state is ProcessState.STARTING
            await trio.sleep(_PROBE_SECONDS_STARTING if is_starting else _PROBE_SECONDS_LATER)

    async def _end_when_asked(self, process: subprocess.Popen[bytes]) -> None:
        await self._end_asked.wait()
        self._become(ProcessState.STOPPING)
        process.send_signal(signal.SIGCONT)
        process.send_signal(self.spec.launch.signal_to_stop)
        await trio.sleep(self.spec.stop_seconds_max)
        self._reporter.trouble(
            self.spec.name, f"did not stop within {self.spec.stop_seconds_max:.0f} s; killed"
        )
        process.kill()

    async def _pause_after_death(self) -> None:
        self._restarts_count += 1
        is_hopeless = not self._was_ready and self._last_exit == describe_exit(SETTINGS_EXIT_CODE)
        pause = self._budget.after_death(trio.current_time(), is_hopeless=is_hopeless)
        if pause.is_crash_loop:
            self._reporter.trouble(
                self.spec.name,
                f"crash loop: {self._last_exit}, again and again; see `rialto logs "
                f"{self.spec.name}`. Next try in {pause.seconds:.0f} s.",
            )
            self._become(ProcessState.CRASH_LOOP)
        else:
            self._reporter.note(
                self.spec.name, f"{self._last_exit}; starting it again in {pause.seconds:.1f} s"
            )
            self._become(ProcessState.RESTARTING)
        with trio.move_on_after(pause.seconds):
            await self._end_asked.wait()
            if not self._stop_asked.is_set():
                self._end_asked = trio.Event()
                self._budget.forgive()

    def _become(self, state: ProcessState) -> None:
        self.state = state
        self._changed.set()
        self._changed = trio.Event()
        self._on_change()


async def wait_exit(process: subprocess.Popen[bytes]) -> int:
    """Wait until `process` has ended; return its exit code, negative for a signal."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return process.wait()
    try:
        await trio.lowlevel.wait_readable(descriptor)
    finally:
        os.close(descriptor)
    return process.wait()


def describe_exit(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"
