"""One open connection to Redis: what is handed over is joined and sent, what comes is parsed."""

from collections.abc import Callable
from typing import Final

import trio

from gateway.streams.replies import LinkReplyError
from gateway.streams.resp import NOTHING, ProtocolError, new_parser

UNSENT_BYTES_MAX: Final = 8 * 2**20
"""Bytes that may wait for the kernel to take them: a second of heavy traffic."""

REPLY_BYTES_MAX: Final = 64 * 2**20
"""Bytes of one unfinished reply; we never ask for anything near it."""

RECEIVE_BYTES: Final = 65_536

TICK_SECONDS: Final = 0.5
SILENT_TICKS_MAX: Final = 6
"""Redis is asked to show that it is alive after one silent tick, and given up after so many.

Ticks are counted, not seconds, so that a pause of our own process is not held against Redis.
"""


class WireError(Exception):
    """The connection is of no more use: Redis closed it, stalled, or broke the protocol."""


WIRE_FAILURES: Final = (
    OSError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
    ProtocolError,
    LinkReplyError,
    WireError,
)
"""Everything that ends a connection, or an attempt at one, without being our own mistake."""


def _nothing() -> None:
    """Stand in for a hook that nobody needs."""


class Wire:
    """Sends in the order of `send` and gives each reply to `on_reply`, in the order they come.

    `on_idle` is called when Redis has been silent for a moment: it is to send a PING. `on_drained`
    is called when every reply that has arrived was given, for what is done once for all of them.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        *,
        on_reply: Callable[[object], None],
        on_idle: Callable[[], None],
        on_drained: Callable[[], None] = _nothing,
    ) -> None:
        self.unsent_bytes = 0
        self._stream = stream
        self._on_reply = on_reply
        self._on_idle = on_idle
        self._on_drained = on_drained
        self._unsent: list[bytes] = []
        self._resting_writer = trio.lowlevel.ParkingLot()
        self._heard = False

    def has_room(self, packed: bytes) -> bool:
        """Say whether `packed` fits into what may wait to be sent."""
        return self.unsent_bytes + len(packed) <= UNSENT_BYTES_MAX

    def send(self, packed: bytes) -> None:
        """Queue a packed command; together with others queued now it makes one packet."""
        self._unsent.append(packed)
        self.unsent_bytes += len(packed)
        if self._resting_writer:
            self._resting_writer.unpark()

    async def run(self) -> None:
        """Send and receive until the connection fails; always ends with one of `WIRE_FAILURES`."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            nursery.start_soon(self._read)
            nursery.start_soon(self._watch)

    async def _write(self) -> None:
        while True:
            if not self._unsent:
                await self._resting_writer.park()
            packed = b"".join(self._unsent)
            self._unsent.clear()
            await self._stream.send_all(packed)
            self.unsent_bytes -= len(packed)

    async def _read(self) -> None:
        parser = new_parser()
        unfinished_bytes = 0
        while True:
            chunk = await self._stream.receive_some(RECEIVE_BYTES)
            if not chunk:
                raise WireError("Redis closed the connection")
            self._heard = True
            unfinished_bytes += len(chunk)
            parser.feed(chunk)
            try:
                while (reply := parser.gets()) is not NOTHING:
                    unfinished_bytes = 0
                    self._on_reply(reply)
            finally:
                self._on_drained()
            if unfinished_bytes > REPLY_BYTES_MAX:
                raise WireError("a reply is too large")

    async def _watch(self) -> None:
        silent_ticks = 0
        while True:
            await trio.sleep(TICK_SECONDS)
            silent_ticks = 0 if self._heard else silent_ticks + 1
            self._heard = False
            if silent_ticks > SILENT_TICKS_MAX:
                raise WireError("Redis has stalled")
            if silent_ticks > 0:
                self._on_idle()
