"""Which Redis servers the relay holds: one, or every master of a Redis Cluster."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, RedisError
from typing_extensions import override

from commerce.foundation.held_server import TIMEOUT_SECONDS, HeldServer
from commerce.foundation.redis_client import ask
from commerce.foundation.redis_url import ClusterUrl

MARKER_KEY: Final = "relay:marker"
SLOTS: Final = 16_384


class Servers(Protocol):
    """The servers, and which of them has a key."""

    @property
    def publish_word(self) -> str:
        """The command that tells a live channel: PUBLISH, or SPUBLISH in a cluster."""
        ...

    async def refresh(self) -> Sequence[HeldServer]:
        """Return every server; find them out anew if something was wrong since the last time."""
        ...

    def owner(self, key: str) -> HeldServer:
        """Return the server that has `key`."""
        ...

    def named(self, name: str) -> HeldServer | None:
        """Return the server of that name; in a cluster, `host:port`."""
        ...

    async def disconnect(self) -> None:
        """Drop every connection: something is wrong with one of the servers."""
        ...

    async def aclose(self) -> None:
        """Let every connection go."""
        ...


class OneServer(Servers):
    """A single server."""

    def __init__(self, url: str) -> None:
        self._server = HeldServer(url, name="redis", marker_key=MARKER_KEY)

    @property
    @override
    def publish_word(self) -> str:
        return "PUBLISH"

    @override
    async def refresh(self) -> Sequence[HeldServer]:
        return [self._server]

    @override
    def owner(self, key: str) -> HeldServer:
        return self._server

    @override
    def named(self, name: str) -> HeldServer | None:
        return self._server if name == self._server.name else None

    @override
    async def disconnect(self) -> None:
        await self._server.disconnect()

    @override
    async def aclose(self) -> None:
        await self._server.aclose()


class SlotRange(msgspec.Struct, frozen=True, kw_only=True):
    """Slots in a row, and the address of the master that has them."""

    first: int
    last: int
    address: str


class ClusterServers(Servers):
    """The masters of a cluster, each with a marker of its own, in a slot of its own."""

    def __init__(self, url: ClusterUrl) -> None:
        self._url = url
        self._ranges: list[SlotRange] = []
        self._servers: dict[str, HeldServer] = {}
        self._owners: list[HeldServer] = []
        self._is_doubted = True

    @property
    @override
    def publish_word(self) -> str:
        return "SPUBLISH"

    @override
    async def refresh(self) -> Sequence[HeldServer]:
        if self._is_doubted:
            ranges = await self._ask_anyone()
            if ranges != self._ranges:
                await self._take(ranges)
            self._is_doubted = False
        return list(self._servers.values())

    @override
    def owner(self, key: str) -> HeldServer:
        return self._owners[key_slot(key.encode())]

    @override
    def named(self, name: str) -> HeldServer | None:
        return self._servers.get(name)

    @override
    async def disconnect(self) -> None:
        self._is_doubted = True
        for server in self._servers.values():
            await server.disconnect()

    @override
    async def aclose(self) -> None:
        for server in self._servers.values():
            await server.aclose()

    async def _ask_anyone(self) -> list[SlotRange]:
        """Return who has which slots, as the first server says that answers.

        Raises:
            RedisError: if none does, or if some slots have no owner.
        """
        failure: Exception = ClusterDownError("no server of the cluster is known")
        for address in dict.fromkeys([*self._servers, *self._url.addresses]):
            try:
                ranges = await self._ask(address)
            except (RedisError, OSError) as error:
                failure = error
                continue
            if sum(each.last - each.first + 1 for each in ranges) == SLOTS:
                return ranges
            failure = ClusterDownError("some slots have no owner")
        raise failure

    async def _ask(self, address: str) -> list[SlotRange]:
        host = address.rpartition(":")[0]
        client = Redis.from_url(
            self._url.of(address),
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            protocol=2,
        )
        client.response_callbacks.pop("CLUSTER SLOTS", None)
        try:
            found = await ask(client, ("CLUSTER SLOTS",))
        finally:
            await asyncio.shield(client.aclose())
        return sorted((_range(row, host) for row in found), key=lambda each: each.first)

    async def _take(self, ranges: list[SlotRange]) -> None:
        old, self._ranges = self._servers, ranges
        self._servers = {
            address: self._held(address)
            for address in dict.fromkeys(each.address for each in ranges)
        }
        self._owners = [
            self._servers[each.address] for each in ranges for _ in range(each.first, each.last + 1)
        ]
        for server in old.values():
            if server not in self._servers.values():
                await server.aclose()

    def _held(self, address: str) -> HeldServer:
        tag = _tag_in([each for each in self._ranges if each.address == address])
        marker = f"{MARKER_KEY}:{{{tag}}}"
        known = self._servers.get(address)
        if known is not None and known.marker_key == marker:
            return known
        return HeldServer(self._url.of(address), name=address, marker_key=marker)


def _range(row: Any, asked_host: str) -> SlotRange:  # noqa: ANN401 - as the server says
    first, last, (host, port, *_), *_ = row
    name = host.decode() if host else asked_host
    return SlotRange(first=first, last=last, address=f"{name}:{port}")


def _tag_in(ranges: Sequence[SlotRange]) -> str:
    """Return the first number that, as a hash tag, names a slot of one of the ranges."""
    return next(
        str(number)
        for number in range(SLOTS * 64)
        if any(each.first <= key_slot(str(number).encode()) <= each.last for each in ranges)
    )
