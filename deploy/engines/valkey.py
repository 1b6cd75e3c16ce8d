"""One private Valkey server on loopback, its append-only file on."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from deploy.engines.account import engine_account, give_to
from deploy.engines.binaries import valkey_program
from deploy.engines.errors import EngineError
from deploy.engines.postgres import Tuning
from deploy.launch import FOLDER_PLACEHOLDER, Launch

_ANSWER_SECONDS_MAX: Final = 2.0
_ANSWER_BYTES_MAX: Final = 200
DATABASE_COUNT: Final = 16

_COMMON: Final[dict[str, str]] = {
    "bind": "127.0.0.1",
    "databases": str(DATABASE_COUNT),
    "maxmemory-policy": "noeviction",
    "appendonly": "yes",
    "save": "",
    "tcp-backlog": "128",
}
_TUNINGS: Final[Mapping[Tuning, dict[str, str]]] = {
    "safe": {
        "appendfsync": "everysec",
        "auto-aof-rewrite-percentage": "100",
        "auto-aof-rewrite-min-size": "64mb",
        "aof-load-truncated": "yes",
    },
    "fast": {"appendfsync": "no"},
}


class ClusterPart(msgspec.Struct, frozen=True, kw_only=True):
    """How a server takes part in a cluster; for tests."""

    bus_port: int
    node_timeout_ms: int

    def settings(self) -> dict[str, str]:
        """Return it as the server is told."""
        return {
            "cluster-enabled": "yes",
            "cluster-port": str(self.bus_port),
            "cluster-node-timeout": str(self.node_timeout_ms),
            "cluster-allow-replica-migration": "no",
            "cluster-replica-validity-factor": "0",
            "repl-diskless-sync-delay": "0",
        }


class Valkey(msgspec.Struct, frozen=True, kw_only=True):
    """A server with its files in `folder`, listening on 127.0.0.1."""

    folder: Path
    port: int
    tuning: Tuning = "safe"
    cluster: ClusterPart | None = None

    def prepare(self) -> None:
        """Make the folder if there is none.

        Raises:
            EngineError: if there is nobody to own it.
        """
        give_to(self.folder, engine_account(self.folder))

    def launch(self) -> Launch:
        """Return how to start the server in the foreground."""
        account = engine_account(self.folder)
        settings = _COMMON | _TUNINGS[self.tuning] | {"port": str(self.port)}
        settings |= {} if self.cluster is None else self.cluster.settings()
        where = FOLDER_PLACEHOLDER if account else str(self.folder)
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return Launch(
            argv=(str(valkey_program(account)), "--dir", where, *words),
            environment={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            working_folder=Path("/"),
            account=account,
            opened_folder=self.folder if account else None,
        )

    def is_ready(self) -> bool:
        """Tell whether the server has loaded its data and answers."""
        try:
            return self._ask(b"PING") == b"+PONG"
        except OSError:
            return False

    def flush(self) -> None:
        """Forget everything, and every client's script; for tests.

        Raises:
            EngineError: if the server does not do it.
        """
        for command in (b"FLUSHALL SYNC", b"SCRIPT FLUSH SYNC"):
            answer = self._ask(command)
            if answer != b"+OK":
                raise EngineError(f"Valkey answered {answer!r} to {command!r}.")

    def url(self, database: int = 0) -> str:
        """Return the address of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def _ask(self, command: bytes) -> bytes:
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, timeout=_ANSWER_SECONDS_MAX) as connection:
            connection.sendall(command + b"\r\n")
            return connection.makefile("rb").readline(_ANSWER_BYTES_MAX).rstrip()
