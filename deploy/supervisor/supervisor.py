"""The supervisor's whole tree of tasks.

supervise
├─ signals         Ctrl-C and SIGTERM ask for a stop; a second one cuts it short
├─ control         answers `rialto status`, `restart` and `down` on a unix socket
├─ log rotation
├─ child x N       one task each, see child.py
└─ stages          in order: start, wait until ready; at the end, stop by rank
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import trio

from deploy.launch import start
from deploy.supervisor import control
from deploy.supervisor.child import SETTINGS_EXIT_CODE, Child, describe_exit, wait_exit
from deploy.supervisor.errors import StartError
from deploy.supervisor.identity import identify
from deploy.supervisor.logs import keep_rotating, log_path, log_tail, open_log
from deploy.supervisor.reporter import Reporter
from deploy.supervisor.restarts import DEFAULT_RULE, RestartRule
from deploy.supervisor.spec import ProcessSpec, Stage, TaskSpec
from deploy.supervisor.state import (
    ProcessState,
    ShopAddress,
    ShopStatus,
    StateFile,
    write_state,
)

_TAIL_LINES: Final = 15
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Brings up stages of processes in a folder and keeps them up.

    The folder must be locked by the caller, and hold nothing of an earlier supervisor any more.
    """

    def __init__(
        self,
        *,
        folder: Path,
        address: ShopAddress,
        stages: Sequence[Stage],
        reporter: Reporter,
        rule: RestartRule = DEFAULT_RULE,
    ) -> None:
        self._folder = folder
        self._logs = folder / "logs"
        self._address = address
        self._stages = stages
        self._reporter = reporter
        self._children = {
            spec.name: Child(
                spec,
                log=log_path(self._logs, spec.name),
                reporter=reporter,
                on_change=self._write_state,
                rule=rule,
            )
            for stage in stages
            for spec in stage.processes
        }
        identity = identify(os.getpid())
        assert identity is not None
        self._identity = identity
        self._stop_asked = trio.Event()

    async def supervise(self, *, on_up: Callable[[bool], None]) -> None:
        """Bring everything up, call `on_up` (with whether all is ready), keep it up, stop it.

        Raises:
            StartError: if something essential does not start; by then all is stopped again.
        """
        self._logs.mkdir(mode=0o700, exist_ok=True)
        self._write_state()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen_to_signals, nursery.cancel_scope)
            await nursery.start(control.serve, self._folder, self)
            nursery.start_soon(keep_rotating, [child.log for child in self._children.values()])
            failure = await self._bring_all_up(nursery, on_up)
            if failure is None:
                await self._stop_asked.wait()
            # A second signal cancels this; then the children's own tasks kill them.
            await self._stop_all()
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    def status(self) -> ShopStatus:
        """Return how everything is."""
        return ShopStatus(
            running=True,
            url=self._address.url,
            socket_url=self._address.socket_url,
            data=self._address.data,
            profile=self._address.profile,
            supervisor_pid=self._identity.pid,
            processes=[child.status() for child in self._children.values()],
        )

    def ask_restart(self, name: str) -> list[str]:
        """Restart the process of that name, or all of that kind (`gateway`); return their names."""
        chosen = [
            child
            for known, child in self._children.items()
            if known == name or known.rpartition("-")[0] == name
        ]
        for child in chosen:
            child.ask_restart()
        return [child.spec.name for child in chosen]

    def ask_stop(self) -> None:
        """Have everything stopped in order."""
        self._stop_asked.set()

    async def _bring_all_up(
        self, nursery: trio.Nursery, on_up: Callable[[bool], None]
    ) -> StartError | None:
        """Go through the stages unless a stop is asked for; return what went wrong."""
        failure: StartError | None = None
        async with trio.open_nursery() as attempt:
            attempt.start_soon(self._cancel_when_stopped, attempt.cancel_scope)
            try:
                for stage in self._stages:
                    await self._bring_up(stage, nursery)
            except StartError as error:
                failure = error
            else:
                children = self._children.values()
                on_up(all(child.state is ProcessState.READY for child in children))
            attempt.cancel_scope.cancel()
        return failure

    async def _cancel_when_stopped(self, attempt: trio.CancelScope) -> None:
        await self._stop_asked.wait()
        attempt.cancel()

    async def _bring_up(self, stage: Stage, nursery: trio.Nursery) -> None:
        for spec in stage.processes:
            nursery.start_soon(self._children[spec.name].run)
        for spec in stage.processes:
            await self._wait_ready(spec, is_essential=stage.essential)
        for step in stage.steps:
            started = trio.current_time()
            result = await trio.to_thread.run_sync(step.call, abandon_on_cancel=True)
            self._reporter.ready(step.name, result, trio.current_time() - started)
        for task in stage.tasks:
            if task.is_needed():
                await self._run_task(task)

    async def _wait_ready(self, spec: ProcessSpec, *, is_essential: bool) -> None:
        child = self._children[spec.name]
        reached = None
        with trio.move_on_after(spec.ready_seconds_max):
            reached = await child.wait_until(ProcessState.READY, ProcessState.CRASH_LOOP)
        if reached is ProcessState.READY:
            return
        last_exit = child.status().last_exit or f"not ready after {spec.ready_seconds_max:.0f} s"
        words = f"{spec.name} does not start ({last_exit}). Its last words:"
        sentence = "\n  ".join([words, *log_tail(child.log, lines_max=_TAIL_LINES)])
        refuses = last_exit == describe_exit(SETTINGS_EXIT_CODE)
        if is_essential or refuses:
            raise StartError(sentence, exit_code=2 if refuses else 1)
        self._reporter.trouble(spec.name, sentence)

    async def _run_task(self, task: TaskSpec) -> None:
        started = trio.current_time()
        log = log_path(self._logs, task.name)
        begin = log.stat().st_size if log.exists() else 0
        code = await _run_to_end(task, log)
        if code == 0:
            task.on_done()
            self._reporter.ready(task.name, task.result, trio.current_time() - started)
            return
        how = "took too long" if code is None else describe_exit(code)
        tail = log_tail(log, lines_max=_TAIL_LINES, after_byte=begin)
        sentence = "\n  ".join([f"{task.name} failed ({how}). Its last words:", *tail])
        if task.is_essential:
            raise StartError(sentence, exit_code=2 if code == SETTINGS_EXIT_CODE else 1)
        self._reporter.trouble(task.name, sentence)

    async def _stop_all(self) -> None:
        alive = [child for child in self._children.values() if child.owned is not None]
        idle = [child for child in self._children.values() if child.owned is None]
        for child in idle:
            await child.stop()
        alive.sort(key=lambda child: child.spec.stop_rank)
        for _, rank in groupby(alive, key=lambda child: child.spec.stop_rank):
            async with trio.open_nursery() as nursery:
                for child in rank:
                    nursery.start_soon(self._stop_one, child)

    async def _stop_one(self, child: Child) -> None:
        started = time.monotonic()
        await child.stop()
        self._reporter.note(child.spec.name, f"stopped ({time.monotonic() - started:.1f} s)")

    async def _listen_to_signals(self, everything: trio.CancelScope) -> None:
        with trio.open_signal_receiver(*_STOP_SIGNALS) as received:
            async for _ in received:
                if self._stop_asked.is_set():
                    self._reporter.note("rialto", "asked twice: killing what is left")
                    everything.cancel()
                    return
                self._reporter.note("rialto", "stopping; once more cuts it short")
                self.ask_stop()

    def _write_state(self) -> None:
        owned = [child.owned for child in self._children.values()]
        write_state(
            self._folder / "state.json",
            StateFile(
                supervisor=self._identity,
                address=self._address,
                processes=[process for process in owned if process is not None],
            ),
        )


async def _run_to_end(task: TaskSpec, log: Path) -> int | None:
    """Return the exit code of `task`, None if it took too long. Cancelled: it is killed."""
    with open_log(log) as output:
        process = start(task.launch, output=output)
    try:
        with trio.move_on_after(task.seconds_max):
            return await wait_exit(process)
    finally:
        process.kill()
        process.wait()
    return None
