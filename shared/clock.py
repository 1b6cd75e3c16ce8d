"""Time is a dependency: nothing else asks the operating system for it."""

from datetime import UTC, datetime
from typing import Protocol

from typing_extensions import override


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        ...


class SystemClock(Clock):
    """The clock on the wall."""

    @override
    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return datetime.now(UTC)


def unix_ms(moment: datetime) -> int:
    """Return `moment` as whole milliseconds since 1970, as the wire has it."""
    return int(moment.timestamp() * 1000)
