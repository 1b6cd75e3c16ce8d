"""The run a moment at a time: how much was delivered so far, and what each process has used."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec


class ProcessUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one process and its children use; `private_bytes` they share with nobody."""

    pid: int
    private_bytes: int
    resident_bytes: int
    cpu_seconds: float


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything counted up to `second` of the run; `busy_seconds` are the whole machine's."""

    second: float
    connected: int
    events_seen: int
    signals_seen: int
    commands_committed: int
    messages_committed: int
    requests: int
    busy_seconds: float
    processes: dict[str, ProcessUse]


class RatePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A value at a second of the run."""

    second: float
    value: float


def is_harness(process: str) -> bool:
    """Say whether a process is one of ours rather than the shop's."""
    return process.startswith("load-")


def rate_curve(moments: Sequence[Moment], count: Callable[[Moment], float]) -> list[RatePoint]:
    """Return how fast a count grew, a second, at each moment."""
    return [
        RatePoint(
            second=later.second,
            value=(count(later) - count(earlier)) / (later.second - earlier.second),
        )
        for earlier, later in pairwise(moments)
        if later.second > earlier.second
    ]


def mean_rate(
    moments: Sequence[Moment], count: Callable[[Moment], float], *, since: float, until: float
) -> float | None:
    """Return the mean a second between two moments of the run; None if there is nothing."""
    during = [moment for moment in moments if since <= moment.second <= until]
    if len(during) < 2 or during[-1].second <= during[0].second:
        return None
    first, last = during[0], during[-1]
    return (count(last) - count(first)) / (last.second - first.second)


def strangers_share(moments: Sequence[Moment], *, since: float, until: float) -> float:
    """Return the cores kept busy by what is neither the shop nor we; none if nobody watched."""
    machine = mean_rate(moments, lambda moment: moment.busy_seconds, since=since, until=until)
    known = sum(cpu_shares(moments, since=since, until=until).values())
    return max(0.0, machine - known) if machine and known else 0.0


def cpu_shares(moments: Sequence[Moment], *, since: float, until: float) -> dict[str, float]:
    """Return the processor cores each process kept busy, in the mean."""
    names = sorted({name for moment in moments for name in moment.processes})
    shares: dict[str, float] = {}
    for name in names:
        there = [moment for moment in moments if name in moment.processes]
        rate = mean_rate(
            there,
            lambda moment, name=name: moment.processes[name].cpu_seconds,  # type: ignore[misc]
            since=since,
            until=until,
        )
        if rate is not None:
            shares[name] = max(0.0, rate)
    return shares
