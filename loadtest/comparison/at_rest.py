"""Many sockets that do nothing: what memory they hold, and what their heartbeats cost."""

import time
from typing import Final

from loadtest.comparison.contenders import Arena
from loadtest.comparison.results import Metric, Promise, Run
from loadtest.comparison.scenery import Size, guests, measured, swarming, three_topics, violations
from loadtest.comparison.swarm import Swarm, Track

AT_REST_SOCKETS: Final = 10_000
_IDLE_SECONDS: Final = 12.5
_HEARTBEAT_SECONDS: Final = 25.0
_FIRST_SOCKETS: Final = 50
"""Connected before the first look, so that what a program loads late is not counted."""

_SETTLE_SECONDS: Final = 3.0

MEMORY_METRICS: Final = (
    Metric(
        name="memory", unit="kB", meaning="unique set size for each socket", better="less", digits=1
    ),
    Metric(name="whole", unit="MB", meaning="unique set size of the server", better="less"),
)
MEMORY_PROMISES: Final = (
    Promise(metric="memory", at_most=30),
    Promise(metric="memory", at_most=0.25, peer="socket.io"),
)
IDLE_METRICS: Final = (
    Metric(name="idle", unit="µs/s", meaning="CPU for each socket", better="less", digits=2),
    Metric(name="server CPU", unit="%", meaning="of its core", better="less", digits=1),
)
IDLE_PROMISES: Final = (Promise(metric="idle", at_most=10),)


class _Crowd:
    """Authenticated sockets, each of its own user, each in three topics."""

    def __init__(self, arena: Arena, swarm: Swarm, size: Size) -> None:
        self.sockets = size.sockets or AT_REST_SOCKETS
        self.track = Track()
        self._swarm = swarm
        everybody = guests(arena, self.sockets, three_topics(arena))
        first = min(_FIRST_SOCKETS, self.sockets // 2)
        swarm.gather(everybody[:first], lambda _guest: self.track)
        self.rest(_SETTLE_SECONDS)
        self.bytes_before = arena.server.memory_bytes()
        swarm.gather(everybody[first:], lambda _guest: self.track)
        self.counted = self.sockets - first

    def rest(self, seconds: float, *, beats_every: float | None = None) -> None:
        """Let time pass; each socket shows once in `beats_every` seconds that it is alive."""
        members = list(self._swarm.members.values())
        beat = self._swarm.dialect.heartbeat()
        began_at, beaten = time.monotonic(), 0
        while (passed := time.monotonic() - began_at) < seconds:
            due = 0 if beats_every is None else int(passed / beats_every * len(members))
            while beat is not None and beaten < due:
                self._swarm.say(members[beaten % len(members)], beat)
                beaten += 1
            self._swarm.step(0.01)


def measure_memory(arena: Arena, size: Size) -> Run:
    """Measure what a socket at rest holds."""
    with swarming(arena) as swarm:
        crowd = _Crowd(arena, swarm, size)
        crowd.rest(_SETTLE_SECONDS)
        whole = arena.server.memory_bytes()
        flags = violations(crowd.track)
    return Run(
        values={
            "memory": (whole - crowd.bytes_before) / crowd.counted / 1e3,
            "whole": whole / 1e6,
        },
        flags=flags,
    )


def measure_idle(arena: Arena, size: Size) -> Run:
    """Measure what a socket at rest costs, heartbeats included."""
    with swarming(arena) as swarm:
        crowd = _Crowd(arena, swarm, size)
        crowd.rest(_SETTLE_SECONDS, beats_every=_HEARTBEAT_SECONDS)
        with measured(arena) as stretch:
            crowd.rest(size.seconds or _IDLE_SECONDS, beats_every=_HEARTBEAT_SECONDS)
        flags = [*stretch.flags(), *violations(crowd.track)]
    return Run(
        values={
            "idle": stretch.server_share / crowd.sockets * 1e6,
            "server CPU": stretch.server_share * 100,
        },
        flags=flags,
    )
