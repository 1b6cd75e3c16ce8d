"""Talking to a running supervisor: one JSON line asked, one JSON line answered.

The unix socket lies in the data folder. Its address goes through `/proc/self/fd`, because the
path of a socket may not be longer than 107 bytes while a folder's may.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec
import trio

from deploy.supervisor.state import ShopStatus

SOCKET_NAME: Final = "control.sock"
_REQUEST_BYTES_MAX: Final = 10_000
_ANSWER_BYTES_MAX: Final = 1_000_000
_ASK_SECONDS_MAX: Final = 10.0


class AskStatus(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    """How is everything?"""


class AskRestart(msgspec.Struct, frozen=True, kw_only=True, tag="restart"):
    """Restart the process of this name, or all of this kind."""

    name: str


class AskDown(msgspec.Struct, frozen=True, kw_only=True, tag="down"):
    """Stop everything in order."""


Request = AskStatus | AskRestart | AskDown


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor says; `names` are those that a request was about."""

    status: ShopStatus
    names: list[str] = []


class NotRunningError(Exception):
    """No supervisor answers in this data folder."""


class Controlled(Protocol):
    """What can be asked of a supervisor."""

    def status(self) -> ShopStatus:
        """Return how everything is."""
        ...

    def ask_restart(self, name: str) -> list[str]:
        """Restart by name or kind; return the names."""
        ...

    def ask_stop(self) -> None:
        """Have everything stopped in order."""


async def serve(
    folder: Path,
    controlled: Controlled,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer requests until cancelled; started once the socket is there."""
    (folder / SOCKET_NAME).unlink(missing_ok=True)
    server = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with server:
        with _short_address(folder) as address:
            await server.bind(address)
        (folder / SOCKET_NAME).chmod(0o600)
        server.listen()
        task_status.started()

        async def answer(stream: trio.SocketStream) -> None:
            with trio.move_on_after(_ASK_SECONDS_MAX):
                await _answer(stream, controlled)

        async with trio.open_nursery() as nursery:
            await trio.serve_listeners(
                answer, [trio.SocketListener(server)], handler_nursery=nursery
            )


def ask(folder: Path, request: Request) -> Answer:
    """Put a request to the supervisor of `folder`.

    Raises:
        NotRunningError: if there is none.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ASK_SECONDS_MAX)
        try:
            with _short_address(folder) as address:
                connection.connect(address)
            connection.sendall(msgspec.json.encode(request) + b"\n")
            line = connection.makefile("rb").readline(_ANSWER_BYTES_MAX)
            return msgspec.json.decode(line, type=Answer)
        except (OSError, msgspec.DecodeError) as error:
            raise NotRunningError(f"no Rialto is running in {folder}") from error


async def _answer(stream: trio.SocketStream, controlled: Controlled) -> None:
    # A client that goes away, or speaks something else, is not our trouble.
    with suppress(trio.BrokenResourceError, msgspec.DecodeError, msgspec.ValidationError):
        async with stream:
            line = await _read_line(stream)
            names = _obey(msgspec.json.decode(line, type=Request), controlled)
            answer = Answer(status=controlled.status(), names=names)
            await stream.send_all(msgspec.json.encode(answer) + b"\n")


def _obey(request: Request, controlled: Controlled) -> list[str]:
    match request:
        case AskStatus():
            return []
        case AskRestart(name=name):
            return controlled.ask_restart(name)
        case AskDown():
            controlled.ask_stop()
            return []


async def _read_line(stream: trio.SocketStream) -> bytes:
    received = b""
    while not received.endswith(b"\n") and len(received) <= _REQUEST_BYTES_MAX:
        chunk = await stream.receive_some(_REQUEST_BYTES_MAX)
        if not chunk:
            break
        received += chunk
    return received


@contextmanager
def _short_address(folder: Path) -> Iterator[str]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)
