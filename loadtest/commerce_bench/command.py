"""`rialto bench commerce`: the command line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
import trio
from rich.console import Console

from loadtest.commerce_bench.buyers import RefusedError, assembled
from loadtest.commerce_bench.kinds import Kind, chosen
from loadtest.commerce_bench.measuring import Figure, measure
from loadtest.commerce_bench.promises import judge
from loadtest.commerce_bench.telling import CommerceReport, print_report, to_markdown
from loadtest.http_pool import HttpError

BUYERS_MIN: Final = 8
"""So many buy at once in the one kind that says how many."""

SECRETS_VARIABLE: Final = "RIALTO_STRIPE_WEBHOOK_SECRETS"

Command = TypeVar("Command", bound=Callable[..., object])


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen on the command line."""

    web_url: str
    seconds: float
    buyers: int
    names: tuple[str, ...]
    watched: Mapping[str, int]
    secret: str = ""
    note: str = ""
    beside: Path | None = None
    report: Path | None = None


def commerce_options(command: Command) -> Command:
    """Add the options that only this benchmark has."""
    options = (
        click.option(
            "--seconds",
            type=click.FloatRange(min=0.1, max=600),
            default=5,
            show_default=True,
            help="Of each kind of request, in each of its manners.",
        ),
        click.option(
            "--buyers",
            type=click.IntRange(1, 50),
            default=4,
            show_default=True,
            help="Who ask without a pause.",
        ),
        click.option(
            "--beside",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="The report.json of a run on fewer rows: lists must be as fast now.",
        ),
        click.option("--note", default="", help="What the report says of the shop's size."),
        click.option(
            "--webhook-secret",
            envvar=SECRETS_VARIABLE,
            default="",
            help="What events are signed with; the running shop's own if `./rialto` starts this.",
        ),
        click.option(
            "--report",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for report.json and report.md.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def run_commerce_bench(plan: Plan, console: Console) -> bool:
    """Measure a running shop, and tell it; say whether every promise was kept.

    Raises:
        click.ClickException: if the shop cannot be measured.
    """
    before = None if plan.beside is None else _read(plan.beside)
    try:
        figures = trio.run(_measured, plan, console)
    except (HttpError, RefusedError) as error:
        raise click.ClickException(f"{plan.web_url} cannot be measured: {error}") from error
    smaller = {} if before is None else {figure.name: figure for figure in before.figures}
    report = CommerceReport(
        note=plan.note,
        compared_with="" if before is None else before.note or str(plan.beside),
        figures=figures,
        judgements=judge(figures, smaller),
    )
    print_report(report, console)
    if plan.report is not None:
        _write(report, plan.report, console)
    return report.passed


async def _measured(plan: Plan, console: Console) -> list[Figure]:
    kinds = [kind for kind in chosen(plan.names) if plan.secret or "secret" not in kind.needs]
    if len(kinds) < len(chosen(plan.names)):
        console.print("Webhooks are left out: their secret is not known.", highlight=False)
    needs = frozenset[str]().union(*(kind.needs for kind in kinds))
    async with assembled(
        plan.web_url,
        buyers=max(plan.buyers, BUYERS_MIN),
        secret=plan.secret.split(",")[0].strip(),
        pays="cards" in needs,
        sells_keys="keys" in needs,
    ) as cast:

        async def measured(kind: Kind) -> Figure:
            console.print(f"{kind.name} …", highlight=False)
            return await measure(
                cast, kind, seconds=plan.seconds, buyers=plan.buyers, watched=plan.watched
            )

        return [await measured(kind) for kind in kinds]


def _read(path: Path) -> CommerceReport:
    try:
        return msgspec.json.decode(path.read_bytes(), type=CommerceReport)
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{path} is no report of this benchmark: {error}") from error


def _write(report: CommerceReport, folder: Path, console: Console) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode(report), indent=2)
    (folder / "report.json").write_bytes(content + b"\n")
    (folder / "report.md").write_text(to_markdown(report), encoding="utf-8")
    console.print(f"Written: {folder / 'report.json'} and report.md", highlight=False)
