"""Reads all sockets of one process in one task, where the system has epoll.

A task for each socket would be woken for every frame, which costs more than the frame: here one
wake-up serves everything that has arrived. A pause of two milliseconds between two looks lets
frames gather; it is part of every latency that is measured.
"""

import contextlib
import os
import select
from collections.abc import Callable
from typing import Final

import trio

from loadtest.limits import READER_PAUSE_SECONDS, READER_SOCKETS_AT_ONCE, RECEIVE_BYTES

Take = Callable[[bytes], None]
"""Given what has arrived, at least one byte; nothing (`b""`) once the connection is over."""

_READ: Final = getattr(select, "EPOLLIN", 0)


class Reader:
    """Sockets by descriptor. `run` must be running for anything to be read."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._takers: dict[int, Take] = {}

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
                for descriptor, _ in self._epoll.poll(0, READER_SOCKETS_AT_ONCE):
                    self._read(descriptor)
                await trio.sleep(READER_PAUSE_SECONDS)
        finally:
            self._epoll.close()

    def add(self, descriptor: int, take: Take) -> None:
        """Hand everything that arrives at a socket to `take`, which may not raise."""
        self._takers[descriptor] = take
        self._epoll.register(descriptor, _READ)

    def remove(self, descriptor: int, take: Take) -> None:
        """Read a socket no more, if it is still the one that `take` was added for."""
        if self._takers.get(descriptor) == take:
            del self._takers[descriptor]
            self._unregister(descriptor)

    def abandon(self, descriptor: int) -> None:
        """Tell a socket's listener that it is over; call it before closing the socket.

        The system may give the same descriptor to the next socket at once.
        """
        take = self._takers.pop(descriptor, None)
        if take is not None:
            self._unregister(descriptor)
            take(b"")

    def pause(self, descriptor: int, *, on: bool) -> None:
        """Leave what arrives at a socket in the system's buffers, or read it again."""
        if descriptor not in self._takers:
            return
        if on:
            self._unregister(descriptor)
        else:
            with contextlib.suppress(FileExistsError):  # it was not paused
                self._epoll.register(descriptor, _READ)

    def _unregister(self, descriptor: int) -> None:
        if not self._epoll.closed:
            with contextlib.suppress(OSError):  # paused, or closed already
                self._epoll.unregister(descriptor)

    def _read(self, descriptor: int) -> None:
        take = self._takers.get(descriptor)
        if take is None:  # removed by one that was read before it
            return
        try:
            chunk = os.read(descriptor, RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if chunk:
            take(chunk)
        else:
            self.abandon(descriptor)


def make_reader() -> Reader | None:
    """Return a reader, or None where there is no epoll and each socket reads for itself."""
    return Reader() if hasattr(select, "epoll") else None
