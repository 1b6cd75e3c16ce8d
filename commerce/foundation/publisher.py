"""Rows of the event outbox into Redis: many in one round trip, in order, each at most once."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError, NoScriptError

from commerce.foundation.outbox import OutboxRow
from commerce.foundation.redis_client import RedisCommand, pipelined
from commerce.foundation.settings import RedisSettings
from protocol.stream_names import (
    ACCESS_READY_KEY,
    TOPIC_IDLE_SECONDS_MAX,
    TOPIC_LOG_ENTRIES_MAX,
    topic_access,
    topic_live_channel,
    topic_log,
    topic_meta,
    topic_seen,
)
from protocol.topics import Topic

MARKER_KEY: Final = "relay:marker"
"""Names the run of the server that has everything published in the last ten minutes."""

_FOLDER: Final = Path(__file__).parent
_PUBLISH: Final = (_FOLDER / "publish.lua").read_text("utf-8")
_PUBLISH_SHA: Final = hashlib.sha1(_PUBLISH.encode(), usedforsecurity=False).hexdigest()
_RECOGNISE: Final = (_FOLDER / "recognise.lua").read_text("utf-8")
_EPOCH_BYTES: Final = 9
_TIMEOUT_SECONDS: Final = 5.0


class RedisState(msgspec.Struct, frozen=True, kw_only=True):
    """What the relay finds when it looks at Redis."""

    run: str
    known: bool
    access_ready: bool


class Publisher:
    """One connection, which is never replaced between a look at Redis and what is sent after it.

    So nothing new can reach a server that lost data before what it lost has been sent again.
    """

    def __init__(self, settings: RedisSettings, *, publish_command: str = "PUBLISH") -> None:
        self._publish_command = publish_command
        self._may_connect = False
        pool = BlockingConnectionPool.from_url(
            settings.url,
            max_connections=1,
            timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=self._on_connect,
            protocol=2,
        )
        self._redis = Redis.from_pool(pool)

    async def look(self) -> RedisState:
        """Connect if need be, and say what is found."""
        self._may_connect = True
        try:
            run, marked, ready = await self._eval(_RECOGNISE, MARKER_KEY, ACCESS_READY_KEY)
        finally:
            self._may_connect = False
        return RedisState(run=run.decode(), known=run == marked, access_ready=bool(ready))

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Tell Redis of `rows`; what its logs remember is not told again."""
        commands = [self._command(row) for row in rows]
        answers = await pipelined(self._redis, commands, raise_on_error=False)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            await pipelined(self._redis, [("SCRIPT", "LOAD", _PUBLISH)])
            answers = await pipelined(self._redis, commands, raise_on_error=False)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer

    async def replace_access(self, topics: dict[Topic, dict[str, str]]) -> None:
        """Make the rights to each of `topics` exactly those given."""
        commands: list[RedisCommand] = []
        for topic, members in topics.items():
            fields = [text for pair in members.items() for text in pair]
            commands += [
                ("MULTI",),
                ("DEL", topic_access(topic)),
                ("HSET", topic_access(topic), *fields),
                ("EXEC",),
            ]
        await pipelined(self._redis, commands)

    async def mark_access_ready(self) -> None:
        """Say that the access projection is complete."""
        await pipelined(self._redis, [("SET", ACCESS_READY_KEY, "1")])

    async def mark_known(self, run: str) -> None:
        """Say that this run of the server has everything."""
        await pipelined(self._redis, [("SET", MARKER_KEY, run)])

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._redis.aclose()

    async def disconnect(self) -> None:
        """Drop the connection, whatever state it is in; the next look makes another."""
        await self._redis.connection_pool.disconnect()

    async def _eval(self, script: str, *keys: str) -> Any:  # noqa: ANN401 - as the script says
        (answer,) = await pipelined(self._redis, [("EVAL", script, len(keys), *keys)])
        return answer

    def _command(self, row: OutboxRow) -> RedisCommand:
        if row.kind == "grant":
            return ("HSET", topic_access(row.topic), row.member or "", row.role or "")
        if row.kind == "revoke":
            return ("HDEL", topic_access(row.topic), row.member or "")
        return (
            "EVALSHA",
            _PUBLISH_SHA,
            3,
            topic_log(row.topic),
            topic_meta(row.topic),
            topic_seen(row.topic),
            row.event_id or "",
            row.body or b"",
            secrets.token_urlsafe(_EPOCH_BYTES),
            topic_live_channel(row.topic),
            TOPIC_LOG_ENTRIES_MAX,
            TOPIC_IDLE_SECONDS_MAX * 1000,
            self._publish_command,
        )

    async def _on_connect(self, connection: AbstractConnection) -> None:
        if not self._may_connect:
            raise RedisConnectionError("the connection was lost since the relay last looked")
        await connection.on_connect()


@asynccontextmanager
async def open_publisher(settings: RedisSettings) -> AsyncGenerator[Publisher]:
    """Open a publisher for as long as the block runs; the server need not be up yet."""
    publisher = Publisher(settings)
    try:
        yield publisher
    finally:
        await asyncio.shield(publisher.aclose())
