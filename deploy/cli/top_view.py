"""How `rialto top` looks."""

from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.operations.overview import GatewayRow, Overview, WorkerRow

_LAG_WARNING_SECONDS: Final = 0.2
_OUTBOX_WARNING_SECONDS: Final = 2.0
_STATES: Final = {"ready": "green", "crash-loop": "bold red"}
_NAME_WIDTH: Final = 14


def render(shown: Overview, *, hint: str = "") -> RenderableType:
    """Return the whole picture."""
    parts: list[RenderableType] = [_headline(shown), Text(), _gateways(shown.gateways), Text()]
    parts += [_commerce(shown.commerce), Text()]
    if shown.topics:
        parts += [_topics(shown.topics), Text()]
    parts += [_slowest(shown.slowest), Text(), _endings(shown)]
    parts += [Text(f"{name}: {why}", "red") for name, why in shown.silent.items()]
    if hint:
        parts.append(Text(hint, "dim"))
    return Group(*parts)


def _headline(shown: Overview) -> Text:
    rows = shown.gateways
    lags = [row.delivery_lag_p99 for row in rows if row.delivery_lag_p99 is not None]
    return Text.assemble(
        ("Rialto", "bold"),
        f"  {shown.url}  {shown.at.partition('+')[0].replace('T', ' ')}   ",
        (f"{sum(row.connections for row in rows):,}", "bold cyan"),
        " connections  ",
        (f"{sum(row.deliveries_rate for row in rows):,.0f}", "bold cyan"),
        " deliveries/s  ",
        (f"{sum(row.commands_rate for row in rows):,.0f}", "bold cyan"),
        " commands/s  ",
        (_milliseconds(max(lags, default=None)), "bold cyan"),
        " commit to socket, p99",
    )


def _gateways(rows: list[GatewayRow]) -> Table:
    table = _table("gateway", "state")
    for heading in (
        *("conns", "users", "topics", "rooms", "subs", "opens/s", "closes/s", "deliv/s", "cmds/s"),
        *("lag p50", "p99", "queued", "oldest", "silent", "cpu", "memory", "crashes"),
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            _state(row.state, row.restarts),
            *(f"{number:,}" for number in (row.connections, row.users, row.topics, row.rooms)),
            f"{row.subscriptions:,}",
            *(f"{rate:,.1f}" for rate in (row.accepts_rate, row.closes_rate)),
            *(f"{rate:,.0f}" for rate in (row.deliveries_rate, row.commands_rate)),
            _milliseconds(row.delivery_lag_p50),
            _warned(
                _milliseconds(row.delivery_lag_p99), row.delivery_lag_p99, _LAG_WARNING_SECONDS
            ),
            _size(row.outbox_bytes),
            _warned(
                f"{row.outbox_seconds_max:.1f} s", row.outbox_seconds_max, _OUTBOX_WARNING_SECONDS
            ),
            f"{row.silence_seconds_max:.0f} s",
            f"{row.cpu_share:.0%}",
            _size(row.memory_bytes),
            Text(str(row.crashes), "bold red" if row.crashes else ""),
        )
    return table


def _commerce(rows: list[WorkerRow]) -> Table:
    table = _table("commerce", "state")
    for heading in ("event lag", "events/s", "publish p99", "cmds/s", "cpu", "memory"):
        table.add_column(heading, justify="right")
    for row in rows:
        lag = row.outbox_lag_seconds
        table.add_row(
            row.name,
            _state(row.state, row.restarts),
            _warned(_milliseconds(lag), lag, 1.0),
            f"{row.published_rate:,.1f}",
            _milliseconds(row.publish_delay_p99),
            f"{row.commands_rate:,.1f}",
            f"{row.cpu_share:.0%}",
            _size(row.memory_bytes),
        )
    return table


def _topics(rows: list[dict[str, Any]]) -> Table:
    table = _table("topic")
    for heading in ("listeners", "events/s", "queued"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["topic"],
            f"{row['listeners']:,}",
            f"{row['events_rate']:,.1f}",
            _size(row["waiting_bytes"]),
        )
    return table


def _slowest(rows: list[dict[str, Any]]) -> RenderableType:
    if not rows:
        return Text("No socket keeps anything waiting.", "dim")
    table = _table("slowest socket", "user", "name", "address", "gateway")
    for heading in ("waits", "queued", "open"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            *(Text(str(row[name])) for name in ("id", "user", "name", "address", "gateway")),
            f"{row['waiting_seconds']:.1f} s",
            _size(row["waiting_bytes"]),
            f"{row['open_seconds']:,.0f} s",
        )
    return table


def _endings(shown: Overview) -> Text:
    closes = "  ".join(f"{code} {count:,}" for code, count in shown.closes.items()) or "none"
    resumes = "  ".join(f"{name} {count:,}" for name, count in shown.resumes.items()) or "none"
    return Text.assemble(("closes ", "dim"), closes, ("   resumes ", "dim"), resumes)


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, no_wrap=True, min_width=_NAME_WIDTH if table.columns == [] else 0)
    return table


def _state(state: str, restarts: int) -> Text:
    words = f"{state} ({restarts} restarts)" if restarts else state
    return Text(words, _STATES.get(state, "yellow"))


def _warned(words: str, value: float | None, bound: float) -> Text:
    return Text(words, "bold red" if value is not None and value > bound else "")


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:,.1f} ms"


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} GB"
