"""When periods begin and end. Pure.

Every boundary is reckoned from the anchor, never from the one before it, so nothing drifts: a plan
that was begun on the 31st is renewed on the last day of shorter months, and on the 31st again
where there is one. Days are those of the seller's time zone, moments are kept in UTC.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

IntervalUnit = Literal["day", "week", "month", "year"]

_MONTHS_A_YEAR = 12


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """How long a period is: so many days, weeks, months or years."""

    unit: IntervalUnit
    count: int


def boundary(anchor: datetime, interval: Interval, number: int, *, time_zone: str) -> datetime:
    """Return the beginning of the `number`-th period after the anchor; 0 is the anchor itself.

    A time of day that the clocks skip becomes as much later as they are put forward; of one that
    comes twice, the first is meant.
    """
    if number == 0:
        return anchor
    zone = ZoneInfo(time_zone)
    local = anchor.astimezone(zone)
    count = interval.count * number
    if interval.unit in {"day", "week"}:
        moved = local + timedelta(days=count * (7 if interval.unit == "week" else 1))
    else:
        moved = _months_on(local, count * (_MONTHS_A_YEAR if interval.unit == "year" else 1))
    return moved.replace(fold=0).astimezone(UTC)


def _months_on(local: datetime, count: int) -> datetime:
    months = local.year * _MONTHS_A_YEAR + local.month - 1 + count
    year, month = months // _MONTHS_A_YEAR, months % _MONTHS_A_YEAR + 1
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day)
