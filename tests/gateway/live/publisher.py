"""Publishes events as commerce does: a script that appends, numbers and tells, all or nothing."""

import secrets

import msgspec

from gateway.streams.link import Link
from protocol.codec import encode_event, encode_topic_entry
from protocol.envelopes import TopicEntry
from protocol.ids import EventId
from protocol.stream_names import (
    ACCESS_READY_KEY,
    TOPIC_LOG_ENTRIES_MAX,
    topic_access,
    topic_live_channel,
    topic_log,
    topic_meta,
    topic_seen,
)
from protocol.topics import Position
from tests.gateway.builders import mint

SCRIPT = """
local known = redis.call('ZSCORE', KEYS[3], ARGV[1])
if known then return {redis.call('HGET', KEYS[2], 'epoch'), tonumber(known)} end
redis.call('HSETNX', KEYS[2], 'epoch', ARGV[3])
local epoch = redis.call('HGET', KEYS[2], 'epoch')
local offset = redis.call('HINCRBY', KEYS[2], 'offset', 1)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], offset .. '-0', 'entry', ARGV[2])
redis.call('ZADD', KEYS[3], offset, ARGV[1])
if ARGV[6] == 'loud' then
  redis.call(ARGV[7], ARGV[4], epoch .. ' ' .. offset .. ' ' .. ARGV[2])
end
return {epoch, offset}
"""


def entry_of(event, event_id=None, *, at_ms=1_790_000_000_000):
    """The bytes of an event as a topic's log has them."""
    body = event if isinstance(event, bytes) else encode_event(event)
    return encode_topic_entry(
        TopicEntry(id=EventId(event_id or mint("evt")), at_ms=at_ms, body=msgspec.Raw(body))
    )


class Publisher:
    """Commerce's side of Redis, as far as the gateway sees it."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def publish(
        self, topic, event, *, event_id=None, silently=False, at_ms=1_790_000_000_000
    ):
        """Publish an event (or the MessagePack of one); `silently` loses the live message."""
        event_id = event_id or mint("evt")
        reply = await self._link.call(
            "EVAL",
            SCRIPT,
            3,
            topic_log(topic),
            topic_meta(topic),
            topic_seen(topic),
            event_id,
            entry_of(event, event_id, at_ms=at_ms),
            secrets.token_hex(4),
            topic_live_channel(topic),
            TOPIC_LOG_ENTRIES_MAX,
            "silent" if silently else "loud",
            self._link.publish_word,
        )
        return Position(reply[0].decode(), reply[1])

    async def grant(self, topic, user, role="member"):
        """Give a right."""
        await self._link.call("HSET", topic_access(topic), user, role)

    async def revoke(self, topic, user):
        """Take a right away."""
        await self._link.call("HDEL", topic_access(topic), user)

    async def finish_projection(self):
        """Say that the rights are complete."""
        await self._link.call("SET", ACCESS_READY_KEY, "1")

    async def lose(self, topic):
        """Forget a topic, as a Redis without its data does."""
        await self._link.call("DEL", topic_log(topic), topic_meta(topic), topic_seen(topic))

    async def trim(self, topic, entries_kept):
        """Keep only the newest entries of a log."""
        await self._link.call("XTRIM", topic_log(topic), "MAXLEN", entries_kept)
