"""Moments as cursors say them: in whole microseconds, as Postgres keeps them. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

UnixMicroseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


def unix_us(moment: datetime) -> int:
    """Return a moment in Unix microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def at_unix_us(microseconds: int) -> datetime:
    """Return the moment of so many Unix microseconds."""
    return _EPOCH + timedelta(microseconds=microseconds)
