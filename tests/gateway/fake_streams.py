"""As much of Redis as topics and commands need, in virtual time, with every kind of bad day.

`tests/gateway/live` tells the same stories with a real one.
"""

import random
from collections import defaultdict

import msgspec
import trio

from gateway.streams import commands, sockets, topic_log
from gateway.streams.link import LinkDownError
from protocol.codec import (
    decode_command,
    decode_topic_entry,
    encode_event,
    encode_topic_entry,
)
from protocol.envelopes import TopicEntry
from protocol.stream_names import ACCESS_READY_KEY, topic_access, topic_live_channel
from protocol.topics import Position
from tests.gateway.builders import a_message, mint


class Log:
    """One topic."""

    def __init__(self, epoch):
        self.epoch = epoch
        self.offset = 0
        self.entries = {}
        self.first = 1


class FakeStreams:
    """A link and channels in one, with the server behind them."""

    publish_word = "PUBLISH"

    def __init__(self, *, seed=0):
        self.dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.logs = {}
        self.truth = defaultdict(set)
        self.access = defaultdict(dict)
        self.access_is_ready = True
        self.sockets = defaultdict(dict)
        self.ended = defaultdict(dict)
        self.dead_workers = set()
        self.fence = 0
        self.socket_scripts = {
            sockets._CLAIM.digest: self._claim,
            sockets._RENEW.digest: self._renew,
            sockets._RELEASE.digest: self._release,
        }
        self.commands = []
        self.commands_max = 1000
        self.receivers = {}
        self.is_up = True
        self.came_up = trio.Event()
        self.came_up.set()
        self.is_stuck = False
        self.connects_count = 1
        self.calls_count = 0
        self.on_reconnected = self.on_drained = lambda: None
        self.on_published = lambda *_position: None

    # what the gateway calls

    async def call(self, *words):
        self.calls_count += 1
        await self._travel()
        reply = self._execute(*words)
        await self._travel()
        return reply

    async def wait_up(self):
        await self.came_up.wait()

    async def attach(self, channel, receiver):
        await self._travel()
        self.receivers[channel] = receiver
        try:
            await self._travel()
        except BaseException:  # canceled or failed, it is not attached
            if self.receivers.get(channel) is receiver:
                del self.receivers[channel]
            raise

    async def detach(self, channel):
        self.receivers.pop(channel, None)
        await trio.lowlevel.checkpoint()

    async def _travel(self):
        if self.is_stuck:
            await trio.sleep_forever()
        await trio.sleep(self.dice.uniform(0, 0.01))
        if not self.is_up:
            raise LinkDownError

    def _execute(self, command, *words):  # noqa: PLR0911  # a table of commands
        match command:
            case "EVALSHA" if words[0] == topic_log._READ.digest:
                return self._read(words[2], *words[7:10])
            case "EVALSHA" if words[0] == commands._APPEND.digest:
                return self._append(*words)
            case "HMGET":
                roles = self.access[words[0]]
                return [role.encode() if role else None for role in map(roles.get, words[1:])]
            case "XREVRANGE":
                return self._newest(words[0])
            case "EXISTS" if words[0] == ACCESS_READY_KEY:
                return int(self.access_is_ready)
            case "EVALSHA" if words[0] in self.socket_scripts:
                return self.socket_scripts[words[0]](*words[2:])
            case "ZMSCORE":
                return [b"1" if worker not in self.dead_workers else None for worker in words[1:]]
        raise NotImplementedError(command)

    def _is_ended(self, ended, sign_in, minted_at_ms):
        return sign_in in self.ended[ended] or self.ended[ended].get("*", -1) >= minted_at_ms

    def _claim(self, sockets, ended, session, worker, connection, *more):
        lasts_ms, sockets_max, sign_in, minted_at_ms, channel, _, *dead = more
        if self._is_ended(ended, sign_in, minted_at_ms):
            return [b"ended"]
        held, now = self.sockets[sockets], trio.current_time()
        for name, (lasts, _, its_worker, _) in list(held.items()):
            if name != session and (lasts < now or its_worker in dead):
                del held[name]
        others = [
            its_worker.encode() for name, (_, _, its_worker, _) in held.items() if name != session
        ]
        if len(others) >= sockets_max:
            return [b"full", *others]
        before = held.get(session)
        self.fence += 1
        held[session] = (now + lasts_ms / 1000, self.fence, worker, connection)
        if before is not None and before[3] != connection and channel in self.receivers:
            self.receivers[channel](f"! replaced {session} {self.fence}".encode())
        return [b"held", b"%d" % self.fence]

    def _renew(self, sockets, ended, session, worker, connection, *more):
        lasts_ms, sign_in, minted_at_ms = more
        if self._is_ended(ended, sign_in, minted_at_ms):
            return [b"ended"]
        self.fence += 1
        found = self.sockets[sockets].get(session, (0, self.fence, worker, connection))
        if found[3] != connection:
            return [b"replaced"]
        lasts = trio.current_time() + lasts_ms / 1000
        self.sockets[sockets][session] = (lasts, found[1], worker, connection)
        return [b"held", b"%d" % found[1]]

    def _release(self, sockets, session, connection):
        if self.sockets[sockets].get(session, (0, 0, 0, 0))[3] == connection:
            del self.sockets[sockets][session]
        return 1

    def _read(self, meta, offset, entries_max, _bytes_max):
        topic = next(name for name in [meta.split("{")[1].split("}")[0]])
        log = self.log(topic)
        head = [log.epoch.encode(), log.offset]
        if entries_max == 0 or offset == log.offset:
            return [*head, b"", []]
        if offset > log.offset:
            return [*head, b"lost", []]
        if log.offset - offset > entries_max:
            return [*head, b"too_far", []]
        wanted = range(offset + 1, log.offset + 1)
        if any(number not in log.entries for number in wanted):
            return [*head, b"trimmed", []]
        return [*head, b"", [log.entries[number] for number in wanted]]

    def _newest(self, key):
        log = self.log(key.split("{")[1].split("}")[0])
        entry = log.entries.get(log.offset)
        return [] if entry is None else [[b"%d-0" % log.offset, [b"entry", entry]]]

    def _append(self, *words):
        if len(self.commands) >= self.commands_max:
            return 0
        self.commands.append(decode_command(words[-1]))
        return 1

    # what the rest of the world does

    def log(self, topic):
        if topic not in self.logs:
            self.logs[topic] = Log(f"e{self.dice.getrandbits(32):x}")
        return self.logs[topic]

    def head(self, topic):
        return Position(self.log(topic).epoch, self.log(topic).offset)

    def publish(self, topic, event=None, *, event_id=None, is_heard=True, at_ms=1, is_last=True):
        """Append and tell, as commerce's script does.

        `is_heard=False` loses the live message; one that is not the last has others right behind.
        """
        log = self.log(topic)
        log.offset += 1
        body = event if isinstance(event, bytes) else encode_event(event or a_message())
        entry = TopicEntry(id=event_id or mint("evt"), at_ms=at_ms, body=msgspec.Raw(body))
        log.entries[log.offset] = encode_topic_entry(entry)
        self.truth[topic, log.epoch, log.offset].add(entry.id)
        self.on_published(topic, log.epoch, log.offset)
        if is_heard and self.is_up:
            self._tell(topic, log)
            if is_last:
                self.on_drained()
        return Position(log.epoch, log.offset)

    def _tell(self, topic, log):
        payload = f"{log.epoch} {log.offset} ".encode() + log.entries[log.offset]
        receiver = self.receivers.get(topic_live_channel(topic))
        if receiver is not None:
            receiver(payload)

    def trim(self, topic, kept):
        log = self.log(topic)
        log.entries = {at: entry for at, entry in log.entries.items() if at > log.offset - kept}

    def rewind(self, topic, lost_count):
        """Lose the newest events, as a server that was killed does; return them in order."""
        log = self.log(topic)
        lost = [
            log.entries.pop(at)
            for at in range(max(1, log.offset - lost_count + 1), log.offset + 1)
            if at in log.entries
        ]
        log.offset -= len(lost)
        return lost

    def publish_again(self, topic, entries):
        """What commerce's relay does after that."""
        log = self.log(topic)
        for entry in entries:
            log.offset += 1
            log.entries[log.offset] = entry
            self.truth[topic, log.epoch, log.offset].add(decode_topic_entry(entry).id)
            if self.is_up:
                self._tell(topic, log)
        self.on_drained()

    def go_down(self):
        self.is_up = False
        if self.came_up.is_set():
            self.came_up = trio.Event()

    def come_back(self, *, empty=False):
        if empty:
            self.logs.clear()
            self.sockets.clear()
        self.is_up = True
        self.came_up.set()
        self.connects_count += 1
        self.on_reconnected()

    def grant(self, topic, user, role="member"):
        self.access[topic_access(topic)][user] = role

    def revoke(self, topic, user):
        self.access[topic_access(topic)].pop(user, None)
