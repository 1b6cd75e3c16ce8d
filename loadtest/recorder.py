"""What is measured, as whole-run histograms and as one histogram a second for the curves."""

import math
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from loadtest.histogram import Counts, Histogram
from loadtest.limits import SERIES_POINTS_MAX

Now = Callable[[], float]
"""Seconds on a clock that all processes of this machine share (`time.monotonic`)."""


class Measure(StrEnum):
    """Something that takes time."""

    CONNECT = "connect"
    ACCEPTED = "chat.accepted"
    COMMITTED = "chat.committed"
    SEEN = "chat.seen"
    REST = "rest"
    RESUMED = "resumed"
    ORDERED = "ordered"


MEANINGS: Final[Mapping[Measure, str]] = {
    Measure.CONNECT: "TCP connect to welcome",
    Measure.ACCEPTED: "chat message: send to accepted",
    Measure.COMMITTED: "chat message: send to committed",
    Measure.SEEN: "chat message: send to seen by another member",
    Measure.REST: "REST request to answer",
    Measure.RESUMED: "connection lost to everything replayed",
    Measure.ORDERED: "order: place to committed",
}


class MeasuredCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of one process, as it travels."""

    whole: Counts
    series: dict[int, Counts]


class Recorder:
    """Takes durations; all at once, none is dropped, memory bounded by run time in seconds."""

    def __init__(self, *, began_at: float, now: Now, seconds_per_point: int) -> None:
        assert seconds_per_point >= 1
        self._began_at = began_at
        self._now = now
        self._seconds_per_point = seconds_per_point
        self._whole = {measure: Histogram() for measure in Measure}
        self._series: dict[Measure, dict[int, Histogram]] = {measure: {} for measure in Measure}

    def record(self, measure: Measure, seconds: float) -> None:
        """Count one duration that ended now."""
        self._whole[measure].record(seconds)
        points = self._series[measure]
        point = int((self._now() - self._began_at) // self._seconds_per_point)
        at = points.get(point)
        if at is None:
            at = points[point] = Histogram()
        at.record(seconds)

    def count(self, measure: Measure) -> int:
        """Return how many durations of a measure were recorded."""
        return self._whole[measure].count

    def recent(self, measure: Measure) -> Histogram:
        """Return the newest two points together, for a live display."""
        now = int((self._now() - self._began_at) // self._seconds_per_point)
        points = self._series[measure]
        return Histogram.merged(points[at] for at in (now - 1, now) if at in points)

    def counts(self) -> dict[Measure, MeasuredCounts]:
        """Return everything, to be sent elsewhere."""
        return {
            measure: MeasuredCounts(
                whole=self._whole[measure].counts(),
                series={
                    point: histogram.counts() for point, histogram in self._series[measure].items()
                },
            )
            for measure in Measure
        }


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of all processes together."""

    whole: Histogram
    series: dict[int, Histogram]

    def since(self, point: int) -> Histogram:
        """Return what ended at this point of the curve or later."""
        return Histogram.merged(self.series[at] for at in self.series if at >= point)


def merge(parts: Iterable[Mapping[Measure, MeasuredCounts]]) -> dict[Measure, Measured]:
    """Return what several processes measured, as if one had."""
    merged = {measure: Measured(whole=Histogram(), series={}) for measure in Measure}
    for part in parts:
        for measure, counts in part.items():
            merged[measure].whole.add(Histogram.from_counts(counts.whole))
            for point, point_counts in counts.series.items():
                at = merged[measure].series.setdefault(point, Histogram())
                at.add(Histogram.from_counts(point_counts))
    return merged


def seconds_per_point(run_seconds: float) -> int:
    """Return how many seconds one point of a curve covers, so that a curve stays short."""
    return max(1, math.ceil(run_seconds / SERIES_POINTS_MAX))
