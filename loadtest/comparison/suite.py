"""The benchmarks: what each measures, of whom, and what Rialto has to reach. Start reading here."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from loadtest.comparison import at_rest, chatting, fan_out, inbound, storms
from loadtest.comparison.contenders import CONTENDERS, RIALTO, Arena, Contender, arena
from loadtest.comparison.cores import choose_cores
from loadtest.comparison.results import Comparison, Metric, Promise, Run, judge, standing
from loadtest.comparison.scenery import Size

_EVERYBODY: Final = tuple(CONTENDERS)


class Suit(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark."""

    meaning: str
    sockets: int
    contenders: tuple[str, ...]
    metrics: tuple[Metric, ...]
    promises: tuple[Promise, ...]
    measure: Callable[[Contender, Size], Run]


def _in_arena(measure: Callable[[Arena, Size], Run]) -> Callable[[Contender, Size], Run]:
    def run(contender: Contender, size: Size) -> Run:
        with arena(contender, choose_cores()) as made:
            return measure(made, size)

    return run


SUITE: Final[Mapping[str, Suit]] = {
    "fan-out": Suit(
        meaning="one room, 3 000 sockets, as fast as it goes",
        sockets=fan_out.FAN_OUT_SOCKETS,
        contenders=_EVERYBODY,
        metrics=fan_out.FAN_OUT_METRICS,
        promises=fan_out.FAN_OUT_PROMISES,
        measure=_in_arena(fan_out.measure_fan_out),
    ),
    "pressure": Suit(
        meaning="1 000 sockets, 300 messages/s into one room",
        sockets=fan_out.PRESSURE_SOCKETS,
        contenders=_EVERYBODY,
        metrics=fan_out.PRESSURE_METRICS,
        promises=fan_out.PRESSURE_PROMISES,
        measure=_in_arena(fan_out.measure_pressure),
    ),
    "memory": Suit(
        meaning="10 000 authenticated sockets at rest, each in three topics",
        sockets=at_rest.AT_REST_SOCKETS,
        contenders=_EVERYBODY,
        metrics=at_rest.MEMORY_METRICS,
        promises=at_rest.MEMORY_PROMISES,
        measure=_in_arena(at_rest.measure_memory),
    ),
    "idle": Suit(
        meaning="the same, a heartbeat each every 25 s",
        sockets=at_rest.AT_REST_SOCKETS,
        contenders=(RIALTO, "socket.io", "ws"),
        metrics=at_rest.IDLE_METRICS,
        promises=at_rest.IDLE_PROMISES,
        measure=_in_arena(at_rest.measure_idle),
    ),
    "connect-storm": Suit(
        meaning="10 000 sockets come at once, with tickets, into three topics each",
        sockets=storms.STORM_SOCKETS,
        contenders=(RIALTO, "socket.io", "ws"),
        metrics=storms.CONNECT_METRICS,
        promises=storms.CONNECT_PROMISES,
        measure=_in_arena(storms.measure_connect_storm),
    ),
    "resume-storm": Suit(
        meaning="one of two workers with 10 000 sockets is killed",
        sockets=storms.STORM_SOCKETS,
        contenders=(RIALTO,),
        metrics=storms.RESUME_METRICS,
        promises=storms.RESUME_PROMISES,
        measure=storms.measure_resume_storm,
    ),
    "command-echo": Suit(
        meaning="500 commands/s through stream and Postgres; the whole shop, on all cores",
        sockets=chatting.ECHO_SOCKETS,
        contenders=(RIALTO,),
        metrics=chatting.ECHO_METRICS,
        promises=chatting.ECHO_PROMISES,
        measure=chatting.measure_echo,
    ),
    "chat-peak": Suit(
        meaning="messages stored in Postgres and seen by 20 members; all servers on one core",
        sockets=chatting.PEAK_SOCKETS,
        contenders=(RIALTO, chatting.PEAK_PEER),
        metrics=chatting.PEAK_METRICS,
        promises=chatting.PEAK_PROMISES,
        measure=chatting.measure_peak,
    ),
    "inbound": Suit(
        meaning="small frames from 1 000 sockets, a frame a write, as fast as they are read",
        sockets=inbound.INBOUND_SOCKETS,
        contenders=(RIALTO,),
        metrics=inbound.INBOUND_METRICS,
        promises=inbound.INBOUND_PROMISES,
        measure=_in_arena(inbound.measure_inbound),
    ),
}


def compare(
    name: str,
    *,
    runs: int,
    size: Size,
    peers: Sequence[str] | None,
    tell: Callable[[str], None],
) -> Comparison:
    """Measure one benchmark: every contender in turn, and that so many times over.

    `peers` are whom to measure beside Rialto; None is everybody.
    """
    suit = SUITE[name]
    chosen = [one for one in suit.contenders if one == RIALTO or peers is None or one in peers]
    results: dict[str, list[Run]] = {one: [] for one in chosen}
    for number in range(1, runs + 1):
        for one in chosen:
            began_at = time.monotonic()
            run = suit.measure(CONTENDERS[one], size)
            results[one].append(run)
            seconds = time.monotonic() - began_at
            tell(f"{name} {number}, {one}: {_told(run, suit.metrics)} ({seconds:.0f} s)")
    standings = [standing(one, results[one]) for one in chosen]
    metrics = {metric.name: metric for metric in suit.metrics}
    return Comparison(
        benchmark=name,
        meaning=suit.meaning,
        metrics=list(suit.metrics),
        standings=standings,
        judgements=judge(suit.promises, metrics, standings),
    )


def _told(run: Run, metrics: Iterable[Metric]) -> str:
    values = ", ".join(
        f"{metric.name} {run.values[metric.name]:,.{metric.digits}f} {metric.unit}".rstrip()
        for metric in metrics
    )
    return values + "".join(f"; ! {flag}" for flag in run.flags)
