"""One room, many sockets: as fast as it goes, and under pressure."""

import time
from typing import Final

from loadtest.comparison.bounds import JOIN_SECONDS_MAX
from loadtest.comparison.contenders import Arena
from loadtest.comparison.messages import a_message
from loadtest.comparison.results import Metric, Promise, Run
from loadtest.comparison.scenery import (
    Size,
    Speaker,
    guests,
    measured,
    rooms,
    swarming,
    violations,
)
from loadtest.comparison.swarm import Swarm, Track
from loadtest.histogram import Histogram
from protocol.topics import Topic

FAN_OUT_SOCKETS: Final = 3_000
_FAN_OUT_SECONDS: Final = 4.0
_WARM_UP_SECONDS: Final = 1.0
_IN_FLIGHT: Final = 8
"""Messages on their way at one time, so that a server always has something to do."""

PRESSURE_SOCKETS: Final = 1_000
_PRESSURE_SECONDS: Final = 4.0
_PRESSURE_PER_SECOND: Final = 300
_PRESSURE_LATE_SECONDS_MAX: Final = 8.0
"""How long what was sent may still arrive; what has not by then counts as this late."""

_SERVER_CPU: Final = Metric(name="server CPU", unit="%", meaning="of its core", better="less")
_GENERATOR_CPU: Final = Metric(
    name="generator CPU", unit="%", meaning="of the other core", better="less"
)

FAN_OUT_METRICS: Final = (
    Metric(
        name="per core",
        unit="deliveries/s",
        meaning="deliveries for each second of the server's CPU",
    ),
    Metric(name="deliveries", unit="/s", meaning="deliveries for each second that passed"),
    _SERVER_CPU,
    _GENERATOR_CPU,
)
FAN_OUT_PROMISES: Final = (
    Promise(metric="per core", at_least=1.4, peer="socket.io"),
    Promise(metric="per core", at_least=4.0, peer="python-socketio"),
    Promise(metric="per core", at_least=1.1, peer="ws"),
)
PRESSURE_METRICS: Final = (
    Metric(name="p99", unit="ms", meaning="of delivery", better="less", digits=1),
    Metric(name="p50", unit="ms", meaning="of delivery", better="less", digits=1),
    Metric(name="delivered", unit="%", meaning="of the messages, to every socket"),
    Metric(name="out of order", unit="", meaning="or otherwise wrong", better="less"),
    _SERVER_CPU,
    _GENERATOR_CPU,
)
PRESSURE_PROMISES: Final = (
    Promise(metric="p99", at_most=1.0, peer="all"),
    Promise(metric="delivered", at_least=100.0),
    Promise(metric="out of order", at_most=0),
)


class _Room:
    """A room full of sockets, and one who speaks in it."""

    def __init__(self, arena: Arena, swarm: Swarm, sockets: int) -> None:
        self.topic: Topic = rooms(1)[0]
        self.track = Track()
        self.sockets = sockets
        self.said = 0
        self._swarm = swarm
        self._speaker = Speaker(arena, swarm)
        everybody = guests(arena, sockets, lambda _number: (self.topic,))
        swarm.gather(everybody, lambda _guest: self.track)
        self._speaker.connect(sockets + 1)

    def say(self) -> None:
        """Say the next message."""
        self.said += 1
        self._speaker.say(self.topic, self.track, a_message(self.said))

    @property
    def undelivered(self) -> int:
        """Count the deliveries still to come."""
        return self.said * self.sockets - self.track.delivered

    def saturate(self, seconds: float) -> int:
        """Keep the server busy for so long; return how much was delivered."""
        before, until = self.track.delivered, time.monotonic() + seconds
        while self._swarm.now < until:
            while self.undelivered <= (_IN_FLIGHT - 1) * self.sockets:
                self.say()
            self._swarm.step(0.05)
        return self.track.delivered - before

    def press(self, seconds: float, per_second: float) -> None:
        """Say so many messages a second, whether or not they arrive."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while self.said < passed * per_second:
                self.say()
            self._swarm.step(max(0.0, self.said / per_second - passed))

    def settle(self, seconds_max: float) -> None:
        """Wait for what is on its way."""
        until = time.monotonic() + seconds_max
        while self.undelivered > 0 and time.monotonic() < until:
            self._swarm.step(0.05)


def measure_fan_out(arena: Arena, size: Size) -> Run:
    """Measure how much one core delivers to one large room."""
    seconds = size.seconds or _FAN_OUT_SECONDS
    with swarming(arena) as swarm:
        room = _Room(arena, swarm, size.sockets or FAN_OUT_SOCKETS)
        room.saturate(_WARM_UP_SECONDS)
        with measured(arena) as stretch:
            delivered = room.saturate(seconds)
        room.settle(JOIN_SECONDS_MAX)
        flags = [*stretch.flags(), *violations(room.track)]
        if room.undelivered:
            flags.append(f"{room.undelivered} deliveries never came")
    return Run(
        values={
            "per core": delivered / stretch.server_cpu_seconds,
            "deliveries": delivered / stretch.seconds,
            "server CPU": stretch.server_share * 100,
            "generator CPU": stretch.generator_share * 100,
        },
        flags=flags,
    )


def measure_pressure(arena: Arena, size: Size) -> Run:
    """Measure how late deliveries are when more is said than most can pass on."""
    seconds = size.seconds or _PRESSURE_SECONDS
    with swarming(arena) as swarm:
        room = _Room(arena, swarm, size.sockets or PRESSURE_SOCKETS)
        with measured(arena) as stretch:
            room.press(seconds, _PRESSURE_PER_SECOND)
        room.settle(_PRESSURE_LATE_SECONDS_MAX)
        delays = _with_the_late(room, swarm)
    delivered = room.track.delivered / (room.said * room.sockets)
    return Run(
        values={
            "p99": delays.quantile(0.99) * 1e3,
            "p50": delays.quantile(0.5) * 1e3,
            "delivered": delivered * 100,
            "out of order": float(len(room.track.violations)),
            "server CPU": stretch.server_share * 100,
            "generator CPU": stretch.generator_share * 100,
        },
        flags=[*stretch.flags(), *violations(room.track)],
    )


def _with_the_late(room: _Room, swarm: Swarm) -> Histogram:
    """Return the delays, each delivery that never came counted as late as we waited."""
    delays, now = room.track.delays, time.monotonic()
    for member in swarm.members.values():
        if member.is_sampled and member.track is room.track:
            for sent_at in room.track.sent_at[member.heard :]:
                delays.record(now - sent_at)
    return delays
