"""A histogram in the few numbers people look at."""

import msgspec

from loadtest.histogram import Histogram


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in milliseconds; all zero when nothing was recorded."""

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a curve: what ended in the seconds from `second` on."""

    second: int
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def summarize(histogram: Histogram) -> Summary:
    """Return the few numbers of a histogram."""
    if histogram.count == 0:
        return Summary(count=0, mean_ms=0, p50_ms=0, p95_ms=0, p99_ms=0, max_ms=0)
    return Summary(
        count=histogram.count,
        mean_ms=_ms(histogram.mean()),
        p50_ms=_ms(histogram.quantile(0.50)),
        p95_ms=_ms(histogram.quantile(0.95)),
        p99_ms=_ms(histogram.quantile(0.99)),
        max_ms=_ms(histogram.largest_seconds),
    )


def curve(series: dict[int, Histogram], *, seconds_per_point: int) -> list[Point]:
    """Return the points of a curve in order of time; seconds without any duration are left out."""
    return [
        Point(
            second=point * seconds_per_point,
            count=series[point].count,
            p50_ms=_ms(series[point].quantile(0.50)),
            p95_ms=_ms(series[point].quantile(0.95)),
            p99_ms=_ms(series[point].quantile(0.99)),
        )
        for point in sorted(series)
    ]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
