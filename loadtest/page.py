"""The report as one self-contained HTML page."""

import html
from typing import Final

from loadtest.curves import charts
from loadtest.recorder import MEANINGS, Measure
from loadtest.report import Circumstances, Report
from loadtest.violations import MEANINGS as VIOLATION_MEANINGS

_STYLE: Final = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #14181f; --soft: #5c6675;
  --line: #e3e7ee; --p50: #1f9d78; --p95: #3b6fe0; --p99: #c2457f;
  --good: #14805e; --bad: #c0352b;
  --c1: #3b6fe0; --c2: #d97a1e; --c3: #1f9d78; --c4: #c2457f; --c5: #7d58d8; --c6: #8a8f1f;
  --c7: #2a9db4; --c8: #7b6a5c; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1216; --card: #171c22; --ink: #eef2f7;
  --soft: #97a3b4; --line: #29313b; --p50: #3ecf9f; --p95: #7ba3ff; --p99: #f07fb2;
  --good: #4ad6a4; --bad: #ff8278;
  --c1: #7ba3ff; --c2: #f5a656; --c3: #3ecf9f; --c4: #f07fb2; --c5: #b59bff; --c6: #cdd15c;
  --c7: #5fd0e6; --c8: #b8a796; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 20px 72px; }
header { display: flex; flex-wrap: wrap; gap: 12px 20px; align-items: baseline; }
h1 { font-size: 28px; letter-spacing: -0.02em; margin: 0; }
h2 { font-size: 15px; margin: 0 0 2px; }
section > h2 { font-size: 19px; letter-spacing: -0.01em; margin: 40px 0 12px; }
p { margin: 4px 0; }
.soft, .tick, .empty { color: var(--soft); }
.badge { font-weight: 650; padding: 3px 14px; border-radius: 99px; border: 1.5px solid; }
.good { color: var(--good); } .bad { color: var(--bad); }
.grid-of { display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
.tiles { grid-template-columns: repeat(auto-fit, minmax(225px, 1fr)); margin-top: 24px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: 16px 18px; min-width: 0; }
.tile b { display: block; font-size: 27px; letter-spacing: -0.02em; font-weight: 650; }
.tile small { font-size: 15px; font-weight: 500; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 550; color: var(--soft); }
th, td { padding: 7px 10px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
.number { text-align: right; white-space: nowrap; }
.scroll { overflow-x: auto; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--line); fill: none; }
.tick { fill: var(--soft); font-size: 12px; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.band { fill: var(--p95); opacity: 0.12; }
.p50 { stroke: var(--p50); } .p95 { stroke: var(--p95); } .p99 { stroke: var(--p99); }
.coming { fill: var(--ink); opacity: 0.05; }
.mark { stroke: var(--bad); stroke-dasharray: 3 4; opacity: 0.7; }
.c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
.c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); }
.c5 { stroke: var(--c5); } .c6 { stroke: var(--c6); }
.c7 { stroke: var(--c7); } .c8 { stroke: var(--c8); }
.target { stroke: var(--ink); stroke-dasharray: 4 5; opacity: 0.45; fill: none; }
.hover { fill: transparent; } .hover:hover { fill: var(--ink); fill-opacity: 0.06; }
.legend { margin-top: 8px; font-size: 13px; }
.legend span { margin-right: 14px; white-space: nowrap; }
.legend i { display: inline-block; width: 18px; height: 0; border-top: 3px solid; margin-right: 6px;
  vertical-align: middle; }
code { font-size: 13px; overflow-wrap: anywhere; }
"""


_UNTOLD: Final = frozenset({Measure.CONNECT, Measure.ACCEPTED})
"""Measures that are not among the first things to know."""

_RATES_TOLD: Final = {
    "messages": "messages committed",
    "deliveries": "events delivered",
    "requests": "REST requests",
}


def to_html(report: Report) -> str:
    """Return the page; it needs nothing but a browser."""
    circumstances = report.circumstances
    word, style = ("passed", "good") if report.passed else ("failed", "bad")
    title = f"{circumstances.profile}: {circumstances.users:,} users, {_long(circumstances)}"
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Rialto load: {html.escape(title)}, {word}</title>",
            f"<style>{_STYLE}</style></head><body><main>",
            f'<header><h1>{html.escape(title)}</h1><span class="badge {style}">{word}</span>',
            f"</header>{_introduction(report)}{_tiles(report)}{_targets(report)}{charts(report)}",
            f"{_latencies(report)}{_machine(report)}{_correctness(report)}{_requests(report)}",
            "</main></body></html>",
        ]
    )


def _long(circumstances: Circumstances) -> str:
    minutes = circumstances.seconds / 60
    return f"{minutes:g} min" if minutes >= 2 else f"{circumstances.seconds:g} s"


def _introduction(report: Report) -> str:
    circumstances = report.circumstances
    said = (
        f"{circumstances.started_at} · {circumstances.machine} · "
        f"{circumstances.rooms} rooms · {circumstances.wire_format} · "
        f"{circumstances.processes} load process(es), {report.harness_cpu_seconds:g} s CPU · "
        f"seed {circumstances.seed} · {circumstances.web_url} · {circumstances.socket_url}"
    )
    partial = (
        '<p class="bad">Interrupted: a partial report.</p>' if circumstances.interrupted else ""
    )
    return f'<p class="soft">{html.escape(said)}</p>{partial}'


def _tiles(report: Report) -> str:
    tiles = [
        (f"{summary.p95_ms:.1f}<small> ms</small>", f"p95, {MEANINGS[measure]}")
        for measure, summary in report.measures.items()
        if summary.count and measure not in _UNTOLD
    ]
    tiles += [
        (f"{rate:,.0f}<small> a second</small>", _RATES_TOLD[name])
        for name, rate in report.rates.items()
    ]
    tiles.append((f"{report.verdict.events_seen:,}", "events delivered in all"))
    wrong = report.verdict.violations.total
    style = "bad" if wrong else "good"
    tiles.append((f'<span class="{style}">{wrong}</span>', "lost, doubled or reordered"))
    cards = "".join(
        f'<div class="card tile"><b>{number}</b><span class="soft">{html.escape(name)}</span></div>'
        for number, name in tiles
    )
    return f'<div class="grid-of tiles">{cards}</div>'


def _table(headings: list[str], rows: list[list[str]], *, numbers_from: int) -> str:
    """Lay out cells that are HTML already; columns from `numbers_from` on are numbers."""

    def cells(tag: str, row: list[str]) -> str:
        return "".join(
            f"<{tag}{' class=number' if column >= numbers_from else ''}>{cell}</{tag}>"
            for column, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="card scroll"><table><tr>{cells("th", headings)}</tr>{body}</table></div>'


def _targets(report: Report) -> str:
    rows = [
        [
            '<span class="good">kept</span>' if target.held else '<span class="bad">missed</span>',
            html.escape(target.name),
            html.escape(target.promised),
            html.escape(target.measured),
        ]
        for target in report.targets
    ]
    table = _table(["", "target", "promised", "measured"], rows, numbers_from=2)
    return f"<section><h2>Targets</h2>{table}</section>"


def _latencies(report: Report) -> str:
    rows = [
        [
            html.escape(MEANINGS[Measure(measure)]),
            f"{summary.count:,}",
            *(
                f"{number:,.1f}" if summary.count else ""
                for number in (
                    summary.mean_ms,
                    summary.p50_ms,
                    summary.p95_ms,
                    summary.p99_ms,
                    summary.max_ms,
                )
            ),
        ]
        for measure, summary in report.measures.items()
        if summary.count
    ]
    headings = ["ms", "count", "mean", "p50", "p95", "p99", "max"]
    return f"<section><h2>Numbers</h2>{_table(headings, rows, numbers_from=1)}</section>"


def _machine(report: Report) -> str:
    """Return what each process cost: cores kept busy, and how its memory stood."""
    if not report.cpu_cores:
        return ""
    growths = {growth.process: growth for growth in report.growths}
    rows = []
    for name, cores in sorted(report.cpu_cores.items(), key=lambda each: -each[1]):
        moments = [each for each in report.course.moments if name in each.processes]
        last = moments[-1].processes[name].private_bytes
        growth = growths.get(name)
        gained = "" if growth is None else f"{growth.gained_bytes / 2**20:+.1f}"
        rows.append([html.escape(name), f"{cores:.2f}", f"{last / 2**20:,.0f}", gained])
    rows.append(["<i>other programs</i>", f"{report.strangers_cores:.2f}", "", ""])
    headings = ["process", "cores", "MiB at the end", "MiB gained after the first minute"]
    return f"<section><h2>Processes</h2>{_table(headings, rows, numbers_from=1)}</section>"


def _correctness(report: Report) -> str:
    verdict = report.verdict
    facts = (
        f"{verdict.commands_committed:,} of {verdict.commands_given:,} commands were committed. "
        f"{verdict.events_seen:,} events were heard, {verdict.messages_seen:,} of them messages. "
        f"{verdict.messages_stored_checked:,} committed messages were looked up in the history. "
        f"{report.disconnects:,} connections were lost, {report.connect_failures:,} attempts to "
        f"connect failed."
    )
    found = "".join(
        f'<li><b class="bad">{count} {kind}</b> {html.escape(VIOLATION_MEANINGS[kind])}</li>'
        for kind, count in verdict.violations.counts.items()
    )
    told = "".join(
        f"<li><code>{html.escape(f'{one.kind} {one.topic or str()} {one.told}')}</code></li>"
        for one in verdict.violations.told[:20]
    )
    trouble = (
        f'<p class="soft">First trouble: <code>{html.escape(report.first_trouble)}</code></p>'
        if report.first_trouble
        else ""
    )
    return (
        f'<section><h2>Correctness</h2><div class="card"><p>{facts}</p>'
        f"<ul>{found}{told}</ul>{trouble}</div></section>"
    )


def _requests(report: Report) -> str:
    rows = [
        [html.escape(route), f"{count:,}", f"{_failed(report, route):,}"]
        for route, count in sorted(report.rest_requests.items())
    ]
    table = _table(["route", "requests", "failed"], rows, numbers_from=1)
    return f"<section><h2>REST</h2>{table}</section>"


def _failed(report: Report, route: str) -> int:
    return sum(
        count
        for name, count in report.rest_failures.items()
        if name.rpartition(" ")[0] == route or name == f"{route} no answer"
    )
