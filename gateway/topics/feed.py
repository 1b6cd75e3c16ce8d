"""One topic as this worker hears it: where it stands, who listens. Nothing in here waits.

Events leave a feed in the order of their offsets, each once. Whatever does not fit (a hole, another
epoch, something that cannot be read) is not guessed at: the feed asks for an audit, and the hub
reads the log.
"""

from array import array
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import trio
from prometheus_client import Counter

from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane, Part
from gateway.connections.transport import Transport
from gateway.connections.wire import data_frame
from gateway.limits import FEED_MEMORY_EVENTS
from gateway.streams.topic_log import MalformedLiveMessageError, Replay, parse_live
from gateway.topics.prepared import MalformedEventError, PreparedEvent
from gateway.topics.subscription import Subscription
from protocol.codec import encode_frame
from protocol.ids import EventId
from protocol.server_frames import Gap, GapReason, ServerFrame
from protocol.topics import Position, Topic
from protocol.version import SUBPROTOCOLS, WireFormat

WIRE_FORMATS: Final[tuple[WireFormat, ...]] = tuple(SUBPROTOCOLS.values())

_SMALL_SUBSCRIBERS_MAX: Final = 3

_deliveries = Counter(
    "rialto_gateway_deliveries_total", "Events handed to the outboxes of live sockets."
)
_breaks = Counter(
    "rialto_gateway_feed_gaps_total", "Times a live topic lost events, by reason.", ["reason"]
)


class Watcher(Protocol):
    """Who follows a topic's newest state, whatever the subscribers do."""

    def hear(self, event: PreparedEvent) -> None:
        """Take the next event, each once and in order."""
        ...

    def doubt(self) -> None:
        """Note that events may have been lost: the state is to be read again."""
        ...


class Feed:
    """The subscribers of one topic, and the place up to which they were told."""

    __slots__ = (
        "_held",
        "_ids",
        "_live",
        "_on_audit",
        "_on_event",
        "_on_gap",
        "_on_notice",
        "_on_unwritten",
        "_signal",
        "_unwritten",
        "departures_count",
        "idle_since",
        "is_ready",
        "position",
        "rewound_to",
        "seen_offset",
        "topic",
        "watcher",
    )

    def __init__(
        self,
        topic: Topic,
        *,
        on_audit: Callable[["Feed"], None],
        on_event: Callable[["Feed", PreparedEvent], None],
        on_notice: Callable[["Feed", bytes], bool],
        on_gap: Callable[["Feed"], None],
        on_unwritten: Callable[["Feed"], None] | None = None,
    ) -> None:
        """Make a feed. With `on_unwritten` it is told when `write` is to be called: soon."""
        self.topic = topic
        self.position = Position("", 0)
        self.is_ready = False
        self.seen_offset = 0
        self.rewound_to: int | None = None
        self.watcher: Watcher | None = None
        self.idle_since = trio.current_time()
        self._ids: array[int] | None = None
        self._live: dict[WireFormat, dict[Connection, Transport]] = {}
        self._held: dict[Connection, Subscription] = {}
        self._on_audit = on_audit
        self._on_event = on_event
        self._on_notice = on_notice
        self._on_unwritten = on_unwritten
        self._unwritten: dict[WireFormat, list[bytes]] | None = None
        self._signal: tuple[ServerFrame, Lane] | None = None
        self._on_gap = on_gap
        self.departures_count = 0  # times a right may have been lost, as far as it was heard

    def begin(self, at: Position) -> None:
        """Take `at` as the place from which the feed goes on; it was attached before."""
        self.position = at
        self.is_ready = True
        if self.seen_offset > at.offset:
            self._on_audit(self)

    @property
    def subscribers_count(self) -> int:
        """Count who listens."""
        return len(self._held) + sum(map(len, self._live.values()))

    @property
    def is_small(self) -> bool:
        """Whether so few listen that what they hear is one person's, as a rule."""
        return self.subscribers_count <= _SMALL_SUBSCRIBERS_MAX

    def listeners(self) -> Iterator[Connection]:
        """Yield who listens; nobody may join or leave meanwhile."""
        yield from self._held
        for members in self._live.values():
            yield from members

    @property
    def is_needed(self) -> bool:
        """Whether somebody listens or watches."""
        return bool(self._held) or self.watcher is not None or any(self._live.values())

    # Who listens

    def join(self, connection: Connection) -> Subscription:
        """Add a listener, held: it is told nothing until `release`."""
        assert self.is_ready
        subscription = Subscription(self.topic, connection, self.position)
        self._held[connection] = subscription
        return subscription

    def leave(self, connection: Connection) -> None:
        """Take a listener away."""
        self.write()
        self._held.pop(connection, None)
        for members in self._live.values():
            members.pop(connection, None)
        if not self.subscribers_count:
            self.idle_since = trio.current_time()

    def suspend(self, subscription: Subscription) -> None:
        """Hold a live listener again; say with `release` that it may go on."""
        self.write()
        connection = subscription.connection
        members = self._live.get(connection.wire_format, {})
        if members.pop(connection, None) is not None:
            subscription.suspend(self.position)
            self._held[connection] = subscription
        elif subscription.is_released:
            subscription.suspend(Position(self.position.epoch, subscription.after))

    def is_suspended(self, subscription: Subscription) -> bool:
        """Say whether a listener is held only because its right is in doubt."""
        return subscription.is_suspended and subscription.connection in self._held

    def release(self, subscription: Subscription) -> None:
        """Tell a held listener what was kept for it, and make it live."""
        connection = subscription.connection
        if self._held.get(connection) is not subscription:
            return
        self.write()
        if subscription.gap is not None:
            subscription.tell_gap(subscription.gap)
        if subscription.is_doubted:
            subscription.is_suspended = True  # whoever doubts it asks, and releases it then
            return
        subscription.tell_kept()
        subscription.is_released = True
        subscription.is_suspended = False
        self._make_live(subscription)

    def _make_live(self, subscription: Subscription) -> None:
        """A client that is ahead of this worker stays held until the worker is where it is."""
        connection = subscription.connection
        if subscription.after <= self.position.offset:
            del self._held[connection]
            members = self._live.setdefault(connection.wire_format, {})
            members[connection] = connection.transport

    # What comes in

    def receive(self, payload: bytes) -> None:
        """Take a message of the live channel. Never raises."""
        try:
            at, entry = parse_live(payload)
        except MalformedLiveMessageError:
            self.write()
            if not self._on_notice(self, payload):
                self._on_audit(self)
            return
        self.seen_offset = at.offset
        if not self.is_ready:
            return
        if at.epoch != self.position.epoch or not self.accept(at.offset, entry):
            self._on_audit(self)

    def accept(self, offset: int, entry: bytes) -> bool:
        """Take the event at `offset` of this epoch; say no if one before it is missing."""
        expected = self.position.offset + 1
        if offset > expected:
            return False
        try:
            event = PreparedEvent(self.topic, offset, entry)
        except MalformedEventError:
            if offset == expected:
                self.break_off(Position(self.position.epoch, offset), "lost")
            return True
        if offset == expected:
            self._deliver(event)
        elif not self._is_repeated(event):
            self.break_off(Position(self.position.epoch, offset - 1), "lost")
            self._deliver(event)
        return True

    def _is_repeated(self, event: PreparedEvent) -> bool:
        """Say whether the event is the one already told at its offset.

        A Redis that lost its last second is given the same events again, at the same offsets.
        """
        ids = self._ids or ()
        back = self.position.offset - event.offset
        if back < len(ids):
            return ids[-1 - back] == hash(event.id)
        return self.rewound_to is None

    def _deliver(self, event: PreparedEvent) -> None:
        self.position = Position(self.position.epoch, event.offset)
        self._remember(event.id)
        try:
            self._fan_out(event)
        except MalformedEventError:
            self.break_off(self.position, "lost")
            return
        self._on_event(self, event)
        if self.watcher is not None:
            self.watcher.hear(event)

    def _remember(self, event: EventId) -> None:
        """Keep the newest ids, as numbers: they are a tenth of the size."""
        if self._ids is None:
            self._ids = array("q")
        self._ids.append(hash(event))
        if len(self._ids) >= 2 * FEED_MEMORY_EVENTS:
            del self._ids[:-FEED_MEMORY_EVENTS]

    def _fan_out(self, event: PreparedEvent) -> None:
        frames: dict[WireFormat, bytes] = {
            name: event.frame(name) for name, members in self._live.items() if members
        }
        for subscription in self._held.values():
            event.frame(subscription.connection.wire_format)  # or fail before anybody was told
        if self._unwritten is None:
            self._unwritten = {}
            if self._on_unwritten is not None:
                self._on_unwritten(self)
        for name, frame in frames.items():
            self._unwritten.setdefault(name, []).append(frame)
        if self._held or self._on_unwritten is None:
            self.write()
        if self._held:
            for subscription in list(self._held.values()):
                self._keep(subscription, event)

    def write(self) -> None:
        """Hand what came since the last time to every live listener: all of it in one write.

        Events that arrive together cost a socket no more than one of them, so a room in which
        more is said than sockets can be written to falls behind by moments and not for ever.
        """
        if self._unwritten is None:
            return
        unwritten, self._unwritten = self._unwritten, None
        signal, self._signal = self._signal, None
        topic = self.topic
        for name, frames in unwritten.items():
            members = self._live[name]
            if len(frames) == 1 and signal is None:
                for transport in members.values():
                    transport.push(frames[0], Lane.DURABLE, topic)
            else:
                parts = [Part(frame, Lane.DURABLE, topic) for frame in frames]
                if signal is not None:
                    framed = data_frame(encode_frame(signal[0], name), name)
                    parts.append(Part(framed, signal[1], topic))
                together = b"".join([part.frame for part in parts])
                for transport in members.values():
                    transport.push_together(parts, together)
            _deliveries.inc(len(members) * len(frames))

    def _keep(self, subscription: Subscription, event: PreparedEvent) -> None:
        if subscription.is_released:
            subscription.tell(event)
            self._make_live(subscription)
        else:
            subscription.keep(event)

    def break_off(self, at: Position, reason: GapReason) -> None:
        """Tell every listener that events before `at` are missing, and go on from there."""
        _breaks.labels(reason=reason).inc()
        self.position = at
        self.seen_offset = at.offset
        self.rewound_to = None
        self._ids = None
        self.fan_out(Gap(topic=self.topic, position=at, reason=reason), Lane.DURABLE)
        for subscription in list(self._held.values()):
            subscription.restart(at, reason)
            if subscription.is_released:
                self.release(subscription)
        self.departures_count += 1
        self._on_gap(self)
        if self.watcher is not None:
            self.watcher.doubt()

    def reconcile(self, replay: Replay, *, asked_at: int) -> None:
        """Take what the log holds after `rewound_to` or, if that is None, after `asked_at`.

        `asked_at` is the offset at which the feed stood when the log was asked.
        """
        head, before = replay.head, self.position.offset
        if head.epoch != self.position.epoch:
            self.break_off(head, "epoch")
        elif head.offset < asked_at:
            self.rewound_to = min(head.offset, self.rewound_to or head.offset)
        elif not replay.complete:
            self.break_off(head, replay.reason or "lost")
        else:
            for found in replay.entries:
                self.accept(found.offset, found.entry)
            self.rewound_to = None
        if self.seen_offset > self.position.offset:
            if self.position.offset == before:
                self.seen_offset = before  # what was seen is in no log: it was lost with Redis
            else:
                self._on_audit(self)
        self.write()

    def fan_out_with_events(self, frame: ServerFrame, lane: Lane) -> None:
        """Tell the topic's newest state in the write of the events that are about to be written."""
        if self._unwritten is None:
            self.fan_out(frame, lane, key=self.topic)
        else:
            self._signal = frame, lane

    def fan_out(self, frame: ServerFrame, lane: Lane, *, key: str = "") -> None:
        """Tell every live listener something that is not an event."""
        self.write()
        for name, members in self._live.items():
            if members:
                framed = data_frame(encode_frame(frame, name), name)
                for transport in members.values():
                    transport.push(framed, lane, key)
