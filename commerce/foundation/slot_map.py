"""Which server of a Redis Cluster has which keys, as any of its servers says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, RedisError

from commerce.foundation.redis_url import ClusterUrl

SLOTS: Final = 16_384
_TIMEOUT_SECONDS: Final = 2.0


class SlotRange(msgspec.Struct, frozen=True, kw_only=True):
    """Slots in a row, and the address of the master that has them."""

    first: int
    last: int
    address: str


class SlotMap:
    """Learned when first needed, and again after every doubt."""

    def __init__(self, url: ClusterUrl) -> None:
        self._url = url
        self._owners: list[str] = []
        self._is_doubted = True
        self.ranges: Sequence[SlotRange] = ()

    @property
    def masters(self) -> Sequence[str]:
        """The addresses of all masters."""
        return list(dict.fromkeys(each.address for each in self.ranges))

    def doubt(self) -> None:
        """Have it learned anew: there is a sign that it is wrong."""
        self._is_doubted = True

    def owner(self, key: str | bytes) -> str:
        """Return the address of the server that has `key`."""
        return self._owners[key_slot(key.encode() if isinstance(key, str) else key)]

    async def refresh(self) -> None:
        """Learn it if it is not known, or in doubt.

        Raises:
            RedisError: if no server answers, or some slots have no owner.
        """
        if not self._is_doubted:
            return
        self.ranges = await self._ask_anyone()
        self._owners = [
            each.address for each in self.ranges for _ in range(each.first, each.last + 1)
        ]
        self._is_doubted = False

    async def _ask_anyone(self) -> Sequence[SlotRange]:
        failure: Exception = ClusterDownError("no server of the cluster is known")
        for address in dict.fromkeys([*self.masters, *self._url.addresses]):
            try:
                ranges = await self._ask(address)
            except (RedisError, OSError) as error:
                failure = error
                continue
            if sum(each.last - each.first + 1 for each in ranges) == SLOTS:
                return ranges
            failure = ClusterDownError("some slots have no owner")
        raise failure

    async def _ask(self, address: str) -> Sequence[SlotRange]:
        client = Redis.from_url(
            self._url.of(address),
            socket_connect_timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            protocol=2,
        )
        client.response_callbacks.pop("CLUSTER SLOTS", None)
        try:
            send: Callable[[str], Awaitable[Any]] = client.execute_command
            found = await send("CLUSTER SLOTS")
        finally:
            await asyncio.shield(client.aclose())
        host = address.rpartition(":")[0]
        return sorted((_range(row, host) for row in found), key=lambda each: each.first)


def _range(row: Any, asked_host: str) -> SlotRange:  # noqa: ANN401 - as the server says
    first, last, (host, port, *_), *_ = row
    name = host.decode() if host else asked_host
    return SlotRange(first=first, last=last, address=f"{name}:{port}")
