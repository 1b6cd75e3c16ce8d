"""One connection hearing one topic: held while it is told the past, then live."""

from gateway.connections.connection import Connection
from gateway.connections.outbox import Lane
from gateway.limits import HELD_EVENTS_MAX
from gateway.topics.prepared import PreparedEvent
from protocol.server_frames import Gap, GapReason, Replayed
from protocol.topics import Position, Topic


class Subscription:
    """What a feed knows of one listener.

    `start` is the place after which the feed hands it events, one after the other. While it is
    held they are kept, not told. `after` is the last offset the client is known to have: events
    up to it are not told again.
    """

    __slots__ = (
        "_kept",
        "after",
        "connection",
        "gap",
        "is_doubted",
        "is_released",
        "is_suspended",
        "muted_until_ms",
        "start",
        "topic",
    )

    def __init__(self, topic: Topic, connection: Connection, start: Position) -> None:
        self.topic = topic
        self.connection = connection
        self.start = start
        self.after = start.offset
        self.gap: GapReason | None = None
        self.is_doubted = False
        self.is_released = False
        self.is_suspended = False
        self.muted_until_ms = 0
        self._kept: list[PreparedEvent] = []

    def keep(self, event: PreparedEvent) -> None:
        """Keep a live event until the past is told; too many of them make a gap."""
        if len(self._kept) >= HELD_EVENTS_MAX:
            self.restart(Position(self.start.epoch, event.offset), "too_far")
        else:
            self._kept.append(event)

    def restart(self, at: Position, reason: GapReason) -> None:
        """Note that events are missing before `at`: what was kept is void."""
        self._kept.clear()
        self.start = at
        self.after = at.offset
        self.gap = reason

    def suspend(self, at: Position) -> None:
        """Begin to keep what comes after `at`."""
        self.start = at
        self.after = at.offset
        self.is_released = False
        self.is_suspended = True

    def tell(self, event: PreparedEvent) -> None:
        """Send an event, unless the client has it."""
        if event.offset > self.after:
            frame = event.frame(self.connection.wire_format)
            self.connection.transport.push(frame, Lane.DURABLE, self.topic)
            self.after = event.offset

    def tell_kept(self) -> None:
        """Send what was kept."""
        kept, self._kept = self._kept, []
        for event in kept:
            self.tell(event)

    def tell_replayed(self, *, count: int) -> None:
        """Say that the past is told."""
        at = Position(self.start.epoch, self.after)
        self.connection.send(Replayed(topic=self.topic, position=at, count=count), Lane.DURABLE)

    def tell_gap(self, reason: GapReason) -> None:
        """Say that delivery goes on after `start`, and why not before."""
        self.gap = None
        self.after = self.start.offset
        self.connection.send(
            Gap(topic=self.topic, position=self.start, reason=reason), Lane.DURABLE
        )
