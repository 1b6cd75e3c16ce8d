"""A whole private shop: every process real, under the real supervisor, on ports of its own."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager

import trio

from deploy.engines.ports import NoFreePortError, is_free
from deploy.launch import Launch, start
from deploy.paths import ROOT, python_argv, python_environment
from deploy.supervisor.control import AskDown, AskStatus, NotRunningError, ask
from deploy.supervisor.state import ProcessState
from loadtest.clients import Client, ClientOptions
from loadtest.listening import Listener
from loadtest.rest import open_shop
from loadtest.sockets import SocketAddress
from shared.environment import process_variables

START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 40
RECOVER_SECONDS_MAX = 30
LOOK_AGAIN_SECONDS = 0.05
PORT_OFFSETS = (0, 1, 10, 11, 20, 21, 32, 40, 79)
PROCESSES_COUNT = 7


class ShopFailedError(Exception):
    """The shop did not come up; the message holds what its programs said last."""


class RunningShop:
    """A shop and the means to hurt it."""

    def __init__(self, folder, status):
        self.folder = folder
        self.web_url = status.url
        self.socket_url = status.socket_url

    @property
    def redis_url(self):
        """The address of the shop's own Valkey."""
        return f"redis://127.0.0.1:{self._process('valkey').ports['valkey']}/0"

    def _process(self, name):
        return next(
            one for one in ask(self.folder, AskStatus()).status.processes if one.name == name
        )

    async def process(self, name):
        """Return what the supervisor knows of one process."""
        return await trio.to_thread.run_sync(self._process, name)

    async def kill(self, name):
        """Kill a process without a warning; return what was known of it."""
        victim = await self.process(name)
        os.kill(victim.pid, signal.SIGKILL)
        return victim

    async def wait_back(self, victim):
        """Wait until a killed process has a successor that is ready."""
        with trio.fail_after(RECOVER_SECONDS_MAX):
            while True:
                now = await self.process(victim.name)
                if now.pid != victim.pid and now.state is ProcessState.READY:
                    return
                await trio.sleep(LOOK_AGAIN_SECONDS)

    async def wait_healthy(self):
        """Wait until every process is ready."""
        with trio.fail_after(RECOVER_SECONDS_MAX):
            while True:
                status = await trio.to_thread.run_sync(ask, self.folder, AskStatus())
                if all(one.state is ProcessState.READY for one in status.status.processes):
                    return
                await trio.sleep(LOOK_AGAIN_SECONDS)

    @contextmanager
    def frozen(self, pid):
        """Stop a process in its tracks for the length of the block."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def open_rest(self):
        """Open connections to the shop's REST interface."""
        return open_shop(self.web_url, recorder=None, now=time.monotonic)

    def client(self, rest, token, *, device, listener=None, wire_format="json"):
        """Return a client for the user who is signed in with `token`."""
        options = ClientOptions(
            address=SocketAddress.parse(self.socket_url), device=device, wire_format=wire_format
        )
        return Client(
            options, fetch_ticket=lambda: rest.ticket(token), listener=listener or Listener()
        )


@contextmanager
def a_running_shop(folder, *, redis_url=None):
    """Start a shop in `folder`, and stop it at the end; it ends with this process, too.

    It has a Valkey of its own, unless it is told of another Redis.
    """
    with (folder / "up.log").open("wb") as output:
        outside = {"RIALTO_REDIS_URL": redis_url} if redis_url else {}
        environment = python_environment(_clean_environment() | outside)
        argv = python_argv("deploy", "up", "--data", str(folder), "--port", str(_base_port()))
        supervisor = start(
            Launch(argv=argv, environment=environment, working_folder=ROOT), output=output
        )
    try:
        yield RunningShop(folder, _wait_up(folder, supervisor, PROCESSES_COUNT - len(outside)))
    finally:
        _stop(folder, supervisor)


def _clean_environment():
    found = process_variables()
    kept = {name: value for name, value in found.items() if not name.startswith("RIALTO_")}
    return kept | {"RIALTO_PROFILE": "dev"}


def _base_port():
    for base in range(21_000 + os.getpid() % 1000 * 10, 32_600, 100):
        if all(is_free(base + offset) for offset in PORT_OFFSETS):
            return base
    raise NoFreePortError("no free run of ports for a whole shop")


def _wait_up(folder, supervisor, processes):
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and supervisor.poll() is None:
        try:
            status = ask(folder, AskStatus()).status
        except NotRunningError:
            status = None
        if status is not None and len(status.processes) >= processes and _all_ready(status):
            return status
        time.sleep(LOOK_AGAIN_SECONDS)
    raise ShopFailedError((folder / "up.log").read_text()[-4000:])


def _all_ready(status):
    return all(process.state is ProcessState.READY for process in status.processes)


def _stop(folder, supervisor):
    try:
        ask(folder, AskDown())
    except NotRunningError:
        supervisor.terminate()
    try:
        supervisor.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
