"""A whole shop of one's own: started by `rialto up` in an empty folder, gone afterwards."""

import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from loadtest.comparison.bounds import SHOP_START_SECONDS_MAX
from loadtest.comparison.cores import on_cores
from loadtest.comparison.servers import LOCALHOST, ROOT, ServerDiedError, free_port, python_argv
from protocol.ids import RoomId

_PORTS_A_SHOP: Final = 20
_PORTS: Final = range(21_000, 29_000, _PORTS_A_SHOP)
_ANSWER_SECONDS_MAX: Final = 30.0
_TRIES_MAX: Final = 40


class RunningShop(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is, and its processes by name."""

    url: str
    socket_port: int
    pids: dict[str, int]

    def cpu_seconds(self) -> float:
        """Return the processor seconds that all its processes have used."""
        return sum(map(_cpu_seconds, self.pids.values()))

    def variable(self, name: str) -> str:
        """Return a variable of its programs."""
        return psutil.Process(self.pids["worker"]).environ()[name]

    def ask(
        self, method: str, path: str, *, token: str = "", body: dict[str, object] | None = None
    ) -> dict[str, Any]:
        """Make a REST request; waits as long as the shop asks for when there are too many.

        Raises:
            ServerDiedError: if it is refused.
        """
        request = urllib.request.Request(  # noqa: S310 - to the loopback address
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        for _ in range(_TRIES_MAX):
            try:
                with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS_MAX) as answer:  # noqa: S310
                    told: dict[str, Any] = json.loads(answer.read())
                    return told
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    raise ServerDiedError(
                        f"{method} {path}: {error.code} {error.read()!r}"
                    ) from error
                time.sleep(float(error.headers.get("Retry-After", "1")))
        raise ServerDiedError(f"{method} {path}: too many requests, however long we wait")

    def tickets(self, count: int) -> list[str]:
        """Return tickets of so many demo users."""
        tokens = [
            self.ask("POST", "/v1/sessions/demo", body={"user": number})["token"]
            for number in range(1, count + 1)
        ]
        return [self.ask("POST", "/v1/tickets", token=token)["ticket"] for token in tokens]

    def rooms(self, count: int) -> list[RoomId]:
        """Return the rooms of so many products."""
        items = self.ask("GET", f"/v1/products?limit={count}")["items"]
        return [RoomId(f"rom_{item['id'][4:]}") for item in items[:count]]


@contextmanager
def running_shop(*cores: int) -> Iterator[RunningShop]:
    """Run a shop with one gateway on these cores for the length of the block."""
    folder = tempfile.mkdtemp(prefix="rialto-bench-shop-")
    Path(folder).chmod(0o755)
    words = ("--data", folder)
    try:
        with on_cores(*cores):
            port = str(_PORTS[free_port() % len(_PORTS)])
            _rialto("up", *words, "--port", port, "--gateways", "1", "--detach")
        status = json.loads(_rialto("status", *words, "--json"))
        processes = {one["name"]: one for one in status["processes"]}
        gateway = next(one for name, one in processes.items() if name.startswith("gateway"))
        yield RunningShop(
            url=f"http://{LOCALHOST}:{processes['web']['ports']['web']}",
            socket_port=gateway["ports"]["gateway"],
            pids={name: one["pid"] for name, one in processes.items() if one["pid"]},
        )
    finally:
        _rialto("down", *words, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _rialto(*words: str, check: bool = True) -> str:
    done = subprocess.run(
        ["/usr/bin/env", f"PYTHONPATH={ROOT}", *python_argv("deploy", *words)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SHOP_START_SECONDS_MAX,
    )
    if check and done.returncode != 0:
        raise ServerDiedError(f"rialto {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _cpu_seconds(pid: int) -> float:
    """Return what a process and its children use; Postgres has one for each connection."""
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        total += times.user + times.system
    return total
