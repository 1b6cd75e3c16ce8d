"""Judge what several processes found, and what the shop has stored, together."""

from collections.abc import Iterable, Mapping

import msgspec

from loadtest.model import Findings, TopicFindings, fingerprint_of
from loadtest.violations import Kind, Violation, Violations
from protocol.topics import Topic
from protocol.views import ChatMessage


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the shop kept its promises, and how much it was asked."""

    violations: Violations
    events_seen: int
    messages_seen: int
    messages_stored_checked: int
    commands_given: int
    commands_committed: int

    @property
    def perfect(self) -> bool:
        """Whether no promise was broken."""
        return self.violations.total == 0


class TopicTruth(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one topic from all processes."""

    epoch: str
    events: dict[int, int]
    messages: dict[int, int]
    committed: dict[int, int]


def judge(
    findings: Iterable[Findings],
    stored: Mapping[Topic, Mapping[int, ChatMessage]],
    also: Iterable[Violation] = (),
) -> Verdict:
    """Return the verdict on a whole run; `stored` is each room's history, by seq.

    `also` is what was found wrong elsewhere.
    """
    parts = list(findings)
    truths, conflicts = together(parts)
    later = [*conflicts, *_unseen(truths), *_not_stored(truths, stored), *also]
    return Verdict(
        violations=Violations.merged([*(part.violations for part in parts), Violations.of(later)]),
        events_seen=sum(part.events_seen for part in parts),
        messages_seen=sum(part.messages_seen for part in parts),
        messages_stored_checked=sum(len(truth.committed) for truth in truths.values()),
        commands_given=sum(part.commands_given for part in parts),
        commands_committed=sum(part.commands_committed for part in parts),
    )


def together(parts: Iterable[Findings]) -> tuple[dict[Topic, TopicTruth], list[Violation]]:
    """Lay what several processes saw over one another; tell where they differ."""
    truths: dict[Topic, TopicTruth] = {}
    conflicts: list[Violation] = []
    for part in parts:
        for topic, found in part.topics.items():
            empty = TopicTruth(epoch=found.epoch, events={}, messages={}, committed={})
            conflicts += _lay_over(topic, truths.setdefault(topic, empty), found)
    return truths, conflicts


def _lay_over(topic: Topic, truth: TopicTruth, found: TopicFindings) -> Iterable[Violation]:
    if truth.epoch != found.epoch:
        told = f"processes saw the epochs {truth.epoch} and {found.epoch}"
        yield Violation(kind=Kind.CONFLICTING, topic=topic, told=told)
        return
    for name, known, seen in (
        ("offset", truth.events, found.events),
        ("message", truth.messages, found.messages),
        ("committed message", truth.committed, found.committed),
    ):
        for place, fingerprint in seen.items():
            if known.setdefault(place, fingerprint) != fingerprint:
                yield Violation(kind=Kind.CONFLICTING, topic=topic, told=f"{name} {place}")


def _unseen(truths: Mapping[Topic, TopicTruth]) -> Iterable[Violation]:
    for topic, truth in truths.items():
        for seq, fingerprint in truth.committed.items():
            if truth.messages.get(seq) != fingerprint:
                yield Violation(kind=Kind.UNSEEN, topic=topic, told=f"message {seq}")


def _not_stored(
    truths: Mapping[Topic, TopicTruth], stored: Mapping[Topic, Mapping[int, ChatMessage]]
) -> Iterable[Violation]:
    for topic, truth in truths.items():
        history = stored.get(topic, {})
        for seq, fingerprint in truth.committed.items():
            message = history.get(seq)
            if message is None or fingerprint_of(message.id) != fingerprint:
                yield Violation(kind=Kind.NOT_STORED, topic=topic, told=f"message {seq}")
