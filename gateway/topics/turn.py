"""Whose turn it is to be audited: every topic once in a while, a few at a time.

All at once would be felt: with ten thousand users they are thousands of reads. Pure.
"""

import math
from collections.abc import Iterable

from gateway.limits import AUDIT_SECONDS
from protocol.topics import Topic


class AuditTurn:
    """Gives every topic a turn once in `AUDIT_SECONDS`."""

    def __init__(self) -> None:
        self._waiting: list[Topic] = []
        self._share = 0
        self._next_at = math.inf

    def take(self, topics: Iterable[Topic], *, now: float, passed_seconds: float) -> list[Topic]:
        """Return those whose turn it is, `passed_seconds` after this was last asked."""
        self._next_at = min(self._next_at, now + AUDIT_SECONDS)
        if not self._waiting and now >= self._next_at:
            self._waiting = list(topics)
            self._share = math.ceil(len(self._waiting) * passed_seconds / AUDIT_SECONDS)
            self._next_at = now + AUDIT_SECONDS
        taken = self._waiting[-self._share :] if self._waiting else []
        del self._waiting[len(self._waiting) - len(taken) :]
        return taken
