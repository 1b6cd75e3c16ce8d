"""Messages that other services leave in a Redis stream: taken in once each.

One process at a time reads a stream, as the consumer "worker" of a group. A batch is one
transaction and a message a savepoint in it; the message's key is kept with its effects, so that a
crash before the acknowledgement repeats nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, LiteralString

import msgspec
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from commerce.foundation.bell import Bell
from commerce.foundation.command_log import fields_of
from commerce.foundation.database import Transaction, transaction_on
from commerce.foundation.leadership import leading, stream_lock
from commerce.foundation.redis_client import RedisCommand, ask, pipelined
from commerce.foundation.settings import DatabaseSettings
from shared.clock import Clock
from shared.errors import ExpectedError
from shared.logging import get_logger

if TYPE_CHECKING:
    from asyncpg import Connection, Record

BATCH_MESSAGES_MAX: Final = 100
ATTEMPTS_MAX: Final = 5
DEAD_MESSAGES_MAX: Final = 10_000
KEPT_DAYS: Final = 7
MESSAGE_KEY_CHARS_MAX: Final = 200
_CONSUMER: Final = "worker"
_WAIT_MS: Final = 1_000
_RETRY_SECONDS: Final = 0.2
_GROUP_GONE: Final = ("NOGROUP", "UNBLOCKED")

_TAKE: Final[LiteralString] = """
    insert into inbox (consumer, message_key, received_at)
    values ($1, $2, $3)
        on conflict do nothing
"""
_FORGET: Final[LiteralString] = """
    delete from inbox
     where received_at < $1
"""

_total = Counter("rialto_inbox_messages", "Messages by outcome.", ("stream", "outcome"))

_log = get_logger("commerce.inbox")


class MalformedMessageError(Exception):
    """The message is not what the stream's documentation asks for; the sentence says why."""


class StreamMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a stream of plain text fields."""

    id: str
    fields: Mapping[str, str]


MessageHandler = Callable[[Transaction, StreamMessage], Awaitable[object]]
"""Takes a message in. It may run again after a roll-back; `MalformedMessageError` refuses it."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature's `reactions.py` exports in `SUBSCRIPTIONS`.

    A message with a field `key` counts once for each key (and, with `key_scope`, for each value of
    that field), another once for each entry.
    """

    stream: str
    group: str
    dead_stream: str
    handle: MessageHandler
    key_scope: str | None = None

    def key_of(self, message: StreamMessage) -> str:
        """Return what counts once: the sender's key, or else the entry itself."""
        key = message.fields.get("key")
        if not key:
            return f"entry:{message.id}"
        return key if self.key_scope is None else f"{message.fields.get(self.key_scope)}:{key}"


class Inbox:
    """Reads one stream; runs in every worker, works in one."""

    def __init__(
        self,
        settings: DatabaseSettings,
        subscription: Subscription,
        *,
        redis: Redis,
        clock: Clock,
        bell: Bell,
    ) -> None:
        self._settings = settings
        self._subscription = subscription
        self._redis = redis
        self._clock = clock
        self._bell = bell
        self._attempts: dict[str, int] = {}

    async def run(self) -> None:
        """Wait to be the one, then work until Postgres or Redis fails; run it `for_ever`."""
        lock = stream_lock(self._subscription.stream)
        async with leading(self._settings, [lock], role="inbox") as connection:
            await self._prepare()
            while True:
                await self.turn(connection)

    async def turn(self, connection: "Connection[Record]") -> None:
        """Take in what was left behind or failed, then what is new; or wait for it."""
        while pending := await self._read("0"):
            await self._work(connection, pending)
        await self._work(connection, await self._read(">"))

    async def _work(
        self, connection: "Connection[Record]", messages: Sequence[StreamMessage]
    ) -> None:
        taken: list[StreamMessage] = []
        refused: list[tuple[StreamMessage, str]] = []
        async with transaction_on(connection, clock=self._clock, bell=self._bell) as tx:
            for message in messages:
                outcome = await self._take(tx, message)
                if outcome is None:
                    taken.append(message)
                elif outcome:
                    refused.append((message, outcome))
        await self._finish(taken, refused)
        if len(taken) + len(refused) < len(messages):
            await asyncio.sleep(_RETRY_SECONDS)

    async def _take(self, tx: Transaction, message: StreamMessage) -> str | None:
        """Return None if the message is done with, why it is refused, or "" to try it again."""
        try:
            key = self._subscription.key_of(message)
            if len(key) > MESSAGE_KEY_CHARS_MAX:
                return f"the key is longer than {MESSAGE_KEY_CHARS_MAX} characters"
            async with tx.savepoint():
                if await tx.execute(_TAKE, self._subscription.stream, key, tx.now):
                    await self._subscription.handle(tx, message)
        except (MalformedMessageError, ExpectedError) as error:
            return str(error) or "malformed"
        except Exception as error:
            if not tx.is_alive:
                raise
            attempts = self._attempts[message.id] = self._attempts.get(message.id, 0) + 1
            _log.exception("message.failed", message=message.id, attempts=attempts)
            return f"failed: {error}" if attempts >= ATTEMPTS_MAX else ""
        return None

    async def _finish(
        self, taken: Sequence[StreamMessage], refused: Sequence[tuple[StreamMessage, str]]
    ) -> None:
        stream, group = self._subscription.stream, self._subscription.group
        commands: list[RedisCommand] = []
        for message, reason in refused:
            fields = [text for pair in message.fields.items() for text in pair]
            limit: RedisCommand = ("MAXLEN", "~", DEAD_MESSAGES_MAX)
            note: RedisCommand = ("dead:reason", reason, "dead:entry", message.id)
            commands.append(("XADD", self._subscription.dead_stream, *limit, "*", *fields, *note))
            _log.warning("message.refused", stream=stream, message=message.id, why=reason)
        done = [message.id for message in (*taken, *(message for message, _ in refused))]
        if done:
            commands += [("XACK", stream, group, *done), ("XDEL", stream, *done)]
        await pipelined(self._redis, commands)
        for identity in done:
            self._attempts.pop(identity, None)
        _total.labels(stream, "taken").inc(len(taken))
        _total.labels(stream, "refused").inc(len(refused))

    async def _read(self, after: str) -> list[StreamMessage]:
        stream, group = self._subscription.stream, self._subscription.group
        command: RedisCommand = (
            *("XREADGROUP", "GROUP", group, _CONSUMER, "COUNT", BATCH_MESSAGES_MAX),
            *("BLOCK", _WAIT_MS, "STREAMS", stream, after),
        )
        try:
            found = await ask(self._redis, command)
        except ResponseError as error:
            if not any(sign in str(error) for sign in _GROUP_GONE):
                raise
            await self._prepare()  # Redis lost its data, and with it the group.
            return []
        return [_message(*entry) for _, entries in found or [] for entry in entries]

    async def _prepare(self) -> None:
        stream, group = self._subscription.stream, self._subscription.group
        create: RedisCommand = ("XGROUP", "CREATE", stream, group, "0", "MKSTREAM")
        try:
            await ask(self._redis, create)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise


def _message(identity: bytes, fields: Sequence[bytes] | None) -> StreamMessage:
    return StreamMessage(
        id=identity.decode(),
        fields={
            name.decode("utf-8", "replace"): text.decode("utf-8", "replace")
            for name, text in fields_of(fields).items()
        },
    )


async def forget_old_messages(tx: Transaction) -> None:
    """Delete the keys of messages taken in more than `KEPT_DAYS` ago."""
    await tx.execute(_FORGET, tx.now - timedelta(days=KEPT_DAYS))
