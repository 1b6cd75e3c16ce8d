"""A client of a Redis Cluster: an ordinary client for each master, and the way to the right one.

redis-py's own is not used: it sends ASKING on another connection than the command it is about, and
repeats behind its caller's back commands that may have been carried out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError as RedisConnectionError,
    MovedError,
    TimeoutError as RedisTimeoutError,
    TryAgainError,
)
from typing_extensions import override

from commerce.foundation.redis_url import ClusterUrl
from commerce.foundation.slot_map import SlotMap

REDIRECTS_MAX: Final = 20
"""Times a command follows a slot that moves, or waits a moment for a cluster that votes."""

REDIRECT_PAUSE_SECONDS: Final = 0.05

_EVERYWHERE: Final = {"PING", "SCRIPT LOAD", "SCRIPT FLUSH", "FLUSHALL", "KEYS", "CLIENT KILL"}
"""What is not about a key is said to every master; the last answer stands for all."""

_KEY_PLACES: Final = {"EVAL": 3, "EVALSHA": 3, "XGROUP": 2}
_UNREST: Final = (MovedError, TryAgainError, ClusterDownError)
_LOST: Final = (RedisConnectionError, RedisTimeoutError, OSError)


class ClusterRedis(Redis):
    """Sends each command to the master that has its key.

    What a master refused because a slot is moving was not carried out, and is sent again. What may
    have been carried out is not.
    """

    def __init__(self, url: ClusterUrl, open_one: Callable[[str], Redis]) -> None:
        self._url = url
        self._open_one = open_one
        self._map = SlotMap(url)
        self._clients: dict[str, Redis] = {}
        self._learning = asyncio.Lock()
        super().__init__(connection_pool=open_one(url.of(url.addresses[0])).connection_pool)

    @override
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Carry out one command.

        Raises:
            RedisError: if its master cannot be reached, refuses, or does not come to rest.
        """
        unrest: Exception | None = None
        for _ in range(REDIRECTS_MAX):
            try:
                return await self._execute_once(args, options)
            except _UNREST as error:
                unrest = error
                self._map.doubt()
            except AskError as told:
                target = self._client(f"{told.host}:{told.port}")
                return (await _in_a_row(target, [("ASKING",), args]))[1]
            await asyncio.sleep(REDIRECT_PAUSE_SECONDS)
        raise ClusterDownError(f"the cluster does not come to rest: {unrest}")

    async def _execute_once(self, args: Sequence[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401
        await self._learn()
        key = key_of(args)
        addresses = self._map.masters if key is None else [self._map.owner(key)]
        answer: Any = None
        try:
            for address in addresses:
                send: Callable[..., Awaitable[Any]] = self._client(address).execute_command
                answer = await send(*args, **options)
        except _LOST:
            self._map.doubt()
            raise
        return answer

    async def pipelined(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Send commands in one round trip to each master; return answers and errors, in order."""
        unrest: Exception | None = None
        for _ in range(REDIRECTS_MAX):
            try:
                await self._learn()
                break
            except ClusterDownError as error:
                unrest = error
                await asyncio.sleep(REDIRECT_PAUSE_SECONDS)
        else:
            raise ClusterDownError(f"the cluster does not come to rest: {unrest}")
        places: dict[str, list[int]] = {}
        for place, command in enumerate(commands):
            places.setdefault(self._address_of(command), []).append(place)
        answers: dict[int, Any] = {}
        await asyncio.gather(
            *(self._pipelined_at(at, mine, commands, answers) for at, mine in places.items())
        )
        return [answers[place] for place in range(len(commands))]

    async def _pipelined_at(
        self,
        address: str,
        places: list[int],
        commands: Sequence[Sequence[Any]],
        answers: dict[int, Any],
    ) -> None:
        try:
            found = await _in_a_row(self._client(address), [commands[each] for each in places])
        except _LOST:
            self._map.doubt()
            raise
        for place, answer in zip(places, found, strict=True):
            answers[place] = answer
            if isinstance(answer, (*_UNREST, AskError)):
                answers[place] = await self.execute_command(*commands[place])

    @override
    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Let every connection go."""
        for client in self._clients.values():
            await client.aclose()
        await super().aclose(close_connection_pool)

    async def _learn(self) -> None:
        async with self._learning:
            await self._map.refresh()

    def _address_of(self, command: Sequence[Any]) -> str:
        key = key_of(command)
        return self._map.masters[0] if key is None else self._map.owner(key)

    def _client(self, address: str) -> Redis:
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = self._open_one(self._url.of(address))
        return client


def key_of(command: Sequence[Any]) -> str | bytes | None:
    """Return the first key of a command; None if it has none."""
    name = str(command[0]).upper()
    if name in _EVERYWHERE:
        return None
    if name == "XREADGROUP":
        return _text(command[[str(word) for word in command].index("STREAMS") + 1])
    place = _KEY_PLACES.get(name, 1)
    return _text(command[place]) if len(command) > place else None


def _text(word: Any) -> str | bytes:  # noqa: ANN401 - one word of a command
    return word if isinstance(word, bytes) else str(word)


async def _in_a_row(client: Redis, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Send commands on one connection; return answers and errors, in order."""
    pipe = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    return await pipe.execute(raise_on_error=False)
