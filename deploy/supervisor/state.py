"""What is written down about a running shop, so that whoever comes next can tell what is his."""

import signal
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from deploy.supervisor.identity import ProcessIdentity, end, is_alive

_LEFTOVER_SECONDS_MAX: Final = 10.0


class ProcessState(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    RESTARTING = "restarting"
    CRASH_LOOP = "crash-loop"
    STOPPING = "stopping"
    STOPPED = "stopped"


class ProcessStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `rialto status`."""

    name: str
    pid: int | None
    state: ProcessState
    restarts: int
    ports: dict[str, int]
    started_at: str | None
    last_exit: str | None = None


class ShopAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a shop is to be found; the same for as long as it runs."""

    url: str
    socket_url: str
    data: str
    profile: str
    ports: dict[str, int]


class ShopStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What `rialto status --json` prints. Scripts rely on it: it only grows."""

    running: bool
    url: str | None
    socket_url: str | None
    data: str
    profile: str | None
    supervisor_pid: int | None
    processes: list[ProcessStatus]


class OwnedProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A child, and how it wants to be stopped."""

    name: str
    identity: ProcessIdentity
    signal_to_stop: int = signal.SIGTERM


class StateFile(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of state.json in the data folder."""

    supervisor: ProcessIdentity
    address: ShopAddress
    processes: list[OwnedProcess]


def write_state(path: Path, state: StateFile) -> None:
    """Replace the file at once, so that a reader sees the old or the new."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    fresh.replace(path)


def read_state(path: Path) -> StateFile | None:
    """Return what the last supervisor wrote; None if it left nothing that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=StateFile)
    except (OSError, msgspec.DecodeError):
        return None


def end_leftovers(path: Path) -> list[str]:
    """End the children that a killed supervisor has left; return their names.

    Only call this while holding the data folder's lock: then that supervisor is dead for sure.
    """
    state = read_state(path)
    if state is None:
        return []
    left = [process for process in state.processes if is_alive(process.identity)]
    for process in reversed(left):
        end(
            [process.identity],
            stop_signal=process.signal_to_stop,
            seconds_max=_LEFTOVER_SECONDS_MAX,
        )
    return [process.name for process in left]
