"""A clock that tests set."""

from datetime import UTC, datetime, timedelta

from typing_extensions import override

from shared.clock import Clock


class SettableClock(Clock):
    """Stands still until it is told to move."""

    def __init__(self, moment: datetime | None = None) -> None:
        self._moment = moment or datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    @override
    def now(self) -> datetime:
        """Return the time it was last set to."""
        return self._moment

    def advance(self, **time: float) -> None:
        """Move on by `time`, as `timedelta` takes it."""
        self._moment += timedelta(**time)
