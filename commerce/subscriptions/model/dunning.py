"""What is done when a renewal is not paid: tries, and when they end. Pure."""

from datetime import datetime, timedelta
from typing import Final

DUNNING_DAYS: Final = (2, 5, 7, 7)
"""How long after each failure in turn the next try is made; after the last, nothing is tried."""

UNPAID_DAYS_MAX: Final = 30
"""How long a subscription that nothing is tried for any more can still be paid by hand."""

CUSTOMER_TRIES_MAX: Final = 5
"""Tries the subscriber may ask for in one dunning, besides those of the schedule."""


def next_try(failures: int, at: datetime) -> datetime | None:
    """Return when to try again after the `failures`-th failure; None if it is over."""
    assert failures >= 1
    if failures > len(DUNNING_DAYS):
        return None
    return at + timedelta(days=DUNNING_DAYS[failures - 1])


def given_up_at(at: datetime) -> datetime:
    """Return when a subscription ends that became unpaid now."""
    return at + timedelta(days=UNPAID_DAYS_MAX)
