"""Ports below the range from which the kernel hands out its own (32768 and up)."""

import random
import socket
from collections.abc import Iterator
from typing import Final

PORT_MIN: Final = 1024
PORT_MAX: Final = 32767
_TEST_PORT_MIN: Final = 10_000
_ATTEMPTS_MAX: Final = 2000


class NoFreePortError(Exception):
    """No port could be found that nobody listens on."""


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on `port` right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port_from(preferred: int, *, taken: frozenset[int] = frozenset()) -> int:
    """Return `preferred`, or else the next free port above it that is not in `taken`.

    Raises:
        NoFreePortError: when there is none up to `PORT_MAX`.
    """
    for port in range(preferred, PORT_MAX + 1):
        if port not in taken and is_free(port):
            return port
    raise NoFreePortError(f"no port from {preferred} to {PORT_MAX} is free")


def free_port() -> int:
    """Return a free port at random, for tests that run side by side.

    Raises:
        NoFreePortError: when a great many tries found none.
    """
    for port in _at_random():
        if is_free(port):
            return port
    raise NoFreePortError(f"no port from {_TEST_PORT_MIN} to {PORT_MAX} is free")


def _at_random() -> Iterator[int]:
    dice = random.SystemRandom()
    for _ in range(_ATTEMPTS_MAX):
        yield dice.randint(_TEST_PORT_MIN, PORT_MAX)
