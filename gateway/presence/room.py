"""What one worker keeps of one topic that has users here, or whose signals it hears. Pure."""

from typing import Final

from gateway.presence.messages import PresentUsers
from gateway.presence.state import LIST_SECONDS_MAX, NEVER, OtherWorkers, unite
from protocol.signals import PRESENCE_USERS_MAX, Presence, Present

PAUSE_SECONDS: Final = 1.5
"""Between two changes of one room that are told: joins and leaves come in swarms."""

CROWD_PAUSE_SECONDS: Final = 5.0
"""The same where a crowd is only counted. That it gathers or is gone is told at once."""


class Room:
    """The others' lists, the union, and what was told of it to whom."""

    __slots__ = (
        "_list_seconds_max",
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

    def __init__(self, *, list_seconds_max: float = LIST_SECONDS_MAX) -> None:
        self.is_open = False
        self._list_seconds_max = list_seconds_max
        self.others = OtherWorkers(list_seconds_max=list_seconds_max)
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
        self.others = OtherWorkers(list_seconds_max=self._list_seconds_max)
        self._told = None

    def is_due(self, now: float, *, own_count: int) -> bool:
        """Say whether its pause is over, or a crowd has gathered or gone, so that it is."""
        return self._next_flush_at <= now or self._has_turned(own_count)

    def _has_turned(self, own_count: int) -> bool:
        if self._told is None:
            return False
        count = own_count + self.others.count()
        is_crowd = max(count, self._told.count) > PRESENCE_USERS_MAX
        return is_crowd and (count == 0) != (self._told.count == 0)

    def pause(self, now: float) -> None:
        """Tell nothing more for a while."""
        is_crowd = self.view.users is None
        self._next_flush_at = now + (CROWD_PAUSE_SECONDS if is_crowd else PAUSE_SECONDS)

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
