"""What the supervisor is asked to keep alive, and in which order."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from deploy.launch import Launch

READY_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 15.0
TASK_SECONDS_MAX: Final = 600.0


class ProcessSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A process that is to run for ever.

    `probe` tells whether it is ready for work; it is called in a thread and returns within
    seconds. Processes of the lowest `stop_rank` are stopped first, those of one rank together.
    """

    name: str
    launch: Launch
    probe: Callable[[], bool]
    ports: Mapping[str, int] = {}
    where: str = ""
    stop_rank: int = 0
    ready_seconds_max: float = READY_SECONDS_MAX
    stop_seconds_max: float = STOP_SECONDS_MAX


def _always() -> bool:
    return True


def _nothing() -> None:
    return


class TaskSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A process that is to run to its end, once, before what comes after it.

    If it fails and is not essential, that is reported, and `on_done` is not called.
    """

    name: str
    launch: Launch
    result: str
    seconds_max: float = TASK_SECONDS_MAX
    is_essential: bool = True
    is_needed: Callable[[], bool] = _always
    on_done: Callable[[], None] = _nothing


class StepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Something short to be done here, in a thread; it returns what came of it, for people.

    It may raise `StartError`.
    """

    name: str
    call: Callable[[], str]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Processes that start together; when they are ready, steps and then tasks, one by one.

    Nothing can go on without an `essential` stage. Of another, what fails is reported.
    """

    processes: tuple[ProcessSpec, ...] = ()
    steps: tuple[StepSpec, ...] = ()
    tasks: tuple[TaskSpec, ...] = ()
    essential: bool = True
