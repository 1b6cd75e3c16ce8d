"""What one process measured at one moment, and what two moments say together."""

from collections.abc import Iterator
from math import inf, nan
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

_BUCKET: Final = "_bucket"
_LIMIT: Final = "le"


class Reading:
    """The numbers of a `/metrics` page; of several pages their sum."""

    def __init__(self, *pages: str) -> None:
        self._values: dict[str, float] = {}
        self._buckets: dict[str, dict[float, float]] = {}
        for page in pages:
            self._add(page)

    def _add(self, page: str) -> None:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name.endswith(_BUCKET) and _LIMIT in sample.labels:
                    limits = self._buckets.setdefault(sample.name.removesuffix(_BUCKET), {})
                    limit = float(sample.labels[_LIMIT])
                    limits[limit] = limits.get(limit, 0.0) + sample.value
                else:
                    self._values[sample.name] = self._values.get(sample.name, 0.0) + sample.value
                    for label, value in sample.labels.items():
                        key = f"{sample.name}{{{label}={value}}}"
                        self._values[key] = self._values.get(key, 0.0) + sample.value

    def value(self, name: str, label: str = "", value: str = "") -> float:
        """Return a number, over all its labels or for one of them; 0 if nothing was said."""
        return self._values.get(f"{name}{{{label}={value}}}" if label else name, 0.0)

    def labelled(self, name: str, label: str) -> Iterator[tuple[str, float]]:
        """Yield each value of a label with its number."""
        start = f"{name}{{{label}="
        for key, number in self._values.items():
            if key.startswith(start):
                yield key[len(start) : -1], number

    def rate(self, earlier: "Reading", name: str, *, seconds: float) -> float:
        """Return by how much a counter grew each second; a process that restarted began at 0."""
        before, now = earlier.value(name), self.value(name)
        return max(0.0, now - before if now >= before else now) / seconds

    def quantile(self, earlier: "Reading", name: str, share: float) -> float:
        """Return the bound below which `share` of what was measured in between lies.

        Within a bucket values are taken to lie evenly, as Prometheus does; NaN if nothing was
        measured, and the highest bound if it is beyond that.
        """
        before = earlier._buckets.get(name, {})  # noqa: SLF001 - of our own kind
        grown = [
            (limit, count - before.get(limit, 0.0))
            for limit, count in sorted(self._buckets.get(name, {}).items())
        ]
        return _quantile(grown, share)


def _quantile(grown: list[tuple[float, float]], share: float) -> float:
    total = grown[-1][1] if grown else 0.0
    if total <= 0:
        return nan
    wanted, lower, below = total * share, 0.0, 0.0
    for limit, count in grown:
        if count >= wanted:
            if limit == inf:
                return lower
            return lower + (limit - lower) * _part(wanted - below, count - below)
        lower, below = limit, count
    return lower


def _part(wanted: float, there: float) -> float:
    return 1.0 if there <= 0 else wanted / there
