"""Counts of durations in buckets whose width grows with the value: bounded memory, stated error.

A quantile read from a histogram is at most 1 % away from a value that was really recorded. The
range is 1 µs to 1000 s; what lies outside is counted at its nearest end, and the exact largest
and smallest value and the sum are kept beside the counts.
"""

import math
from collections.abc import Iterable
from typing import Final, Self

import msgspec

RELATIVE_ERROR: Final = 0.01
SMALLEST_SECONDS: Final = 1e-6
LARGEST_SECONDS: Final = 1_000.0

_GROWTH: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GROWTH: Final = math.log(_GROWTH)
BUCKETS_MAX: Final = math.ceil(math.log(LARGEST_SECONDS / SMALLEST_SECONDS) / _LOG_GROWTH) + 1


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """A histogram as it travels between processes."""

    buckets: dict[int, int]
    smallest_seconds: float
    largest_seconds: float
    sum_seconds: float


class Histogram:
    """How long things took. Not shared between tasks that record at the same time."""

    __slots__ = ("_buckets", "count", "largest_seconds", "smallest_seconds", "sum_seconds")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.sum_seconds = 0.0
        self.smallest_seconds = math.inf
        self.largest_seconds = 0.0

    def record(self, seconds: float) -> None:
        """Count one duration."""
        bucket = _bucket(seconds)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1
        self.sum_seconds += seconds
        self.smallest_seconds = min(self.smallest_seconds, seconds)
        self.largest_seconds = max(self.largest_seconds, seconds)

    def quantile(self, share: float) -> float:
        """Return the duration in seconds that `share` of the recorded ones do not exceed.

        NaN while nothing is recorded.
        """
        assert 0 <= share <= 1
        if self.count == 0:
            return math.nan
        wanted = max(1, math.ceil(share * self.count))
        passed = 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= wanted:
                return min(max(_middle(bucket), self.smallest_seconds), self.largest_seconds)
        raise AssertionError("the buckets hold fewer durations than were counted")

    def mean(self) -> float:
        """Return the mean in seconds, NaN while nothing is recorded."""
        return self.sum_seconds / self.count if self.count else math.nan

    def add(self, other: Self) -> None:
        """Count everything that `other` counted as well."""
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        self.count += other.count
        self.sum_seconds += other.sum_seconds
        self.smallest_seconds = min(self.smallest_seconds, other.smallest_seconds)
        self.largest_seconds = max(self.largest_seconds, other.largest_seconds)

    def counts(self) -> Counts:
        """Return everything, to be sent elsewhere."""
        return Counts(
            buckets=dict(self._buckets),
            smallest_seconds=self.smallest_seconds if self.count else 0.0,
            largest_seconds=self.largest_seconds,
            sum_seconds=self.sum_seconds,
        )

    @classmethod
    def from_counts(cls, counts: Counts) -> Self:
        """Return a histogram that goes on from `counts`."""
        histogram = cls()
        histogram._buckets = dict(counts.buckets)
        histogram.count = sum(counts.buckets.values())
        histogram.sum_seconds = counts.sum_seconds
        histogram.smallest_seconds = counts.smallest_seconds if histogram.count else math.inf
        histogram.largest_seconds = counts.largest_seconds
        return histogram

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """Return one histogram of everything that `parts` counted."""
        whole = cls()
        for part in parts:
            whole.add(part)
        return whole


def _bucket(seconds: float) -> int:
    if seconds <= SMALLEST_SECONDS:
        return 0
    if seconds >= LARGEST_SECONDS:
        return BUCKETS_MAX - 1
    return math.ceil(math.log(seconds / SMALLEST_SECONDS) / _LOG_GROWTH)


def _middle(bucket: int) -> float:
    """Return the value that is equally far, in proportion, from both ends of a bucket."""
    return SMALLEST_SECONDS * _GROWTH**bucket * 2 / (1 + _GROWTH)
