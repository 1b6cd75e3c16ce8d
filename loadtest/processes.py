"""Worker processes: started, spoken to over their pipes, and read."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Final

import trio

from loadtest.limits import WORKER_LINE_BYTES_MAX
from loadtest.orders import (
    AnyMessage,
    Message,
    Progress,
    Result,
    Settled,
    Start,
    decode_line,
    encode_line,
)
from loadtest.worker import work

_READ_BYTES: Final = 256 * 1024
_QUEUE_MESSAGES: Final = 16
_LEAVE_SECONDS_MAX: Final = 5


class WorkerDiedError(Exception):
    """A worker process ended before its report."""


async def read_lines(stream: trio.abc.ReceiveStream) -> AsyncIterator[AnyMessage]:
    """Yield the messages that arrive, until the other end closes."""
    parts: list[bytes] = []
    size = 0
    while chunk := bytes(await stream.receive_some(_READ_BYTES)):
        size += len(chunk)
        if size > WORKER_LINE_BYTES_MAX:
            raise WorkerDiedError("a worker's report is too long")
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            yield decode_line(b"".join([*parts, line]))
            parts.clear()
            size = len(rest)
        parts.append(rest)


class WorkerProcess:
    """One worker, from the crew's side. `run` must be running for anything to be heard."""

    def __init__(self, start: Start) -> None:
        self.users = len(start.tokens)
        self.progress: Progress | None = None
        self.settled: Settled | None = None
        self.result: Result | None = None
        self.has_settled = trio.Event()
        self.is_done = trio.Event()
        self._start = start
        self._process: trio.Process | None = None

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None
        return self._process.pid

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the process and listen until it has reported.

        Raises:
            WorkerDiedError: if it ends before.
        """
        process = await trio.lowlevel.open_process(
            [sys.executable, "-m", "loadtest", "work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the crew, which tells its workers in words
        )
        self._process = process
        try:
            await self.send(self._start)
            task_status.started()
            assert process.stdout is not None
            async for message in read_lines(process.stdout):
                self._hear(message)
        finally:
            with trio.CancelScope(shield=True):
                await self._see_it_end(process)
        if self.result is None:
            raise WorkerDiedError(f"a worker ended with status {process.returncode}")

    async def _see_it_end(self, process: trio.Process) -> None:
        """Let a worker that has reported leave by itself; end any other."""
        if self.result is not None:
            with trio.move_on_after(_LEAVE_SECONDS_MAX):
                await process.wait()
        process.kill()
        await process.wait()

    async def send(self, message: Message) -> None:
        """Tell the worker something."""
        assert self._process is not None
        assert self._process.stdin is not None
        await self._process.stdin.send_all(encode_line(message))

    def _hear(self, message: AnyMessage) -> None:
        match message:
            case Progress():
                self.progress = message
            case Settled():
                self.settled = message
                self.has_settled.set()
            case Result():
                self.result = message
                self.is_done.set()
            case _:
                raise WorkerDiedError("a worker said what only the crew says")


async def serve_crew() -> None:
    """Be a worker: take orders on standard input, report on standard output."""
    from_crew = trio.lowlevel.FdStream(os.dup(sys.stdin.fileno()))
    to_crew = trio.lowlevel.FdStream(os.dup(sys.stdout.fileno()))
    messages = read_lines(from_crew)
    start = await anext(messages)
    assert isinstance(start, Start)
    inbox_sender, inbox = trio.open_memory_channel[AnyMessage](_QUEUE_MESSAGES)
    outbox, outbox_receiver = trio.open_memory_channel[Message](_QUEUE_MESSAGES)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_pass_on, messages, inbox_sender, nursery.cancel_scope)
        nursery.start_soon(_write_out, outbox_receiver, to_crew, nursery.cancel_scope)
        async with outbox:
            await work(start, inbox, outbox)


async def _pass_on(
    messages: AsyncIterator[AnyMessage],
    inbox: trio.MemorySendChannel[AnyMessage],
    scope: trio.CancelScope,
) -> None:
    async for message in messages:
        await inbox.send(message)
    scope.cancel()  # the crew is gone: nobody needs the report


async def _write_out(
    outbox: trio.MemoryReceiveChannel[Message],
    stream: trio.abc.SendStream,
    scope: trio.CancelScope,
) -> None:
    async for message in outbox:
        await stream.send_all(encode_line(message))
    scope.cancel()  # all is said: nothing the crew could say matters now
