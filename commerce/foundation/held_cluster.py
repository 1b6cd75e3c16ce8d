"""Which Redis servers the relay holds: one, or every master of a Redis Cluster."""

from collections.abc import Sequence
from typing import Final, Protocol

from redis.crc import key_slot
from typing_extensions import override

from commerce.foundation.held_server import HeldServer
from commerce.foundation.redis_url import ClusterUrl
from commerce.foundation.slot_map import SLOTS, SlotMap, SlotRange

MARKER_KEY: Final = "relay:marker"


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


class ClusterServers(Servers):
    """The masters of a cluster, each with a marker of its own, in a slot of its own."""

    def __init__(self, url: ClusterUrl) -> None:
        self._url = url
        self._map = SlotMap(url)
        self._servers: dict[str, HeldServer] = {}

    @property
    @override
    def publish_word(self) -> str:
        return "SPUBLISH"

    @override
    async def refresh(self) -> Sequence[HeldServer]:
        known = self._map.ranges
        await self._map.refresh()
        if self._map.ranges != known:
            await self._take_masters()
        return list(self._servers.values())

    @override
    def owner(self, key: str) -> HeldServer:
        return self._servers[self._map.owner(key)]

    @override
    def named(self, name: str) -> HeldServer | None:
        return self._servers.get(name)

    @override
    async def disconnect(self) -> None:
        self._map.doubt()
        for server in self._servers.values():
            await server.disconnect()

    @override
    async def aclose(self) -> None:
        for server in self._servers.values():
            await server.aclose()

    async def _take_masters(self) -> None:
        old, self._servers = (
            self._servers,
            {address: self._held(address) for address in self._map.masters},
        )
        for server in old.values():
            if server not in self._servers.values():
                await server.aclose()

    def _held(self, address: str) -> HeldServer:
        tag = _tag_in([each for each in self._map.ranges if each.address == address])
        marker = f"{MARKER_KEY}:{{{tag}}}"
        known = self._servers.get(address)
        if known is not None and known.marker_key == marker:
            return known
        return HeldServer(self._url.of(address), name=address, marker_key=marker)


def _tag_in(ranges: Sequence[SlotRange]) -> str:
    """Return the first number that, as a hash tag, names a slot of one of the ranges."""
    return next(
        str(number)
        for number in range(SLOTS * 64)
        if any(each.first <= key_slot(str(number).encode()) <= each.last for each in ranges)
    )
