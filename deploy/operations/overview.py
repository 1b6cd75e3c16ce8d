"""Everything `rialto top` shows, as one value: made from two looks at every process."""

import time
from collections.abc import Mapping
from math import isnan
from typing import Any, Final

import msgspec

from deploy.operations.client import Operators, is_gateway
from deploy.operations.reading import Reading
from deploy.supervisor.state import ProcessStatus, ShopStatus
from shared.clock import SystemClock

ROWS_MAX: Final = 8
_GATEWAY: Final = "rialto_gateway_"
_WEB: Final = "web"
_EMPTY: Final = Reading()


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What every process said at one moment."""

    at: float
    status: ShopStatus
    readings: dict[str, Reading]
    tops: dict[str, dict[str, Any]]
    silent: dict[str, str]


class GatewayRow(msgspec.Struct, frozen=True, kw_only=True):
    """One gateway worker. Rates are a second's, lags are seconds and null if none was measured."""

    name: str
    state: str
    restarts: int
    connections: int
    users: int
    topics: int
    rooms: int
    subscriptions: int
    accepts_rate: float
    closes_rate: float
    deliveries_rate: float
    commands_rate: float
    delivery_lag_p50: float | None
    delivery_lag_p99: float | None
    outbox_bytes: int
    outbox_seconds_max: float
    silence_seconds_max: float
    cpu_share: float
    memory_bytes: int
    crashes: int


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One commerce process; only the worker publishes events, and has a lag in doing so."""

    name: str
    state: str
    restarts: int
    outbox_lag_seconds: float | None
    published_rate: float
    publish_delay_p99: float | None
    commands_rate: float
    cpu_share: float
    memory_bytes: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The shop at a glance; what `rialto top --json` prints. It only grows."""

    at: str
    url: str | None
    seconds: float
    gateways: list[GatewayRow]
    commerce: list[WorkerRow]
    slowest: list[dict[str, Any]]
    topics: list[dict[str, Any]]
    closes: dict[str, int]
    resumes: dict[str, int]
    silent: dict[str, str]


def look(status: ShopStatus, operators: Operators) -> Look:
    """Ask every process how it is doing, all at once."""
    questions = [(name, "GET", "/metrics") for name in operators.processes]
    questions += [(name, "GET", "/top") for name in operators.gateways]
    readings, tops, silent = {}, {}, {}
    for (_, _, path), answer in zip(questions, operators.ask_all(questions), strict=True):
        if not answer.is_good:
            silent[answer.name] = answer.complaint()
        elif path == "/metrics":
            readings[answer.name] = Reading(answer.body.decode())
        else:
            tops[answer.name] = answer.json()
    return Look(at=time.monotonic(), status=status, readings=readings, tops=tops, silent=silent)


def overview(earlier: Look, now: Look) -> Overview:
    """Return what two looks say together."""
    seconds = max(0.001, now.at - earlier.at)
    gateways, commerce = [], []
    for process in now.status.processes:
        if process.name not in now.readings:
            continue
        pair = _Pair(
            earlier.readings.get(process.name, _EMPTY), now.readings[process.name], seconds
        )
        if is_gateway(process):
            gateways.append(_gateway_row(process, pair))
        else:
            commerce.append(_worker_row(process, pair))
    whole = [now.readings[row.name] for row in gateways]
    return Overview(
        at=SystemClock().now().isoformat(timespec="seconds"),
        url=now.status.url,
        seconds=round(seconds, 3),
        gateways=gateways,
        commerce=commerce,
        slowest=_slowest(now.tops),
        topics=_topics(earlier.tops, now.tops, seconds),
        closes=_labelled(whole, "closes_total", "code"),
        resumes=_labelled(whole, "resumes_total", "outcome"),
        silent=now.silent,
    )


class _Pair:
    """One process at two moments."""

    def __init__(self, earlier: Reading, now: Reading, seconds: float) -> None:
        self._earlier = earlier
        self._now = now
        self._seconds = seconds

    def rate(self, name: str) -> float:
        return round(self._now.rate(self._earlier, name, seconds=self._seconds), 2)

    def count(self, name: str) -> int:
        return int(self._now.value(name))

    def number(self, name: str) -> float:
        return round(self._now.value(name), 3)

    def quantile(self, name: str, share: float) -> float | None:
        found = self._now.quantile(self._earlier, name, share)
        return None if isnan(found) else round(found, 5)


def _gateway_row(process: ProcessStatus, pair: _Pair) -> GatewayRow:
    lag = f"{_GATEWAY}delivery_lag_seconds"
    return GatewayRow(
        name=process.name,
        state=process.state.value,
        restarts=process.restarts,
        connections=pair.count(f"{_GATEWAY}connections"),
        users=pair.count(f"{_GATEWAY}actors"),
        topics=pair.count(f"{_GATEWAY}feeds"),
        rooms=pair.count(f"{_GATEWAY}rooms"),
        subscriptions=pair.count(f"{_GATEWAY}subscriptions"),
        accepts_rate=pair.rate(f"{_GATEWAY}accepts_total"),
        closes_rate=pair.rate(f"{_GATEWAY}closes_total"),
        deliveries_rate=pair.rate(f"{_GATEWAY}deliveries_total"),
        commands_rate=pair.rate(f"{_GATEWAY}commands_total"),
        delivery_lag_p50=pair.quantile(lag, 0.5),
        delivery_lag_p99=pair.quantile(lag, 0.99),
        outbox_bytes=pair.count(f"{_GATEWAY}outbox_bytes"),
        outbox_seconds_max=pair.number(f"{_GATEWAY}outbox_seconds_max"),
        silence_seconds_max=pair.number(f"{_GATEWAY}silence_seconds_max"),
        cpu_share=pair.rate("process_cpu_seconds_total"),
        memory_bytes=pair.count("process_resident_memory_bytes"),
        crashes=pair.count(f"{_GATEWAY}actor_crashes_total")
        + pair.count(f"{_GATEWAY}connection_crashes_total")
        + pair.count(f"{_GATEWAY}work_crashes_total"),
    )


def _worker_row(process: ProcessStatus, pair: _Pair) -> WorkerRow:
    return WorkerRow(
        name=process.name,
        state=process.state.value,
        restarts=process.restarts,
        outbox_lag_seconds=None
        if _WEB in process.ports
        else pair.number("rialto_outbox_lag_seconds"),
        published_rate=pair.rate("rialto_outbox_published_rows_total"),
        publish_delay_p99=pair.quantile("rialto_outbox_delay_seconds", 0.99),
        commands_rate=pair.rate("rialto_commands_total"),
        cpu_share=pair.rate("process_cpu_seconds_total"),
        memory_bytes=pair.count("process_resident_memory_bytes"),
    )


def _labelled(readings: list[Reading], name: str, label: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for reading in readings:
        for value, number in reading.labelled(f"{_GATEWAY}{name}", label):
            found[value] = found.get(value, 0) + int(number)
    return dict(sorted(found.items()))


def _slowest(tops: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    rows = [{"gateway": name, **row} for name, top in tops.items() for row in top["slowest"]]
    rows.sort(key=lambda row: (row["waiting_seconds"], row["waiting_bytes"]), reverse=True)
    return rows[:ROWS_MAX]


def _topics(
    earlier: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]], seconds: float
) -> list[dict[str, Any]]:
    """Merge what the workers say of the same topic."""
    before = _offsets(earlier)
    merged: dict[str, dict[str, Any]] = {}
    for top in now.values():
        for row in top["topics"]:
            known = merged.setdefault(
                row["topic"],
                {"topic": row["topic"], "listeners": 0, "waiting_bytes": 0, "offset": 0},
            )
            known["listeners"] += row["listeners"]
            known["waiting_bytes"] += row["waiting_bytes"]
            known["offset"] = max(known["offset"], row["offset"])
    for name, row in merged.items():
        grown = max(0, row["offset"] - before.get(name, row["offset"]))
        row["events_rate"] = round(grown / seconds, 2)
    rows = sorted(
        merged.values(),
        key=lambda row: (row["waiting_bytes"], row["events_rate"], row["listeners"]),
        reverse=True,
    )
    return rows[:ROWS_MAX]


def _offsets(tops: Mapping[str, dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for top in tops.values():
        for row in top["topics"]:
            found[row["topic"]] = max(found.get(row["topic"], 0), row["offset"])
    return found
