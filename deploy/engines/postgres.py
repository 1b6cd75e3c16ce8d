"""One private Postgres server on loopback, driven by its own programs."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from deploy.engines.account import engine_account, give_to
from deploy.engines.binaries import POSTGRES_MAJOR, postgres_folder
from deploy.engines.errors import EngineError, WrongVersionError
from deploy.engines.leftovers import forget_foreign_lock
from deploy.launch import FOLDER_PLACEHOLDER, Account, Launch, run

Tuning = Literal["safe", "fast"]
"""`safe` survives a power cut; `fast` is for tests, and survives a killed process only."""

_INITDB_SECONDS_MAX: Final = 120
_PROTOCOL_3: Final = 196608
_ANSWER_SECONDS_MAX: Final = 1.0

_FAST_SHUTDOWN: Final = signal.SIGINT
"""Ends every session and writes a checkpoint."""

_COMMON: Final[dict[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # paths of sockets are limited to 107 bytes
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "password_encryption": "scram-sha-256",
}
_TUNINGS: Final[Mapping[Tuning, dict[str, str]]] = {
    "safe": {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"},
    "fast": {
        "fsync": "off",  # but commits are still written, so they survive a kill
        "full_page_writes": "off",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "1h",
        "autovacuum_naptime": "10min",
    },
}


class Postgres(msgspec.Struct, frozen=True, kw_only=True):
    """A server with its files in `folder`, listening on 127.0.0.1.

    Without a password everybody on the machine may connect, which is for tests only.
    """

    folder: Path
    port: int
    tuning: Tuning = "safe"
    password: str | None = None

    def prepare(self) -> None:
        """Make the files if there are none.

        Raises:
            WrongVersionError: if they were written by another major version.
            EngineError: if they cannot be made.
        """
        if (self.folder / "PG_VERSION").exists():
            _check_version(self.folder)
            forget_foreign_lock(self.folder)
            return
        if self.folder.exists() and any(self.folder.iterdir()):
            raise EngineError(f"{self.folder} holds files, but they are not Postgres'.")
        _make_files(self)

    def launch(self) -> Launch:
        """Return how to start the server in the foreground."""
        account = engine_account(self.folder)
        settings = _COMMON | _TUNINGS[self.tuning] | {"port": str(self.port)}
        words = [f"-c{name}={value}" for name, value in settings.items()]
        where = FOLDER_PLACEHOLDER if account else str(self.folder)
        return Launch(
            argv=(str(postgres_folder(account) / "postgres"), "-D", where, *words),
            environment={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            working_folder=Path("/"),
            account=account,
            opened_folder=self.folder if account else None,
            signal_to_stop=_FAST_SHUTDOWN,
            signal_on_orphaned=_FAST_SHUTDOWN,
        )

    def is_ready(self) -> bool:
        """Tell whether the server would talk to a client now."""
        return _greets("127.0.0.1", self.port)

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        password = "" if self.password is None else f":{quote(self.password, safe='')}"
        return f"postgresql://postgres{password}@127.0.0.1:{self.port}/{quote(database)}"

    def execute(self, *statements: str, database: str = "postgres") -> str:
        """Run each statement in its own transaction; return what came of it, unadorned.

        Raises:
            EngineError: if the server refuses one; those before it stand.
        """
        words = [word for statement in statements for word in ("-c", statement)]
        finished = subprocess.run(
            [
                str(postgres_folder(None) / "psql"),
                *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *words),
                self.url(database),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise EngineError(finished.stderr.strip())
        return finished.stdout.strip()


def _check_version(folder: Path) -> None:
    found = (folder / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != str(POSTGRES_MAJOR):
        raise WrongVersionError(
            f"{folder} was written by Postgres {found}, but this Rialto brings Postgres "
            f"{POSTGRES_MAJOR}; move the folder away, or use another one with --data."
        )


def _make_files(server: Postgres) -> None:
    """Under another name first, so that an interrupted attempt leaves nothing half-made."""
    fresh = server.folder.with_name(f"{server.folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    finished = _run_initdb(server, fresh)
    if finished.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EngineError(f"Postgres could not make its files: {_reason(finished.stdout)}")
    if server.folder.exists():
        server.folder.rmdir()
    fresh.rename(server.folder)


def _run_initdb(server: Postgres, fresh: Path) -> subprocess.CompletedProcess[str]:
    account = engine_account(server.folder)
    give_to(fresh, account)
    where = FOLDER_PLACEHOLDER if account else str(fresh)
    words = ["-D", where, "-U", "postgres", "--encoding=utf8", "--locale=C.UTF-8"]
    if server.tuning == "fast":
        words.append("--no-sync")
    with _password_file(server.password, account) as password:
        words.extend(
            ["--auth=trust"]
            if password is None
            else ["--auth=scram-sha-256", f"--pwfile={password}"]
        )
        return run(
            Launch(
                argv=(str(postgres_folder(account) / "initdb"), *words),
                environment={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
                working_folder=Path("/"),
                account=account,
                opened_folder=fresh if account else None,
                signal_on_orphaned=signal.SIGKILL,
            ),
            deadline_seconds=_INITDB_SECONDS_MAX,
        )


@contextmanager
def _password_file(password: str | None, account: Account | None) -> Iterator[str | None]:
    if password is None:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", prefix="rialto-") as file:
        file.write(password)
        file.flush()
        if account:
            os.chown(file.name, account.user_id, account.group_id)
        yield file.name


def _reason(output: str) -> str:
    """The lines that tell of the failure, or the last ones."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "FATAL" in line or "PANIC" in line]
    return " ".join((telling or lines)[-3:]) or "it said nothing"


def _greets(host: str, port: int) -> bool:
    """Ask for a session and see whether the server asks who we are (as pg_isready does)."""
    words = b"user\0postgres\0database\0postgres\0\0"
    hello = struct.pack("!ii", len(words) + 8, _PROTOCOL_3) + words
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_SECONDS_MAX) as connection:
            connection.sendall(hello)
            return connection.recv(1) == b"R"
    except OSError:
        return False
