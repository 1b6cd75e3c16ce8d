"""The stream under trio-websocket, which also takes whole prepared frames without waiting.

trio-websocket's control frames and our prepared ones pass through one ordered outbox here, so
neither can land inside the other. A frame is handed to the kernel at once; only when the kernel
takes no more does an outbox exist, and a task that writes it. A frame that was begun is finished
before anything else, or the stream dies with it.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from math import inf

import trio
from typing_extensions import override

from gateway.connections.line import Line, linger
from gateway.connections.outbox import Lane, Outbox, OutboxFullError, Part, Waiting
from gateway.connections.tap import Tap
from gateway.connections.wire import close_code_of, close_frame
from gateway.limits import (
    OUTBOX_BYTES_SOFT,
    OUTBOX_SECONDS_MAX,
    RECEIVE_BYTES,
    WRITE_BATCH_BYTES,
)
from protocol.close_codes import MALFORMED, SLOW_CONSUMER

_TOO_BIG = 1009


def _nothing() -> None:
    """Stand in for a hook that nobody has set."""


class _State(Enum):
    OPEN = 1
    CLOSING = 2  # the close frame is on its way: nothing may follow it
    DEAD = 3


class Transport(trio.abc.Stream):
    """One client's byte stream."""

    __slots__ = (
        "_line",
        "_nursery",
        "_outbox",
        "_parts",
        "_quiet",
        "_rest",
        "_rest_at",
        "_send",
        "_state",
        "_tap",
        "_was_at_end_of_head",
        "close_code",
        "heard_at",
        "on_end",
        "on_overflow",
    )

    def __init__(self, line: Line, nursery: trio.Nursery) -> None:
        self._line = line
        self._send = line.send
        self._nursery = nursery
        self._state = _State.OPEN
        self._outbox: Outbox | None = None
        self._parts: list[Part] | None = None
        self._rest = memoryview(b"")
        self._rest_at = 0.0
        self._quiet: trio.Event | None = None
        self._tap: Tap | None = None
        self._was_at_end_of_head = False
        self.heard_at = trio.current_time()
        self.close_code: int | None = None
        self.on_end: Callable[[], None] = _nothing
        self.on_overflow: Callable[[], None] = _nothing

    @property
    def is_open(self) -> bool:
        """Say whether frames are still taken."""
        return self._state is _State.OPEN

    @property
    def queued_bytes(self) -> int:
        """Count what waits for the kernel."""
        return len(self._rest) + (self._outbox.bytes_count if self._outbox else 0)

    @property
    def waiting_since(self) -> float | None:
        """When the oldest frame that may not be dropped began to wait; None if none does."""
        waiting = self._outbox.oldest_at() if self._outbox else None
        begun = self._rest_at if self._rest else None
        return min((at for at in (waiting, begun) if at is not None), default=None)

    def waiting_seconds(self, now: float) -> float:
        """Return for how long that frame has waited; 0 if none does."""
        since = self.waiting_since
        return 0.0 if since is None else now - since

    @property
    def peer(self) -> str:
        """The address of the far end."""
        return self._line.peer

    def push(self, frame: bytes, lane: Lane, key: str = "") -> None:
        """Send a whole frame now, or leave it in the outbox. Never waits, never raises.

        A client that takes its frames too slowly makes `on_overflow` be called.
        """
        if self._state is not _State.OPEN:
            return
        if self._parts is not None:
            self._parts.append(Part(frame, lane, key))
            return
        if self._outbox is not None:
            self._queue(frame, lane, key)
            return
        try:
            sent = self._send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.end()
            return
        if sent < len(frame):
            self._start_queueing(frame, sent, lane, key)

    def push_together(self, parts: Sequence[Part], together: bytes) -> None:
        """Send several frames as `push` does; `together` is all of them, joined."""
        if self._state is not _State.OPEN:
            return
        if self._parts is not None:
            self._parts.extend(parts)
            return
        if self._outbox is not None:
            for part in parts:
                self._queue(*part)
            return
        try:
            sent = self._send(together)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.end()
            return
        if sent < len(together):
            now = trio.current_time()
            self._outbox = Outbox()
            self._keep_unwritten(self._outbox, [Waiting(now, *part) for part in parts], sent)
            self._nursery.start_soon(self._write_queue)

    def gather(self) -> None:
        """Keep what is pushed until `send_gathered`; call that before anybody can wait."""
        self._parts = []

    def send_gathered(self) -> None:
        """Send what was kept, in one write."""
        parts, self._parts = self._parts, None
        if parts:
            self.push_together(parts, b"".join(part.frame for part in parts))

    def close_with(self, frame: bytes) -> None:
        """Send a close frame after what is half written, instead of all that waits."""
        if self._state is not _State.OPEN:
            return
        self.close_code = close_code_of(frame)
        self.send_gathered()
        if self._outbox is not None:
            self._outbox.clear()
        self.push(frame, Lane.CONTROL)
        if self._state is _State.OPEN:
            self._state = _State.CLOSING

    def _start_queueing(self, frame: bytes, sent: int, lane: Lane, key: str) -> None:
        self._outbox = Outbox()
        if sent:
            self._rest = memoryview(frame)[sent:]
            self._rest_at = trio.current_time()
        else:
            self._outbox.put(frame, lane, key, now=trio.current_time())
        self._nursery.start_soon(self._write_queue)

    def _queue(self, frame: bytes, lane: Lane, key: str) -> None:
        assert self._outbox is not None
        try:
            self._outbox.put(frame, lane, key, now=trio.current_time())
        except OutboxFullError:
            self._overflow()

    def _overflow(self) -> None:
        self.on_overflow()
        self.close_with(close_frame(SLOW_CONSUMER))

    async def _write_queue(self) -> None:
        """Write until nothing waits.

        Canceled only together with the whole connection, so a half frame never stays behind on a
        stream that lives.
        """
        try:
            while self._rest or self._outbox:
                with trio.move_on_at(self._writing_deadline()) as patience:
                    await self._line.wait_writable()
                if patience.cancelled_caught:
                    self._overflow()
                else:
                    self._write_some()
        except (trio.ClosedResourceError, OSError):
            self.end()
        self._outbox = None
        if self._quiet is not None:
            self._quiet.set()

    def _writing_deadline(self) -> float:
        if self._state is not _State.OPEN:
            return inf
        oldest = self.waiting_since
        return inf if oldest is None else oldest + OUTBOX_SECONDS_MAX

    def _write_some(self) -> None:
        """Give the kernel what it takes, and keep of it only the frame that was begun."""
        assert self._outbox is not None
        try:
            if self._rest:
                self._rest = self._rest[self._send(self._rest) :]
            else:
                self._write_batch(self._outbox)
        except BlockingIOError:
            return
        self._note_quiet()

    def _write_batch(self, outbox: Outbox) -> None:
        batch = outbox.take(bytes_max=WRITE_BATCH_BYTES)
        written = 0
        try:
            written = self._send(b"".join(waiting.frame for waiting in batch))
        finally:
            self._keep_unwritten(outbox, batch, written)

    def _keep_unwritten(self, outbox: Outbox, batch: list[Waiting], written: int) -> None:
        """Keep what the kernel did not take of a batch it was given joined."""
        for place, waiting in enumerate(batch):
            if written < len(waiting.frame):
                self._keep_the_rest(outbox, batch[place:], written)
                break
            written -= len(waiting.frame)

    def _keep_the_rest(self, outbox: Outbox, unwritten: list[Waiting], begun_bytes: int) -> None:
        if begun_bytes:
            self._rest = memoryview(unwritten[0].frame)[begun_bytes:]
            self._rest_at = trio.current_time()
            unwritten = unwritten[1:]
        outbox.put_back(unwritten)

    def forget(self, topic: str) -> None:
        """Drop what waits of a topic. A frame that was begun is finished all the same."""
        if self._outbox is not None:
            self._outbox.forget(topic)
            self._note_quiet()

    def _note_quiet(self) -> None:
        if self._quiet is not None and self.queued_bytes <= OUTBOX_BYTES_SOFT:
            self._quiet.set()

    async def wait_quiet(self) -> None:
        """Wait until less than the soft bound waits to be written, or nothing ever will."""
        await trio.lowlevel.checkpoint()
        while self._state is _State.OPEN and self.queued_bytes > OUTBOX_BYTES_SOFT:
            if self._quiet is None or self._quiet.is_set():
                self._quiet = trio.Event()
            await self._quiet.wait()

    @override
    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Take what trio-websocket sends: control frames, and the answer to the upgrade."""
        await trio.lowlevel.checkpoint()
        frame = bytes(data)
        code = close_code_of(frame)
        if code is None:
            self.push(frame, Lane.CONTROL)
        else:
            self.close_with(close_frame(MALFORMED) if code == _TOO_BIG else frame)
        if self._state is _State.DEAD:
            raise trio.BrokenResourceError

    @override
    async def wait_send_all_might_not_block(self) -> None:
        """Return: `send_all` never blocks."""
        await trio.lowlevel.checkpoint()

    async def receive_first(self) -> bytes:
        """Return what the client sent first, b"" if it has ended.

        Whoever waited at a full door has sent it by now, so we look before we wait.
        """
        try:
            received = self._receive(RECEIVE_BYTES)
            return await self._receive_next(RECEIVE_BYTES) if received is None else received
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    @override
    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what the client sent next, b"" when it has ended."""
        while True:
            received = await self._receive_next(max_bytes or RECEIVE_BYTES)
            left = received if self._tap is None or not received else self._tap.pour(received)
            if left or not received:
                return left

    async def hear(self) -> bytes | None:
        """Hand on once what has come; return what is left for trio-websocket, or b"" at the end.

        None if nothing is left.
        """
        assert self._tap is not None
        try:
            received = await self._receive_next(RECEIVE_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""
        return (self._tap.pour(received) or None) if received else received

    async def _receive_next(self, bytes_max: int) -> bytes:
        received = None
        while received is None:
            await self._line.wait_readable()
            received = self._receive(bytes_max)
        return received

    def _receive(self, bytes_max: int) -> bytes | None:
        """Return what has come, b"" at the end, None if nothing has."""
        try:
            received = self._line.receive(bytes_max)
        except BlockingIOError:
            return None
        except OSError as error:
            self.end()
            raise trio.BrokenResourceError from error
        self.heard_at = trio.current_time()
        if not received:
            self.on_end()
        elif self._tap is None:
            self._was_at_end_of_head = received.endswith(b"\r\n\r\n")
        return received

    def tap(self, on_message: Callable[[str | bytes], None]) -> None:
        """Hand small messages straight to `on_message` from now on; it may not wait.

        To be called between the upgrade and the client's first frame. A client that has sent more
        than its request by now is heard through trio-websocket only.
        """
        if self._was_at_end_of_head:
            self._tap = Tap(on_message)

    @override
    async def aclose(self) -> None:
        """Let go of the stream."""
        self.end()
        await trio.lowlevel.checkpoint()

    def end(self) -> None:
        """Let go of the stream, at once: by a reset if anything was left unsaid."""
        if self._state is _State.DEAD:
            return
        self._state = _State.DEAD
        self._line.close(abort=self.queued_bytes > 0)
        self._rest = memoryview(b"")
        if self._outbox is not None:
            self._outbox.clear()
        if self._quiet is not None:
            self._quiet.set()
        self.on_end()

    async def linger(self) -> None:
        """Let the client read what was sent last: say that nothing follows, wait for its end.

        The deadline is the caller's scope.
        """
        if self._state is _State.DEAD or self.queued_bytes > 0:
            return
        await linger(self._line)
