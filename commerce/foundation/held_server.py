"""One Redis server as the relay holds it: on one connection, with a mark of what it was given.

The marker is a key on the server itself: the run of the server that wrote it down, and the number
of the last batch of events that had been published by then. Redis keeps its writes in order, in
its append-only file as on its replicas, so a server whose marker says 17 has everything of batch
17, and of whatever came later the marker tells how much may be missing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from commerce.foundation.packing import PackingConnection
from commerce.foundation.redis_client import RedisCommand, pipelined

TIMEOUT_SECONDS: Final = 5.0
_SCANNED_KEYS: Final = 1_000
_RECOGNISE: Final = (Path(__file__).parent / "recognise.lua").read_text("utf-8")


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """A server that may lack what was published after batch `since`.

    None stands for everything: the server does not know the relay. `restarted` says that it is not
    the run that the relay knew.
    """

    server: str
    since: int | None
    restarted: bool


class HeldServer:
    """One connection, which is never replaced between a look at the server and what follows.

    So nothing new can reach a server that lost data before what it lost has been sent again.
    """

    def __init__(self, url: str, *, name: str, marker_key: str) -> None:
        self.name = name
        self.marker_key = marker_key
        self._may_connect = False
        self._noted = ""
        self._run = ""
        pool = BlockingConnectionPool.from_url(
            url,
            connection_class=PackingConnection,
            max_connections=1,
            timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=self._on_connect,
            protocol=2,
        )
        self._redis = Redis.from_pool(pool)

    async def look(self, batch: int, *, key: str) -> tuple[Loss | None, bool]:
        """Connect if need be; say what is missing, and whether the server has `key`.

        `batch` is the last that was published.
        """
        recognise: RedisCommand = ("EVAL", _RECOGNISE, 1, self.marker_key, self._noted, batch)
        self._may_connect = True
        try:
            (run, found), exists = await self.send([recognise, ("EXISTS", key)])
        finally:
            self._may_connect = False
        return self._judge(run, found, batch), bool(exists)

    def _judge(self, run: bytes, found: bytes, batch: int) -> Loss | None:
        self._run = run.decode()
        if found.decode() == self._marker(batch):
            self._noted = found.decode()
            return None
        known_run, _, known_batch = found.decode().partition(" ")
        return Loss(
            server=self.name,
            since=int(known_batch) if known_batch.isdigit() else None,
            restarted=known_run != self._run,
        )

    async def note(self, batch: int) -> None:
        """Write down that the server has everything up to `batch`."""
        self._noted = self._marker(batch)
        await self.send([("SET", self.marker_key, self._noted)])

    async def send(
        self, commands: Sequence[RedisCommand], *, raise_on_error: bool = True
    ) -> list[Any]:
        """Send commands in one round trip; return their answers."""
        return await pipelined(self._redis, commands, raise_on_error=raise_on_error)

    async def forget(self, *patterns: str) -> None:
        """Delete every key that matches one of the patterns."""
        for pattern in patterns:
            cursor = 0
            while True:
                scan: RedisCommand = ("SCAN", cursor, "MATCH", pattern, "COUNT", _SCANNED_KEYS)
                ((cursor, keys),) = await self.send([scan])
                await self.send([("UNLINK", key) for key in keys])
                if not int(cursor):
                    break

    async def disconnect(self) -> None:
        """Drop the connection, whatever state it is in; the next look makes another."""
        await self._redis.connection_pool.disconnect()

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._redis.aclose()

    def _marker(self, batch: int) -> str:
        return f"{self._run} {batch}"

    async def _on_connect(self, connection: AbstractConnection) -> None:
        if not self._may_connect:
            raise RedisConnectionError("the connection was lost since the relay last looked")
        await connection.on_connect()
