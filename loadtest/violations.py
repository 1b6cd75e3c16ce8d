"""The ways in which a shop can break its promises."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from loadtest.limits import VIOLATIONS_KEPT_MAX
from protocol.topics import Topic


class Kind(StrEnum):
    """One kind of broken promise."""

    LOST = "lost"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    CONFLICTING = "conflicting"
    MISNUMBERED = "misnumbered"
    GAP = "gap"
    UNASKED = "unasked"
    UNSEEN = "unseen"
    NOT_STORED = "not_stored"
    UNANSWERED = "unanswered"
    REJECTED = "rejected"
    OVERSOLD = "oversold"
    UNSOLD = "unsold"


MEANINGS: Final[dict[Kind, str]] = {
    Kind.LOST: "an event never reached a listener",
    Kind.DOUBLED: "an event reached a listener twice",
    Kind.REORDERED: "an event came after one that follows it",
    Kind.CONFLICTING: "two listeners saw different events at one place",
    Kind.MISNUMBERED: "the messages of a room are not numbered one after the other",
    Kind.GAP: "a listener was told that events cannot be given",
    Kind.UNASKED: "an event came on a topic that was not subscribed to",
    Kind.UNSEEN: "a committed message was seen by nobody",
    Kind.NOT_STORED: "a committed message is not in the room's history",
    Kind.UNANSWERED: "a command got no outcome",
    Kind.REJECTED: "a command that had to succeed was refused",
    Kind.OVERSOLD: "more was sold than there was, or the stock does not fit the orders",
    Kind.UNSOLD: "something was left although somebody wanted it",
}


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One broken promise, with whatever is known of where."""

    kind: Kind
    told: str
    listener: int | None = None
    topic: Topic | None = None


class Violations(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were of each kind, and the first of them one by one."""

    counts: dict[Kind, int]
    told: list[Violation]

    @property
    def total(self) -> int:
        """How many promises were broken."""
        return sum(self.counts.values())

    @classmethod
    def of(cls, told: list[Violation]) -> "Violations":
        """Count `told`, and keep the first of them."""
        counts: dict[Kind, int] = {}
        for violation in told:
            counts[violation.kind] = counts.get(violation.kind, 0) + 1
        return cls(counts=counts, told=told[:VIOLATIONS_KEPT_MAX])

    @classmethod
    def merged(cls, parts: Iterable["Violations"]) -> "Violations":
        """Return the violations that several found."""
        counts: dict[Kind, int] = {}
        told: list[Violation] = []
        for part in parts:
            told += part.told
            for kind, count in part.counts.items():
                counts[kind] = counts.get(kind, 0) + count
        return cls(counts=counts, told=told[:VIOLATIONS_KEPT_MAX])
