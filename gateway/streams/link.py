"""The pipelined connection to Redis that every ordinary call goes through."""

from collections import deque
from typing import Final, NoReturn, Protocol, cast

import msgspec
import trio
from outcome import Error, Value

from gateway.streams.address import RedisAddress
from gateway.streams.redial import Redial
from gateway.streams.replies import (
    Argument,
    LinkDownError,
    LinkFullError,
    LinkReplyError,
    Reply,
)
from gateway.streams.resp import pack
from gateway.streams.wire import Wire, WireError

__all__ = [
    "Calls",
    "Link",
    "LinkDownError",
    "LinkFullError",
    "LinkReplyError",
    "LinkStatistics",
    "Reply",
]

WAITERS_MAX: Final = 50_000
"""Calls that may wait for their replies: half a second's worth of all that Redis can do."""

_PING: Final = pack(("PING",))
_ASKING: Final = pack(("ASKING",))


class Calls(Protocol):
    """Whatever carries calls to Redis."""

    @property
    def is_up(self) -> bool:
        """Say whether a call made now would be sent."""
        ...

    async def call(self, *args: Argument) -> Reply:
        """Carry out one command; see `Link.call`."""
        ...

    async def wait_up(self) -> None:
        """Return as soon as a call made now would be sent."""
        ...

    @property
    def publish_word(self) -> str:
        """The command that tells a channel: PUBLISH, or SPUBLISH in a cluster."""
        ...


class LinkStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the link did so far, and what it holds now.

    `refused_count` are calls Redis answered with an error, `failed_count` those it never answered
    or never got.
    """

    is_up: bool
    calls_count: int
    refused_count: int
    failed_count: int
    connects_count: int
    disconnects_count: int
    waiting_count: int
    unsent_bytes: int
    last_failure: str


class Link:
    """One connection that many tasks share; comes back by itself, and says so while it is down."""

    def __init__(
        self,
        address: RedisAddress,
        *,
        name: str = "rialto-gateway",
        waiters_max: int = WAITERS_MAX,
    ) -> None:
        self._waiters_max = waiters_max
        self._redial = Redial(address, name=name, resp_version=2)
        self._wire: Wire | None = None
        self._came_up = trio.Event()
        # One item for each reply that is still to come, in order: the task that waits for it,
        # boxed, so that a canceled one can take itself out without moving the others.
        self._waiters: deque[list[trio.lowlevel.Task | None]] = deque()
        self._calls_count = 0
        self._refused_count = 0
        self._failed_count = 0

    @property
    def is_up(self) -> bool:
        """Say whether a call made now would be sent."""
        return self._wire is not None

    @property
    def publish_word(self) -> str:
        """The command that tells a channel."""
        return "PUBLISH"

    def statistics(self) -> LinkStatistics:
        """Count what was done and what is waiting."""
        return LinkStatistics(
            is_up=self.is_up,
            calls_count=self._calls_count,
            refused_count=self._refused_count,
            failed_count=self._failed_count,
            connects_count=self._redial.connects_count,
            disconnects_count=self._redial.disconnects_count,
            waiting_count=len(self._waiters),
            unsent_bytes=0 if self._wire is None else self._wire.unsent_bytes,
            last_failure=self._redial.last_failure,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep connected for ever; started once the first attempt to connect has ended."""

        def on_tried() -> None:
            task_status.started()

        await self._redial.run(self._converse, on_tried=on_tried)

    async def call(self, *args: Argument) -> Reply:
        """Carry out one command and return its reply; calls are sent in the order they are made.

        The deadline is the caller's scope. A call canceled while it waits may still be carried
        out; its reply is dropped, and nobody else's is affected.

        Raises:
            LinkDownError: at once while Redis is down or too much is waiting (`LinkFullError`);
                or when the connection is lost before the reply came.
            LinkReplyError: if Redis refused.
        """
        packed = pack(args)
        await trio.lowlevel.checkpoint_if_cancelled()
        wire = self._wire
        self._calls_count += 1
        if wire is None:
            await self._refuse(LinkDownError(f"Redis is down: {self._redial.last_failure}"))
        elif len(self._waiters) >= self._waiters_max or not wire.has_room(packed):
            await self._refuse(LinkFullError("too much is waiting for Redis"))
        else:
            wire.send(packed)
        return await self._wait()

    async def call_asking(self, *args: Argument) -> Reply:
        """Carry out one command on a cluster's node that is being given the slot; else `call`."""
        packed = _ASKING + pack(args)
        await trio.lowlevel.checkpoint_if_cancelled()
        wire = self._wire
        self._calls_count += 1
        if wire is None or len(self._waiters) >= self._waiters_max or not wire.has_room(packed):
            await self._refuse(LinkDownError("the node that is given the slot cannot be asked"))
        wire.send(packed)
        self._waiters.append([None])
        return await self._wait()

    async def wait_up(self) -> None:
        """Return as soon as a call made now would be sent."""
        await self._came_up.wait()

    async def _refuse(self, refusal: LinkDownError) -> NoReturn:
        self._failed_count += 1
        await trio.lowlevel.checkpoint()
        raise refusal

    async def _wait(self) -> Reply:
        waiter: list[trio.lowlevel.Task | None] = [trio.lowlevel.current_task()]
        self._waiters.append(waiter)

        def abort(_raise_cancel: object) -> trio.lowlevel.Abort:
            waiter[0] = None
            return trio.lowlevel.Abort.SUCCEEDED

        return cast("Reply", await trio.lowlevel.wait_task_rescheduled(abort))

    async def _converse(self, stream: trio.abc.Stream) -> None:
        self._wire = Wire(stream, on_reply=self._answer, on_idle=self._ping)
        self._came_up.set()
        try:
            await self._wire.run()
        finally:
            self._wire = None
            self._came_up = trio.Event()
            self._fail_waiting()

    def _answer(self, reply: object) -> None:
        if not self._waiters:
            raise WireError("Redis answered what nobody asked")
        task = self._waiters.popleft()[0]
        if isinstance(reply, LinkReplyError):
            self._refused_count += 1
            if task is not None:
                trio.lowlevel.reschedule(task, Error(reply))
        elif task is not None:
            trio.lowlevel.reschedule(task, Value(reply))

    def _ping(self) -> None:
        if self._wire is not None and len(self._waiters) < self._waiters_max:
            self._wire.send(_PING)
            self._waiters.append([None])

    def _fail_waiting(self) -> None:
        while self._waiters:
            task = self._waiters.popleft()[0]
            if task is not None:
                self._failed_count += 1
                lost = LinkDownError("the connection was lost before Redis answered")
                trio.lowlevel.reschedule(task, Error(lost))
