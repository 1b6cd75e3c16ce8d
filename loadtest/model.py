"""The reference model: what every client must see, and what each one saw.

Promises held against the shop:

- A topic's offsets reach each listener without a hole, each once, in order.
- At one offset of one epoch every listener sees the same event.
- The messages of a room are numbered without a hole, and each number is one message.
- Every committed message is seen by every listener of its room, and is stored.
- Every command gets its outcome.

One model belongs to one process; `findings` of several are judged together in `verdict`.
"""

import zlib
from array import array

import msgspec

from loadtest.limits import VIOLATIONS_KEPT_MAX
from loadtest.violations import Kind, Violation, Violations
from protocol.events import MessageSent
from protocol.ids import MessageId, RoomId
from protocol.server_frames import EventFrame
from protocol.topics import Position, Topic, room_topic


class _Place:
    """Where one listener stands in one topic."""

    __slots__ = ("epoch", "missing", "offset", "seq")

    def __init__(self, position: Position) -> None:
        self.epoch = position.epoch
        self.offset = position.offset
        self.seq: int | None = None
        self.missing: set[int] = set()


class TopicFindings(msgspec.Struct, frozen=True, kw_only=True):
    """What one process saw of one topic: fingerprints of events by offset, of messages by seq."""

    epoch: str
    events: dict[int, int]
    messages: dict[int, int]
    committed: dict[int, int]
    head: int


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one process has to say about correctness."""

    topics: dict[Topic, TopicFindings]
    violations: Violations
    events_seen: int
    messages_seen: int
    commands_given: int
    commands_committed: int
    commands_rejected: int


class _Log:
    """The events of one epoch of one topic, as whoever came first saw them."""

    __slots__ = ("_base", "_prints", "epoch", "head")

    def __init__(self, epoch: str, base: int) -> None:
        self.epoch = epoch
        self.head = base
        self._base = base
        self._prints: array[int] = array("I")

    def agrees(self, offset: int, fingerprint: int) -> bool:
        """Take note of an event; False if another one was seen at this offset."""
        at = offset - self._base - 1
        if at < 0:  # before what this process set out to hear: nothing to compare with
            return True
        while len(self._prints) <= at:
            self._prints.append(0)
        self.head = max(self.head, offset)
        known = self._prints[at]
        if known:
            return known == fingerprint
        self._prints[at] = fingerprint
        return True

    def events(self) -> dict[int, int]:
        numbered = enumerate(self._prints, self._base + 1)
        return {offset: fingerprint for offset, fingerprint in numbered if fingerprint}


class ReferenceModel:
    """What the listeners of one process saw; tell it everything, in the order it happened."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, Topic], _Place] = {}
        self._logs: dict[Topic, _Log] = {}
        self._messages: dict[Topic, dict[int, int]] = {}
        self._committed: dict[Topic, dict[int, int]] = {}
        self._told: list[Violation] = []
        self._violation_counts: dict[Kind, int] = {}
        self._waiting_commands: set[str] = set()
        self._unseen: set[tuple[Topic, int]] = set()
        self.events_seen = 0
        self.messages_seen = 0
        self.commands_given = 0
        self.commands_committed = 0
        self.commands_rejected = 0

    @property
    def violation_count(self) -> int:
        """How many promises were broken so far."""
        return sum(self._violation_counts.values())

    @property
    def commands_outstanding(self) -> int:
        """How many commands have no outcome yet."""
        return len(self._waiting_commands)

    @property
    def committed_unseen(self) -> int:
        """How many committed messages nobody here has seen yet."""
        return len(self._unseen)

    def starts(self, listener: int, topic: Topic, position: Position) -> None:
        """Take note that `listener` hears `topic` from `position` on."""
        self._places[listener, topic] = _Place(position)
        known = self._logs.get(topic)
        if known is None or known.epoch != position.epoch:
            self._logs[topic] = _Log(position.epoch, position.offset)

    def stops(self, listener: int, topic: Topic) -> None:
        """Take note that `listener` no longer hears `topic`."""
        self._places.pop((listener, topic), None)

    def meets_gap(self, listener: int, topic: Topic, position: Position, reason: str) -> None:
        """Take note that `listener` was told of a hole; in a healthy shop there is none."""
        self._violate(Kind.GAP, listener, topic, f"{reason}, continues after {position.offset}")
        self.starts(listener, topic, position)

    def sees(self, listener: int, frame: EventFrame) -> None:
        """Compare one event with what this listener had to see next."""
        self.events_seen += 1
        place = self._places.get((listener, frame.topic))
        if place is None:
            self._violate(Kind.UNASKED, listener, frame.topic, f"offset {frame.offset}")
            return
        fingerprint = zlib.crc32(frame.id.encode()) or 1
        log = self._logs[frame.topic]
        if log.epoch == place.epoch and not log.agrees(frame.offset, fingerprint):
            self._violate(Kind.CONFLICTING, listener, frame.topic, f"offset {frame.offset}")
        if self._advances(listener, place, frame) and isinstance(frame.body, MessageSent):
            self._sees_message(listener, place, frame.topic, frame.body)

    def _advances(self, listener: int, place: _Place, frame: EventFrame) -> bool:
        expected = place.offset + 1
        if frame.offset == expected:
            place.offset = expected
            return True
        if frame.offset > expected:
            hole = f"{expected} to {frame.offset - 1} are missing"
            self._violate(Kind.LOST, listener, frame.topic, hole)
            place.missing.update(range(expected, min(frame.offset, expected + 1000)))
            place.offset = frame.offset
            place.seq = None
            return True
        late = frame.offset in place.missing
        place.missing.discard(frame.offset)
        kind = Kind.REORDERED if late else Kind.DOUBLED
        self._violate(kind, listener, frame.topic, f"offset {frame.offset} after {place.offset}")
        return False

    def _sees_message(self, listener: int, place: _Place, topic: Topic, sent: MessageSent) -> None:
        self.messages_seen += 1
        seq = sent.message.seq
        if place.seq is not None and seq != place.seq + 1:
            told = f"message {seq} after {place.seq}"
            self._violate(Kind.MISNUMBERED, listener, topic, told)
        place.seq = seq
        fingerprint = fingerprint_of(sent.message.id)
        self._unseen.discard((topic, seq))
        first = self._messages.setdefault(topic, {}).setdefault(seq, fingerprint)
        if first != fingerprint:
            self._violate(Kind.CONFLICTING, listener, topic, f"message {seq} is two messages")

    def gives(self, key: str) -> None:
        """Take note that a command was given."""
        self._waiting_commands.add(key)
        self.commands_given += 1

    def commits_message(self, key: str, room: RoomId, message: MessageId, seq: int) -> None:
        """Take note of the outcome of `SendMessage`: it happened, once."""
        topic = room_topic(room)
        self._committed.setdefault(topic, {})[seq] = fingerprint_of(message)
        if seq not in self._messages.get(topic, {}):
            self._unseen.add((topic, seq))
        self.commits(key)

    def commits(self, key: str) -> None:
        """Take note that a command was committed."""
        self._waiting_commands.discard(key)
        self.commands_committed += 1

    def declines(self, key: str) -> None:
        """Take note that a command was refused as it had to be expected."""
        self._waiting_commands.discard(key)
        self.commands_rejected += 1

    def rejects(self, key: str, reason: str) -> None:
        """Take note that a command was refused: no scenario gives one that may be."""
        self._waiting_commands.discard(key)
        self.commands_rejected += 1
        self._violate(Kind.REJECTED, None, None, f"{key}: {reason}")

    def heads(self) -> dict[Topic, Position]:
        """Return the last offset that anybody here saw of each topic."""
        return {topic: Position(log.epoch, log.head) for topic, log in self._logs.items()}

    def behind(self, heads: dict[Topic, Position]) -> list[tuple[int, Topic, int]]:
        """Return the listeners that have not reached `heads`: listener, topic, its offset."""
        return [
            (listener, topic, place.offset)
            for (listener, topic), place in self._places.items()
            if topic in heads
            and place.epoch == heads[topic].epoch
            and place.offset < heads[topic].offset
        ]

    def finish(self, heads: dict[Topic, Position]) -> Findings:
        """Judge what is still missing now that nothing more will come."""
        for listener, topic, offset in self.behind(heads):
            missing = f"{offset + 1} to {heads[topic].offset} never came"
            self._violate(Kind.LOST, listener, topic, missing)
        for key in sorted(self._waiting_commands):
            self._violate(Kind.UNANSWERED, None, None, key)
        return Findings(
            topics={topic: self._topic_findings(topic) for topic in self._logs},
            violations=Violations(counts=dict(self._violation_counts), told=list(self._told)),
            events_seen=self.events_seen,
            messages_seen=self.messages_seen,
            commands_given=self.commands_given,
            commands_committed=self.commands_committed,
            commands_rejected=self.commands_rejected,
        )

    def _topic_findings(self, topic: Topic) -> TopicFindings:
        log = self._logs[topic]
        return TopicFindings(
            epoch=log.epoch,
            events=log.events(),
            messages=self._messages.get(topic, {}),
            committed=self._committed.get(topic, {}),
            head=log.head,
        )

    def _violate(self, kind: Kind, listener: int | None, topic: Topic | None, told: str) -> None:
        self._violation_counts[kind] = self._violation_counts.get(kind, 0) + 1
        if len(self._told) < VIOLATIONS_KEPT_MAX:
            self._told.append(Violation(kind=kind, listener=listener, topic=topic, told=told))


def fingerprint_of(message: MessageId) -> int:
    """Return a small number that stands for a message; two ids share one once in four billion."""
    return zlib.crc32(message.encode()) or 1
