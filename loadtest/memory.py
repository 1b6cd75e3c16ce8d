"""Whether the shop's processes go on growing under a steady load.

What counts is memory that a process allocated for itself (RssAnon): shared buffers and files the
kernel keeps near are left out, for they fill up to a size that was chosen and stay there. Python
and the allocators below it never sit perfectly still, so a little is allowed; the engine that
keeps topics is allowed what it was given to keep.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from loadtest.timeline import Moment, is_harness

WARM_UP_SECONDS: Final = 60
"""The first minute is for caches, pools and the allocator to find their size."""

WINDOW_SECONDS: Final = 20
"""Each end of the comparison is the median of this long."""

GROWTH_SHARE_MAX: Final = 0.05
GROWTH_BYTES_MIN: Final = 8 * 2**20
"""Allowed however small the process is."""

KEPT_BYTES_PER_COMMAND: Final = 2 * 1024
"""What a store of topics is allowed for each committed command: its events, on the room's topic
and the user's, until their logs are full (1,000 events each)."""

STORES: Final = frozenset({"valkey", "redis"})


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """How much one process has gained between the end of the first minute and the end."""

    process: str
    before_bytes: int
    gained_bytes: int
    allowed_bytes: int

    @property
    def held(self) -> bool:
        """Whether it stayed within what is allowed."""
        return self.gained_bytes <= self.allowed_bytes


def judge_growth(
    moments: Sequence[Moment], *, busy_from: float, busy_until: float
) -> tuple[Growth, ...]:
    """Judge every process that was there all the time; nothing if the run is too short for it."""
    first = _within(moments, busy_from + WARM_UP_SECONDS, WINDOW_SECONDS)
    last = _within(moments, busy_until - WINDOW_SECONDS, WINDOW_SECONDS)
    if not first or not last or busy_until - busy_from < WARM_UP_SECONDS + 2 * WINDOW_SECONDS:
        return ()
    commands = last[-1].commands_committed - first[0].commands_committed
    steady = [
        name
        for name, use in first[0].processes.items()
        if not is_harness(name)
        and all(
            name in each.processes and each.processes[name].pid == use.pid
            for each in moments
            if busy_from <= each.second <= busy_until
        )
    ]
    return tuple(_growth(name, first, last, commands) for name in sorted(steady))


def _within(moments: Sequence[Moment], start: float, seconds: float) -> list[Moment]:
    return [moment for moment in moments if start <= moment.second <= start + seconds]


def _growth(name: str, first: Sequence[Moment], last: Sequence[Moment], commands: int) -> Growth:
    before = int(median(moment.processes[name].private_bytes for moment in first))
    after = int(median(moment.processes[name].private_bytes for moment in last))
    allowed = max(int(before * GROWTH_SHARE_MAX), GROWTH_BYTES_MIN)
    if name in STORES:
        allowed += commands * KEPT_BYTES_PER_COMMAND
    return Growth(
        process=name, before_bytes=before, gained_bytes=after - before, allowed_bytes=allowed
    )
