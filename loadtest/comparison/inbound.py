"""Small frames from clients: as many as one core takes in."""

import time
from typing import Final

from loadtest.comparison.bounds import JOIN_SECONDS_MAX
from loadtest.comparison.contenders import Arena
from loadtest.comparison.results import Metric, Promise, Run
from loadtest.comparison.scenery import Size, guests, measured, rooms, swarming, violations
from loadtest.comparison.swarm import Swarm, SwarmError, Track
from loadtest.wire import TEXT, build_frame

INBOUND_SOCKETS: Final = 1_000
_INBOUND_SECONDS: Final = 5.0
_MEMBERS: Final = 20
_FRAMES_A_ROUND: Final = 20
"""Typing signals of each socket before it asks, by a ping, whether all of them were read."""

_SENDS_A_STEP: Final = 200

INBOUND_METRICS: Final = (
    Metric(name="per core", unit="frames/s", meaning="for each second of the server's CPU"),
    Metric(name="frames", unit="/s", meaning="for each second that passed"),
    Metric(name="server CPU", unit="%", meaning="of its core", better="less"),
    Metric(name="generator CPU", unit="%", meaning="of the other core", better="less"),
)
INBOUND_PROMISES: Final = (Promise(metric="per core", at_least=20_000),)


def measure_inbound(arena: Arena, size: Size) -> Run:
    """Measure how many typing signals are read, a frame a write, many sockets in turn."""
    sockets, seconds = size.sockets or INBOUND_SOCKETS, size.seconds or _INBOUND_SECONDS
    places = rooms(1 + sockets // _MEMBERS)
    track = Track()
    with swarming(arena) as swarm:
        everybody = guests(arena, sockets, lambda number: (places[number // _MEMBERS],))
        swarm.gather(everybody, lambda _guest: track)
        _round(swarm)
        frames, until = 0, time.monotonic() + seconds
        with measured(arena) as stretch:
            while time.monotonic() < until:
                frames += _round(swarm)
        flags = [*stretch.flags(), *violations(track)]
    return Run(
        values={
            "per core": frames / stretch.server_cpu_seconds,
            "frames": frames / stretch.seconds,
            "server CPU": stretch.server_share * 100,
            "generator CPU": stretch.generator_share * 100,
        },
        flags=flags,
    )


def _round(swarm: Swarm) -> int:
    """Have every socket say that its user writes, many times; return how many frames were read."""
    beat = swarm.dialect.heartbeat()
    assert beat is not None
    ping = build_frame(TEXT, beat)
    members = list(swarm.members.values())
    signals = [
        (member, build_frame(TEXT, swarm.dialect.typing(member.guest.topics[0])))
        for member in members
    ]
    wanted = swarm.pongs_count + len(members)
    sent = 0
    for said in [*[signals] * _FRAMES_A_ROUND, [(member, ping) for member in members]]:
        for member, frame in said:
            swarm.send(member, frame)
            sent += 1
            if sent % _SENDS_A_STEP == 0:
                swarm.step(0)
    deadline = time.monotonic() + JOIN_SECONDS_MAX
    while swarm.pongs_count < wanted:
        swarm.step(0.01)
        if time.monotonic() > deadline:
            raise SwarmError("the server does not read what it is sent")
    return sent
