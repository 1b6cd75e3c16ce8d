"""A network that cuts sockets at any byte: between a client and a server, with dice of its own."""

import random
import socket
import struct
from contextlib import suppress
from enum import Enum

import trio

CHUNK_BYTES_MAX = 2048
DELAY_SECONDS_MAX = 0.01
STALL_SECONDS_MAX = 0.3


class Ending(Enum):
    """How the network lets a connection down."""

    RESET = "reset"
    CLOSED = "closed"
    HALF_CLOSED = "half closed"
    STALLED = "stalled"


class LossyProxy:
    """Passes bytes on, in pieces and late, and cuts connections in both directions.

    Each connection bears up to `bytes_max` in either direction, at random, and then ends in one of
    the ways of `Ending`, in the middle of whatever was said. After `cuts_max` of them the network
    is good. The same seed gives the same dice to the same connection.
    """

    def __init__(self, host, port, *, seed, cuts_max, bytes_max):
        self._target = (host, port)
        self._seed = seed
        self._cuts_max = cuts_max
        self._bytes_max = bytes_max
        self.endings = []
        self.port = None

    async def run(self, *, task_status=trio.TASK_STATUS_IGNORED):
        """Serve until canceled; started once `port` is known."""
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        number = 0
        async with trio.open_nursery() as nursery, listeners[0]:
            task_status.started()
            while True:
                client = await listeners[0].accept()
                number += 1
                nursery.start_soon(self._serve, client, random.Random(self._seed * 1000 + number))  # noqa: S311

    async def _serve(self, client, dice):
        both = [client]
        try:
            with suppress(OSError):  # the server is away: the client is cut off at once
                both.append(await trio.open_tcp_stream(*self._target))
                await self._pass_on(*both, dice)
        finally:
            for stream in both:
                stream.socket.close()

    async def _pass_on(self, client, server, dice):
        is_doomed = len(self.endings) < self._cuts_max
        budget = dice.randint(1, self._bytes_max) if is_doomed else None
        loser = dice.choice([client, server])
        async with trio.open_nursery() as nursery:
            for source, sink in ((client, server), (server, client)):
                pump = _Pump(source, sink, dice, budget if source is loser else None)
                nursery.start_soon(self._pump, pump, nursery.cancel_scope)

    async def _pump(self, pump, connection):
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            if await pump.run():
                await self._let_down(pump)
        connection.cancel()

    async def _let_down(self, pump):
        ending = pump.dice.choice(list(Ending))
        self.endings.append(ending)
        if ending is Ending.RESET:
            for stream in (pump.source, pump.sink):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif ending is Ending.HALF_CLOSED:
            await pump.sink.send_eof()
            await trio.sleep(STALL_SECONDS_MAX)
        elif ending is Ending.STALLED:
            await trio.sleep(pump.dice.uniform(0, STALL_SECONDS_MAX))


class _Pump:
    """One direction of one connection."""

    def __init__(self, source, sink, dice, bytes_left):
        self.source = source
        self.sink = sink
        self.dice = dice
        self._left = bytes_left

    async def run(self):
        """Pass on until the source ends, or what the connection bears is used up: then True."""
        while self._left is None or self._left > 0:
            chunk = await self.source.receive_some(self.dice.randint(1, CHUNK_BYTES_MAX))
            if not chunk:
                return False
            if self._left is not None:
                await trio.sleep(self.dice.uniform(0, DELAY_SECONDS_MAX))
                chunk = chunk[: self._left]
                self._left -= len(chunk)
            await self.sink.send_all(chunk)
        return True
