"""What one worker keeps of one topic that has users here, or whose signals it hears. Pure."""

from typing import Final

from gateway.presence.messages import PresentUsers
from gateway.presence.state import NEVER, OtherWorkers, unite
from protocol.signals import Presence, Present

PAUSE_SECONDS: Final = 1.5
"""Between two changes of one room that are told: joins and leaves come in swarms."""


class Room:
    """The others' lists, the union, and what was told of it to whom."""

    __slots__ = (
        "_next_flush_at",
        "_own_count",
        "_own_users",
        "_told",
        "is_open",
        "is_stale",
        "others",
        "told_workers_at",
        "view",
    )

    def __init__(self) -> None:
        self.is_open = False
        self.others = OtherWorkers()
        self.view = Presence(count=0, users=[])
        self.is_stale = True
        """Whether `view` may differ from the truth."""
        self.told_workers_at = NEVER
        self._told: Presence | None = None
        self._own_users: list[Present] = []
        self._own_count = 0
        self._next_flush_at = NEVER

    def close(self) -> None:
        """Forget what only those who hear the topic need."""
        self.is_open = False
        self.is_stale = True
        self.others = OtherWorkers()
        self._told = None

    def is_due(self, now: float) -> bool:
        """Say whether its pause is over."""
        return self._next_flush_at <= now

    def pause(self, now: float) -> None:
        """Tell nothing more for a while."""
        self._next_flush_at = now + PAUSE_SECONDS

    def refresh(self, own: PresentUsers) -> None:
        """Make `view` true, given this worker's list."""
        if self.is_stale:
            self.is_stale = False
            self.view = unite([own, *self.others.lists()])

    def has_own_news(self, own: PresentUsers) -> bool:
        """Say, once, whether this worker's list is another than when this was last asked."""
        is_news = own.count != self._own_count or own.users != self._own_users
        self._own_users = own.users
        self._own_count = own.count
        return is_news

    def has_news(self) -> bool:
        """Say, once, whether those who hear the topic have not been told `view` yet."""
        is_news = self.is_open and self.view != self._told
        if is_news:
            self._told = self.view
        return is_news
