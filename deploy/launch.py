"""How one process of ours is started: its words, its account, and what dies with what.

Linux only, like the engines' wheels: it leans on `/proc` and `prctl(2)`.
"""

import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

FOLDER_PLACEHOLDER: Final = "{folder}"
"""Stands in `Launch.argv` for the folder that is handed over open."""

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user of the machine that a process may run as."""

    name: str
    user_id: int
    group_id: int


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to start a process, and to start it again.

    With `opened_folder` the process is handed that folder as an open descriptor, and finds its
    name where argv says `{folder}`. So an account that may not walk the path to the folder (below
    a home of mode 0700, for example) can still use it.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_folder: Path | None = None
    account: Account | None = None
    opened_folder: Path | None = None
    signal_to_stop: int = signal.SIGTERM
    signal_on_orphaned: int = signal.SIGTERM
    open_files_max: int | None = None


def start(launch: Launch, *, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start `launch` as a direct child that leads its own session, so Ctrl-C passes it by.

    The kernel sends the child `signal_on_orphaned` when the calling *thread* ends, so call this
    from the main one.
    """
    account = launch.account
    with _described(launch) as (argv, descriptors):
        return subprocess.Popen(
            argv,
            env=dict(launch.environment),
            cwd=launch.working_folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=descriptors,
            preexec_fn=_in_the_child(launch),  # noqa: PLW1509 - no locks: system calls, prepared before
            user=None if account is None else account.user_id,
            group=None if account is None else account.group_id,
            extra_groups=None if account is None else (),
        )


def run(launch: Launch, *, deadline_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run `launch` to its end and return what it said.

    Raises:
        subprocess.TimeoutExpired: when it takes longer than that; it is killed.
    """
    account = launch.account
    with _described(launch) as (argv, descriptors):
        return subprocess.run(
            argv,
            env=dict(launch.environment),
            cwd=launch.working_folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=deadline_seconds,
            pass_fds=descriptors,
            preexec_fn=_in_the_child(launch),
            user=None if account is None else account.user_id,
            group=None if account is None else account.group_id,
            extra_groups=None if account is None else (),
        )


@contextmanager
def _described(launch: Launch) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    if launch.opened_folder is None:
        yield list(launch.argv), ()
        return
    descriptor = os.open(launch.opened_folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        name = f"/proc/self/fd/{descriptor}"
        yield [word.replace(FOLDER_PLACEHOLDER, name) for word in launch.argv], (descriptor,)
    finally:
        os.close(descriptor)


def _in_the_child(launch: Launch) -> Callable[[], None]:
    signal_number = int(launch.signal_on_orphaned)
    open_files = launch.open_files_max

    def prepare() -> None:
        """Between fork and exec, after the account has changed (that would reset it)."""
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if open_files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))

    return prepare
