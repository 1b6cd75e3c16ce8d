"""Billing periods: counted from an anchor, so that the 31st stays the 31st where there is one."""

from calendar import monthrange
from datetime import UTC, datetime
from typing import Final

_SECONDS: Final = {"day": 24 * 3600, "week": 7 * 24 * 3600}
_MONTHS: Final = {"month": 1, "year": 12}


def moment_after(anchor: int, interval: str, count: int) -> int:
    """Return the unix second `count` intervals after the anchor.

    A day that a month does not have becomes its last day; the time of day stays, in UTC.
    """
    if interval in _SECONDS:
        return anchor + _SECONDS[interval] * count
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.month - 1 + _MONTHS[interval] * count
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period_at(anchor: int, interval: str, every: int, moment: int) -> tuple[int, int]:
    """Return the start and the end of the period that a moment, not before the anchor, is in."""
    assert moment >= anchor
    low, high = 0, 1
    while moment_after(anchor, interval, high * every) <= moment:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if moment_after(anchor, interval, middle * every) <= moment:
            low = middle
        else:
            high = middle
    return (
        moment_after(anchor, interval, low * every),
        moment_after(anchor, interval, high * every),
    )


def share(amount: int, part: int, whole: int) -> int:
    """Return `amount * part / whole`, half a unit away from zero."""
    assert whole > 0
    quotient = (2 * abs(amount) * part + whole) // (2 * whole)
    return quotient if amount >= 0 else -quotient
