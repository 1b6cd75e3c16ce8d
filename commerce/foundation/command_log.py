"""The command streams, as their consumer sees them.

All processes read as one consumer, and only who holds a partition's lock reads it. So whatever is
pending and not in the reader's own hands was left behind by a reader that died.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from commerce.foundation.redis_client import (
    Argument,
    RedisCommand,
    ask,
    is_spread,
    pipelined,
)
from protocol.stream_names import (
    COMMAND_FIELD,
    COMMAND_GROUP,
    command_dead_stream,
    command_stream,
)

DEAD_ENTRIES_MAX: Final = 10_000
_CONSUMER: Final = "worker"
_PENDING_MAX: Final = 100
_APART_WAIT_MS: Final = 1_000
_IN_HAND_MS: Final = 1_000
"""An entry that is younger may be on its way from one of several readers to its lane."""

_GROUP_GONE: Final = ("NOGROUP", "UNBLOCKED")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One command as it lies in its stream. `deliveries` counts the readers that got it."""

    partition: int
    id: str
    payload: bytes
    deliveries: int = 1

    @property
    def place(self) -> str:
        """The entry's name among all partitions."""
        return f"{self.partition}/{self.id}"


class CommandLog:
    """Reads, finishes and buries the entries of some partitions."""

    def __init__(self, redis: Redis, partitions: Sequence[int]) -> None:
        self._redis = redis
        self._streams = {command_stream(each).encode(): each for each in partitions}
        self._reading: dict[bytes, asyncio.Task[list[Entry]]] = {}

    async def prepare(self) -> None:
        """Make the consumer groups that are not there, reading from the beginning."""
        self.stop_reading()
        await self._make_groups()

    async def _make_groups(self) -> None:
        commands: list[RedisCommand] = [
            ("XGROUP", "CREATE", stream, COMMAND_GROUP, "0", "MKSTREAM") for stream in self._streams
        ]
        for answer in await pipelined(self._redis, commands, raise_on_error=False):
            if isinstance(answer, Exception) and "BUSYGROUP" not in str(answer):
                raise answer

    async def read(self, *, count: int, wait_ms: int) -> list[Entry]:
        """Take up to `count` new entries of each partition; wait for the first if there are none.

        Zero `wait_ms` does not wait.
        """
        if is_spread(self._redis):
            return await self._read_apart(count=count, wait_ms=wait_ms)
        return await self._read(list(self._streams), count=count, wait_ms=wait_ms)

    async def _read_apart(self, *, count: int, wait_ms: int) -> list[Entry]:
        """Read streams that lie on different servers: each has a reader that goes on waiting."""
        for stream in self._streams.keys() - self._reading.keys():
            self._reading[stream] = asyncio.create_task(
                self._read([stream], count=count, wait_ms=_APART_WAIT_MS)
            )
        done, _ = await asyncio.wait(
            self._reading.values(), timeout=wait_ms / 1000, return_when=asyncio.FIRST_COMPLETED
        )
        finished = [stream for stream, task in self._reading.items() if task in done]
        tasks = [self._reading.pop(stream) for stream in finished]
        return [entry for task in tasks for entry in task.result()]

    def stop_reading(self) -> None:
        """Give up reading ahead; what a reader just got is left behind, and claimed later."""
        while self._reading:
            _, task = self._reading.popitem()
            if not task.cancel() and not task.cancelled():
                task.exception()  # Whatever it is, the next reader meets it, too.

    async def _read(self, streams: Sequence[bytes], *, count: int, wait_ms: int) -> list[Entry]:
        command: list[Argument] = ["XREADGROUP", "GROUP", COMMAND_GROUP, _CONSUMER, "COUNT", count]
        command += ["BLOCK", wait_ms] if wait_ms > 0 else []
        command += ["STREAMS", *streams, *(">" for _ in streams)]
        try:
            found = await ask(self._redis, command)
        except ResponseError as error:
            if not any(sign in str(error) for sign in _GROUP_GONE):
                raise
            await self._make_groups()  # Redis lost its data, and with it the groups.
            return []
        return [
            _entry(self._streams[stream], identity, fields)
            for stream, entries in found or []
            for identity, fields in entries
        ]

    async def left_behind(self, held: Iterable[str]) -> list[Entry]:
        """Return the oldest pending entries but those at places `held`, without their payload."""
        mine = frozenset(held)
        youngest_ms = _IN_HAND_MS if self._reading else 0
        commands: list[RedisCommand] = [
            ("XPENDING", stream, COMMAND_GROUP, "-", "+", _PENDING_MAX) for stream in self._streams
        ]
        found = await pipelined(self._redis, commands, raise_on_error=False)
        entries: list[Entry] = []
        for partition, pending in zip(self._streams.values(), found, strict=True):
            if isinstance(pending, Exception):
                if "NOGROUP" not in str(pending):
                    raise pending
                continue
            entries += [_pending_entry(partition, row) for row in pending if row[2] >= youngest_ms]
        return [entry for entry in entries if entry.place not in mine]

    async def claim(self, entry: Entry) -> Entry | None:
        """Take over an entry that was left behind; None if it is gone."""
        found = await ask(
            self._redis,
            ("XCLAIM", command_stream(entry.partition), COMMAND_GROUP, _CONSUMER, 0, entry.id),
        )
        if not found or found[0] is None:
            await self.finish([entry])
            return None
        identity, fields = found[0]
        claimed = _entry(entry.partition, identity, fields)
        return msgspec.structs.replace(claimed, deliveries=entry.deliveries + 1)

    async def finish(self, entries: Iterable[Entry]) -> None:
        """Take entries whose outcome is committed out of their streams."""
        by_partition: dict[int, list[str]] = {}
        for entry in entries:
            by_partition.setdefault(entry.partition, []).append(entry.id)
        commands: list[RedisCommand] = []
        for partition, identities in by_partition.items():
            commands.append(("XACK", command_stream(partition), COMMAND_GROUP, *identities))
            commands.append(("XDEL", command_stream(partition), *identities))
        await pipelined(self._redis, commands)

    async def bury(self, entry: Entry, *, reason: str) -> None:
        """Keep an entry that cannot be carried out in the dead stream, with the reason."""
        stream = command_dead_stream(entry.partition)
        limit: RedisCommand = ("MAXLEN", "~", DEAD_ENTRIES_MAX)
        fields: RedisCommand = (COMMAND_FIELD, entry.payload, "reason", reason, "entry", entry.id)
        await ask(self._redis, ("XADD", stream, *limit, "*", *fields))


def _entry(partition: int, identity: bytes, fields: Sequence[bytes] | None) -> Entry:
    payload = fields_of(fields).get(COMMAND_FIELD, b"")
    return Entry(partition=partition, id=identity.decode(), payload=payload)


def fields_of(flat: Sequence[bytes] | None) -> dict[bytes, bytes]:
    """Return the fields of a stream's entry, which the server sends in one flat list."""
    return dict(zip(flat[::2], flat[1::2], strict=True)) if flat else {}


def _pending_entry(partition: int, row: Sequence[Any]) -> Entry:
    identity, _, _, deliveries = row
    return Entry(partition=partition, id=identity.decode(), payload=b"", deliveries=deliveries)
