"""What was measured, its medians, and whether it is what was promised."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """Something a benchmark measures of every contender."""

    name: str
    unit: str
    meaning: str
    better: Literal["more", "less"] = "more"
    digits: int = 0


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What Rialto's median of a metric has to be: by itself, or beside a peer's.

    `at_least` and `at_most` are times the peer's median if there is a peer; the peer `"all"` means
    each of them.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    peer: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One contender, measured once. `flags` say why it may not count."""

    values: dict[str, float]
    flags: list[str] = []


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One contender in one benchmark: every run, and the medians."""

    contender: str
    runs: list[Run]
    medians: dict[str, float]
    flags: list[str]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One promise beside what was measured; `held` is None if the peer was not measured."""

    promised: str
    measured: str
    held: bool | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark, whole."""

    benchmark: str
    meaning: str
    metrics: list[Metric]
    standings: list[Standing]
    judgements: list[Judgement]


def standing(contender: str, runs: Sequence[Run]) -> Standing:
    """Return the medians of a contender's runs."""
    names = runs[0].values
    return Standing(
        contender=contender,
        runs=list(runs),
        medians={name: statistics.median(run.values[name] for run in runs) for name in names},
        flags=sorted({flag for run in runs for flag in run.flags}),
    )


def judge(
    promises: Iterable[Promise], metrics: Mapping[str, Metric], standings: Sequence[Standing]
) -> list[Judgement]:
    """Lay Rialto's medians beside what was promised."""
    medians = {one.contender: one.medians for one in standings}
    ours = medians.get("rialto")
    if ours is None:
        return []
    judged: list[Judgement] = []
    for promise in promises:
        metric = metrics[promise.metric]
        value = ours[promise.metric]
        peers = [name for name in medians if name != "rialto"]
        if not promise.peer:
            judged.append(_judge(promise, metric, value, value=value, peer=""))
        elif promise.peer != "all" and promise.peer not in medians:
            judged.append(_unknown(promise, metric))
        else:
            for peer in peers if promise.peer == "all" else [promise.peer]:
                ratio = value / medians[peer][promise.metric]
                judged.append(_judge(promise, metric, ratio, value=value, peer=peer))
    return judged


def _judge(
    promise: Promise, metric: Metric, measured: float, *, value: float, peer: str
) -> Judgement:
    held = (promise.at_least is None or measured >= promise.at_least) and (
        promise.at_most is None or measured <= promise.at_most
    )
    shown = f"{value:,.{metric.digits}f} {metric.unit}"
    return Judgement(
        promised=_promised(promise, metric, peer),
        measured=f"{measured:.2f} x ({shown})" if peer else shown,
        held=held,
    )


def _promised(promise: Promise, metric: Metric, peer: str) -> str:
    sign, bound = (
        ("≥", promise.at_least) if promise.at_least is not None else ("≤", promise.at_most)
    )
    assert bound is not None
    beside = f"{bound:g} x {peer}" if peer else f"{bound:,g} {metric.unit}"
    return f"{metric.name} {sign} {beside}"


def _unknown(promise: Promise, metric: Metric) -> Judgement:
    return Judgement(
        promised=_promised(promise, metric, promise.peer), measured="not measured", held=None
    )
