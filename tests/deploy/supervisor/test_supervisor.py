"""The supervisor keeps processes up, and stops them in order."""

import os
import signal
import subprocess
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio

from deploy.launch import start
from deploy.supervisor.control import AskDown, AskRestart, AskStatus, NotRunningError, ask
from deploy.supervisor.errors import StartError
from deploy.supervisor.identity import identify
from deploy.supervisor.restarts import RestartRule
from deploy.supervisor.spec import Stage, StepSpec, TaskSpec
from deploy.supervisor.state import (
    OwnedProcess,
    ProcessState,
    StateFile,
    end_leftovers,
    read_state,
    write_state,
)
from deploy.supervisor.supervisor import Supervisor
from tests.deploy.stand_ins import a_failure, a_server, stand_in_launch

EAGER = RestartRule(restarts_max=2, pause_seconds_first=0.05, pause_seconds_loop=60)
WAIT_SECONDS_MAX = 20


@pytest.fixture
def supervisor_of(tmp_path, notebook, address):
    def make(*stages, folder=tmp_path):
        return Supervisor(
            folder=folder, address=address, stages=stages, reporter=notebook, rule=EAGER
        )

    return make


@asynccontextmanager
async def up(supervisor):
    """Run a supervisor for the length of the block; yield whether everything was ready."""
    came_up = trio.Event()
    seen = []

    def on_up(everything_ready):
        seen.append(everything_ready)
        came_up.set()

    with trio.fail_after(WAIT_SECONDS_MAX):
        async with trio.open_nursery() as nursery:

            async def supervise():
                await supervisor.supervise(on_up=on_up)

            nursery.start_soon(supervise)
            await came_up.wait()
            yield seen[0]
            supervisor.ask_stop()


async def wait_until(condition):
    while not condition():  # noqa: ASYNC110 - the condition is another process's
        await trio.sleep(0.02)


def process(supervisor, name):
    return next(each for each in supervisor.status().processes if each.name == name)


class TestAProcessUnderSupervision:
    async def test_is_shown_with_all_that_scripts_rely_on(self, supervisor_of):
        spec = a_server("web")
        supervisor = supervisor_of(Stage(processes=(spec,)))

        async with up(supervisor) as everything_ready:
            shown = msgspec.to_builtins(supervisor.status())

        assert everything_ready
        assert {"running", "url", "socket_url", "data", "profile", "processes"} <= shown.keys()
        (web,) = shown["processes"]
        assert web["state"] == "ready"
        assert web["ports"] == dict(spec.ports)
        assert web["restarts"] == 0
        assert web["pid"] > 0
        assert web["started_at"].startswith("20")

    async def test_comes_back_after_a_kill(self, supervisor_of):
        supervisor = supervisor_of(Stage(processes=(a_server("web"),)))

        async with up(supervisor):
            killed = process(supervisor, "web").pid
            os.kill(killed, signal.SIGKILL)
            await wait_until(lambda: process(supervisor, "web").restarts == 1)
            await wait_until(lambda: process(supervisor, "web").state is ProcessState.READY)

            assert process(supervisor, "web").pid != killed
            assert process(supervisor, "web").last_exit == "was ended by SIGKILL"

    async def test_that_goes_on_dying_is_reported_and_the_others_stay(
        self, supervisor_of, notebook
    ):
        supervisor = supervisor_of(
            Stage(processes=(a_server("web"), a_failure("worker")), essential=False)
        )

        async with up(supervisor) as everything_ready:
            assert process(supervisor, "worker").state is ProcessState.CRASH_LOOP
            assert process(supervisor, "web").state is ProcessState.READY

        assert not everything_ready
        assert "told to" in notebook.about("trouble", "worker")[-1][2]

    async def test_is_started_anew_on_request_and_its_deaths_forgiven(self, supervisor_of):
        supervisor = supervisor_of(
            Stage(processes=(a_server("gateway-1"), a_server("gateway-2"), a_server("web")))
        )

        async with up(supervisor):
            before = {each.name: each.pid for each in supervisor.status().processes}
            assert supervisor.ask_restart("gateway") == ["gateway-1", "gateway-2"]
            for name in ("gateway-1", "gateway-2"):
                await wait_until(
                    lambda name=name: process(supervisor, name).pid not in {None, before[name]}
                )
                assert process(supervisor, name).restarts == 0

            assert process(supervisor, "web").pid == before["web"]

    async def test_that_does_not_listen_to_reason_is_killed(self, supervisor_of, notebook):
        supervisor = supervisor_of(
            Stage(processes=(a_server("deaf", "--deaf", stop_seconds_max=0.2),))
        )

        async with up(supervisor):
            pass

        assert "did not stop" in notebook.about("trouble", "deaf")[0][2]
        assert process(supervisor, "deaf").state is ProcessState.STOPPED


class TestStages:
    async def test_wait_for_one_another_and_stop_by_rank(self, supervisor_of, tmp_path, notebook):
        journal = tmp_path / "journal"
        supervisor = supervisor_of(
            Stage(
                processes=(a_server("engine", "--journal", journal, "engine", stop_rank=3),),
                steps=(StepSpec(name="database", call=lambda: "empty"),),
                tasks=(TaskSpec(name="seed", launch=stand_in_launch("fail", 0), result="full"),),
            ),
            Stage(
                processes=(
                    a_server("worker", "--journal", journal, "worker", stop_rank=2),
                    a_server("gateway", "--journal", journal, "gateway", stop_rank=0),
                )
            ),
        )

        async with up(supervisor):
            order = [name for kind, name, _ in notebook.lines if kind == "ready"]

        assert order[:3] == ["engine", "database", "seed"]
        assert journal.read_text().split() == ["gateway", "worker", "engine"]

    async def test_that_are_essential_stop_everything_when_they_fail(self, supervisor_of, notebook):
        supervisor = supervisor_of(
            Stage(processes=(a_server("engine"),)),
            Stage(tasks=(TaskSpec(name="migrate", launch=stand_in_launch("fail", 2), result=""),)),
            Stage(processes=(a_server("web"),)),
        )

        with pytest.raises(StartError, match="migrate failed") as failure:
            await supervisor.supervise(on_up=lambda _: pytest.fail("it did not come up"))

        assert failure.value.exit_code == 2
        assert "told to" in str(failure.value)
        assert process(supervisor, "engine").state is ProcessState.STOPPED
        assert process(supervisor, "web").state is ProcessState.WAITING

    async def test_a_program_that_refuses_its_settings_is_not_tried_again(self, supervisor_of):
        supervisor = supervisor_of(Stage(processes=(a_failure("web", code=2),), essential=False))

        with pytest.raises(StartError) as failure:
            await supervisor.supervise(on_up=lambda _: pytest.fail("it did not come up"))

        assert failure.value.exit_code == 2
        assert process(supervisor, "web").restarts == 1


class TestTalkingToASupervisor:
    async def test_works_in_a_folder_whose_path_is_too_long_for_sockets(
        self, supervisor_of, tmp_path
    ):
        folder = tmp_path / ("a long name with a space " * 6)
        folder.mkdir()
        supervisor = supervisor_of(Stage(processes=(a_server("web"),)), folder=folder)

        async with up(supervisor):
            answer = await trio.to_thread.run_sync(ask, folder, AskStatus())
            assert [each.name for each in answer.status.processes] == ["web"]
            answer = await trio.to_thread.run_sync(ask, folder, AskRestart(name="nobody"))
            assert answer.names == []
            await trio.to_thread.run_sync(ask, folder, AskDown())

    async def test_says_so_when_there_is_none(self, tmp_path):
        with pytest.raises(NotRunningError):
            ask(tmp_path, AskStatus())

    async def test_survives_nonsense(self, supervisor_of, tmp_path):
        supervisor = supervisor_of(Stage(processes=(a_server("web"),)))

        async with up(supervisor):
            async with await trio.open_unix_socket(tmp_path / "control.sock") as stream:
                await stream.send_all(b"\xff nonsense\n")
                assert await stream.receive_some(10) == b""

            assert (await trio.to_thread.run_sync(ask, tmp_path, AskStatus())).status.running


class TestSignals:
    async def test_sigterm_stops_everything_in_order(self, supervisor_of):
        supervisor = supervisor_of(Stage(processes=(a_server("web"),)))

        async with up(supervisor):
            os.kill(os.getpid(), signal.SIGTERM)
            await wait_until(lambda: process(supervisor, "web").state is ProcessState.STOPPED)

    async def test_a_second_one_kills_what_is_left(self, supervisor_of):
        supervisor = supervisor_of(
            Stage(processes=(a_server("deaf", "--deaf", stop_seconds_max=60),))
        )

        async with up(supervisor):
            pid = process(supervisor, "deaf").pid
            os.kill(os.getpid(), signal.SIGINT)
            await wait_until(lambda: process(supervisor, "deaf").state is ProcessState.STOPPING)
            os.kill(os.getpid(), signal.SIGINT)
            await wait_until(lambda: identify(pid) is None)


class TestTheStateFile:
    async def test_names_exactly_the_children_that_run(self, supervisor_of, tmp_path):
        supervisor = supervisor_of(Stage(processes=(a_server("web"),)))

        async with up(supervisor):
            (owned,) = read_state(tmp_path / "state.json").processes
            assert owned.name == "web"
            assert owned.identity == identify(process(supervisor, "web").pid)

        assert read_state(tmp_path / "state.json").processes == []

    async def test_lets_nobody_be_ended_who_only_has_the_same_number(self, supervisor_of, tmp_path):
        supervisor = supervisor_of(Stage(processes=(a_server("web"),)))
        path = tmp_path / "state.json"

        async with up(supervisor):
            written = msgspec.json.decode(path.read_bytes())
            written["processes"][0]["identity"]["started_ticks"] -= 1
            path.write_bytes(msgspec.json.encode(written))

            assert end_leftovers(path) == []
            assert process(supervisor, "web").state is ProcessState.READY

    def test_names_whom_the_next_supervisor_has_to_end(self, tmp_path, address):
        path = tmp_path / "state.json"
        orphan = start(a_server("web").launch, output=subprocess.DEVNULL)
        identity = identify(orphan.pid)
        write_state(
            path,
            StateFile(
                supervisor=identity,
                address=address,
                processes=[OwnedProcess(name="web", identity=identity)],
            ),
        )

        ended = end_leftovers(path)

        assert ended == ["web"]
        assert orphan.wait(timeout=5) in {0, -signal.SIGTERM}

    def test_that_cannot_be_read_is_as_good_as_none(self, tmp_path):
        path = tmp_path / "state.json"
        path.write_text("{half")

        assert read_state(path) is None
        assert end_leftovers(path) == []
