"""Rows of the event outbox into Redis: many in one trip, each topic's in order, at most once."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from redis.exceptions import AskError, NoScriptError

from commerce.foundation.held_cluster import ClusterServers, OneServer, Servers
from commerce.foundation.held_server import HeldServer, Loss
from commerce.foundation.outbox import OutboxRow
from commerce.foundation.redis_client import RedisCommand
from commerce.foundation.redis_url import cluster_url
from commerce.foundation.settings import RedisSettings
from protocol.stream_names import (
    ACCESS_READY_KEY,
    NOTICE_MARK,
    TOPIC_IDLE_SECONDS_MAX,
    TOPIC_LOG_ENTRIES_MAX,
    topic_access,
    topic_live_channel,
    topic_log,
    topic_meta,
    topic_seen,
)
from protocol.topics import Topic

_FOLDER: Final = Path(__file__).parent
_PUBLISH: Final = (_FOLDER / "publish.lua").read_text("utf-8")
_PUBLISH_SHA: Final = hashlib.sha1(_PUBLISH.encode(), usedforsecurity=False).hexdigest()
_EPOCH_BYTES: Final = 9
_EVENTS_A_CALL_MAX: Final = 100
"""Events of a topic that are told in one script; meanwhile the server does nothing else."""

_EVERY_TOPIC: Final = Topic("*")


class RedisState(msgspec.Struct, frozen=True, kw_only=True):
    """What the relay finds when it looks at Redis."""

    losses: Sequence[Loss]
    access_ready: bool


class Publisher:
    """The relay's way to Redis: a look first, then whatever is to be sent."""

    def __init__(self, settings: RedisSettings) -> None:
        cluster = cluster_url(settings.url)
        self._servers: Servers = (
            OneServer(settings.url) if cluster is None else ClusterServers(cluster)
        )

    async def look(self, batch: int) -> RedisState:
        """Connect if need be, and say what is missing; `batch` is the last that was published."""
        servers = await self._servers.refresh()
        found = [await self._look_at(server, batch) for server in servers]
        losses = [loss for loss, _ in found if loss is not None]
        if not losses:
            return RedisState(losses=[], access_ready=any(ready for _, ready in found))
        marks = [batch] if len(losses) < len(servers) else []
        marks += [loss.since for loss in losses if loss.since is not None]
        is_emptied = any(loss.since is None for loss in losses)
        return RedisState(
            losses=[_told_by_others(loss, marks) for loss in losses],
            access_ready=any(ready for _, ready in found) and not is_emptied,
        )

    async def publish(self, rows: Sequence[OutboxRow], *, only: str | None = None) -> None:
        """Tell Redis of `rows`; what its logs remember is not told again.

        With `only`, those are left out that are not for the server of that name.
        """
        by_server: dict[HeldServer, list[OutboxRow]] = {}
        for row in rows:
            by_server.setdefault(self._servers.owner(topic_log(row.topic)), []).append(row)
        for server, its_rows in by_server.items():
            if only in {None, server.name}:
                await self._tell(server, self._commands(its_rows))

    async def replace_access(self, topics: dict[Topic, dict[str, str]]) -> None:
        """Make the rights to each of `topics` exactly those given."""
        by_server: dict[HeldServer, list[RedisCommand]] = {}
        for topic, members in topics.items():
            fields = [text for pair in members.items() for text in pair]
            key = topic_access(topic)
            by_server.setdefault(self._servers.owner(key), []).extend(
                [("MULTI",), ("DEL", key), ("HSET", key, *fields), ("EXEC",)]
            )
        for server, commands in by_server.items():
            await server.send(commands)

    async def withdraw_access(self) -> None:
        """Say that the access projection is not complete any more."""
        await self._servers.owner(ACCESS_READY_KEY).send([("DEL", ACCESS_READY_KEY)])

    async def mark_access_ready(self) -> None:
        """Say that the access projection is complete."""
        await self._servers.owner(ACCESS_READY_KEY).send([("SET", ACCESS_READY_KEY, "1")])

    async def forget(self, loss: Loss) -> None:
        """Let every topic and every right on a server go: its topics begin a new epoch."""
        await self._named(loss).forget(topic_meta(_EVERY_TOPIC), topic_access(_EVERY_TOPIC))

    async def renew(self, topics: Sequence[Topic], *, losses: Sequence[Loss]) -> None:
        """Let some topics, as far as they are on these servers, begin a new epoch."""
        servers = {loss.server for loss in losses}
        by_server: dict[HeldServer, list[RedisCommand]] = {}
        for key in map(topic_meta, topics):
            by_server.setdefault(self._servers.owner(key), []).append(("DEL", key))
        for server, commands in by_server.items():
            if server.name in servers:
                await server.send(commands)

    async def note(self, loss: Loss, batch: int) -> None:
        """Say that a server has everything up to `batch` again."""
        await self._named(loss).note(batch)

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._servers.aclose()

    async def disconnect(self) -> None:
        """Drop the connections, whatever state they are in; the next look makes others."""
        await self._servers.disconnect()

    async def _look_at(self, server: HeldServer, batch: int) -> tuple[Loss | None, bool]:
        if server is self._servers.owner(ACCESS_READY_KEY):
            return await server.look(batch, key=ACCESS_READY_KEY)
        loss, _ = await server.look(batch, key=server.marker_key)
        return loss, False

    def _named(self, loss: Loss) -> HeldServer:
        found = self._servers.named(loss.server)
        assert found is not None
        return found

    async def _tell(self, server: HeldServer, commands: Sequence[RedisCommand]) -> None:
        answers = await server.send(commands, raise_on_error=False)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            await server.send([("SCRIPT", "LOAD", _PUBLISH)])
            answers = await server.send(commands, raise_on_error=False)
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, AskError):
                await self._tell_elsewhere(answer, command)
            elif isinstance(answer, Exception):
                raise answer

    async def _tell_elsewhere(self, told: AskError, command: RedisCommand) -> None:
        """Send a command of a slot that is just being moved where its keys are already."""
        target = self._servers.named(f"{told.host}:{told.port}")
        if target is None:
            raise told
        whole: RedisCommand = command
        if command[0] == "EVALSHA":
            whole = ("EVAL", _PUBLISH, *command[2:])
        _, answer = await target.send([("ASKING",), whole], raise_on_error=False)
        if isinstance(answer, Exception):
            raise answer

    def _commands(self, rows: Sequence[OutboxRow]) -> list[RedisCommand]:
        commands: list[RedisCommand] = []
        for group in _by_topic(rows):
            commands += (
                [self._publishing(group)]
                if group[0].kind == "event"
                else self._changing_access(group[0])
            )
        return commands

    def _changing_access(self, row: OutboxRow) -> list[RedisCommand]:
        member = row.member or ""
        if row.kind == "grant":
            return [("HSET", topic_access(row.topic), member, row.role or "")]
        notice = f"{NOTICE_MARK} revoked {member}"
        return [
            ("HDEL", topic_access(row.topic), member),
            (self._servers.publish_word, topic_live_channel(row.topic), notice),
        ]

    def _publishing(self, events: Sequence[OutboxRow]) -> RedisCommand:
        topic = events[0].topic
        told = [part for event in events for part in (event.event_id or "", event.body or b"")]
        return (
            "EVALSHA",
            _PUBLISH_SHA,
            3,
            topic_log(topic),
            topic_meta(topic),
            topic_seen(topic),
            secrets.token_urlsafe(_EPOCH_BYTES),
            topic_live_channel(topic),
            TOPIC_LOG_ENTRIES_MAX,
            TOPIC_IDLE_SECONDS_MAX * 1000,
            self._servers.publish_word,
            *told,
        )


def _by_topic(rows: Sequence[OutboxRow]) -> list[list[OutboxRow]]:
    """Bring the events of each topic together. Nothing passes a right that is given or taken."""
    groups: list[list[OutboxRow]] = []
    newest: dict[Topic, list[OutboxRow]] = {}
    for row in rows:
        if row.kind != "event":
            newest.clear()
            groups.append([row])
            continue
        group = newest.get(row.topic)
        if group is None or len(group) >= _EVENTS_A_CALL_MAX:
            group = newest[row.topic] = []
            groups.append(group)
        group.append(row)
    return groups


def _told_by_others(loss: Loss, marks: Sequence[int]) -> Loss:
    """Of a server without a marker, take the oldest of the others' instead.

    It is new in the cluster or was emptied. What it has came from the others, or is nothing.
    """
    if loss.since is not None or not marks:
        return loss
    return msgspec.structs.replace(loss, since=min(marks))


@asynccontextmanager
async def open_publisher(settings: RedisSettings) -> AsyncGenerator[Publisher]:
    """Open a publisher for as long as the block runs; the server need not be up yet."""
    publisher = Publisher(settings)
    try:
        yield publisher
    finally:
        await asyncio.shield(publisher.aclose())
