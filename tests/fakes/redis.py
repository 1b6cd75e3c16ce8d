"""The little of Redis that presence uses, in virtual time, with outages on demand.

`tests/gateway/presence/test_with_valkey.py` runs the same stories against the real one.
"""

import random
from collections import defaultdict

import trio

from gateway.presence import directory
from gateway.streams.link import LinkDownError
from protocol.stream_names import GATEWAY_WORKERS_KEY


class FakeRedis:
    """The server: hashes, the workers' sorted set, channels."""

    def __init__(self):
        self.is_up = True
        self.hashes = defaultdict(dict)
        self.expiries = {}
        self.heartbeats = {}
        self.channels = []
        self.published_count = 0

    def fail(self):
        """Drop every connection and answer nobody."""
        self.is_up = False
        for channels in self.channels:
            channels.drop()

    def recover(self, *, lose_everything=False):
        """Answer again, with or without what was stored."""
        if lose_everything:
            self.hashes.clear()
            self.heartbeats.clear()
        self.is_up = True

    def hash(self, key):
        if self.expiries.get(key, float("inf")) <= trio.current_time():
            self.hashes.pop(key, None)
        return self.hashes[key]

    def execute(self, command, *words):
        words = [
            word.decode() if isinstance(word, bytes) and i < 1 else word
            for i, word in enumerate(words)
        ]
        match command:
            case "HGETALL":
                return [part for pair in self.hash(words[0]).items() for part in pair]
            case "HDEL":
                removed = [self.hash(words[0]).pop(_bytes(field), None) for field in words[1:]]
                return sum(value is not None for value in removed)
            case "PUBLISH":
                return self.publish(words[0], words[1])
            case "EVALSHA" if words[0] == directory._HEARTBEAT.digest:
                return self.beat(*words[2:])
            case "EVALSHA" if words[0] == directory._TELL_PRESENT.digest:
                return self.tell_present(*words[2:])
        raise NotImplementedError(command)

    def beat(self, key, worker, silence_ms):
        assert key == GATEWAY_WORKERS_KEY
        now = trio.current_time()
        added = int(worker not in self.heartbeats)
        self.heartbeats[worker] = now
        self.heartbeats = {
            name: at for name, at in self.heartbeats.items() if at > now - silence_ms / 1000
        }
        return [added, [name.encode() for name in self.heartbeats]]

    def tell_present(self, key, worker, payload, count, lifetime_ms, channel, word):
        assert word == "PUBLISH"
        if count == 0:
            self.hash(key).pop(_bytes(worker), None)
        else:
            self.hash(key)[_bytes(worker)] = payload
            self.expiries[key] = trio.current_time() + lifetime_ms / 1000
        return self.publish(channel, payload)

    def publish(self, channel, payload):
        self.published_count += 1
        for channels in self.channels:
            channels.deliver(channel, payload)
        return 0


class FakeLink:
    """A link to it: in order, never at once, and down when the server is."""

    publish_word = "PUBLISH"

    def __init__(self, redis, *, seed=0):
        self._redis = redis
        self._turn = trio.Lock()
        self._dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self.is_dead = False
        self.is_cut = False

    @property
    def is_up(self):
        return self._redis.is_up and not self.is_dead and not self.is_cut

    async def call(self, *words):
        async with self._turn:
            await self._travel()
            reply = self._redis.execute(*words)
        await self._travel()
        return reply

    async def _travel(self):
        await trio.sleep(self._dice.uniform(0, 0.01))
        if not self.is_up:
            raise LinkDownError


class FakeChannels:
    """Channels of it, which come back 0.3 s after the server does."""

    def __init__(self, redis):
        self._redis = redis
        self._receivers = {}
        self._connected = True
        self._back_at = 0.0
        self.is_cut = False
        self.connects_count = 1
        redis.channels.append(self)

    @property
    def is_up(self):
        if not self._connected and self._redis.is_up and not self.is_cut:
            if self._back_at == 0.0:
                self._back_at = trio.current_time() + 0.3
            elif trio.current_time() >= self._back_at:
                self._connected = True
                self.connects_count += 1
        return self._connected

    async def attach(self, channel, receiver):
        await trio.sleep(0.005)
        if not self.is_up:
            raise LinkDownError
        self._receivers[channel] = receiver

    async def detach(self, channel):
        self._receivers.pop(channel, None)
        await trio.lowlevel.checkpoint()

    def drop(self):
        self._connected = False
        self._back_at = 0.0

    def deliver(self, channel, payload):
        if self.is_up and channel in self._receivers:
            self._receivers[channel](payload)


def _bytes(text):
    return text.encode() if isinstance(text, str) else text
