"""The way to Redis: bounded connections, and several commands in one round trip."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from commerce.foundation.cluster_redis import ClusterRedis
from commerce.foundation.packing import PackingConnection
from commerce.foundation.redis_url import cluster_url
from commerce.foundation.settings import RedisSettings

_ACQUIRE_TIMEOUT_SECONDS: Final = 2.0
_CONNECT_TIMEOUT_SECONDS: Final = 2.0
_ANSWER_TIMEOUT_SECONDS: Final = 5.0

_AS_SENT: Final = ("XREADGROUP", "XCLAIM", "XPENDING")
"""Commands whose answers we read as the server sends them, not as redis-py shapes them."""

Argument = str | bytes | int | float
RedisCommand = Sequence[Argument]


@asynccontextmanager
async def open_redis(
    settings: RedisSettings, *, answer_timeout_seconds: float | None = _ANSWER_TIMEOUT_SECONDS
) -> AsyncGenerator[Redis]:
    """Open a client for as long as the block runs; the server need not be up yet.

    Nothing is tried again behind the caller's back: whoever may repeat a command knows it.
    """

    def open_one(url: str) -> Redis:
        pool = BlockingConnectionPool.from_url(
            url,
            connection_class=PackingConnection,
            max_connections=settings.connections_max,
            timeout=_ACQUIRE_TIMEOUT_SECONDS,
            socket_connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            socket_timeout=answer_timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        client = Redis.from_pool(pool)
        for name in _AS_SENT:
            client.response_callbacks.pop(name, None)
        return client

    cluster = cluster_url(settings.url)
    client = open_one(settings.url) if cluster is None else ClusterRedis(cluster, open_one)
    try:
        yield client
    finally:
        await client.aclose()


def is_spread(redis: Redis) -> bool:
    """Say whether the keys lie on several servers: then one command takes keys of one slot only."""
    return isinstance(redis, ClusterRedis)


async def pipelined(
    redis: Redis, commands: Sequence[RedisCommand], *, raise_on_error: bool = True
) -> list[Any]:
    """Send `commands` in one round trip; return their answers, in order."""
    if not commands:
        return []
    if isinstance(redis, ClusterRedis):
        answers = await redis.pipelined(commands)
        if raise_on_error and (failed := [one for one in answers if isinstance(one, Exception)]):
            raise failed[0]
        return answers
    pipe = redis.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    return await pipe.execute(raise_on_error=raise_on_error)


async def ask(redis: Redis, command: RedisCommand) -> Any:  # noqa: ANN401 - each command has its own answer
    """Send one command that redis-py has no typed method for; return its answer."""
    send: Callable[..., Awaitable[object]] = redis.execute_command
    return await send(*command)
