"""Commands of operators: connections, kick, broadcast."""

import sys
from typing import Any, Final
from urllib.parse import quote, urlencode

import click
import msgspec
from rich.table import Table
from rich.text import Text

from deploy.cli.operators import good_or_fail, open_door
from deploy.cli.options import data_option
from deploy.cli.output import console, fail
from deploy.operations.client import Answer

_EXAMPLES: Final = "Examples:\n\n\b\n"
_PAGE_MAX: Final = 200
_NOT_FOUND: Final = 404
_COLUMNS: Final = ("id", "user", "name", "device", "address", "format", "gateway")
_NUMBERS: Final = ("topics", "open_seconds", "silent_seconds", "waiting_bytes", "waiting_seconds")


@click.command(
    epilog=f"{_EXAMPLES}  ./rialto connections --user usr_01…\n"
    "  ./rialto connections --slower-than 2 --json"
)
@data_option
@click.option("--user", help="Only this user's.")
@click.option("--topic", help="Only those that hear this topic, such as room:rom_….")
@click.option("--device", help="Only this device's.")
@click.option("--address", help="Only from this IP address.")
@click.option("--older-than", type=click.FloatRange(min=0), help="Seconds since it was opened.")
@click.option("--slower-than", type=click.FloatRange(min=0), help="Seconds a frame has waited.")
@click.option("--after", help="Where the last page ended.")
@click.option("--limit", type=click.IntRange(1, _PAGE_MAX), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For scripts; the form only grows.")
def connections(
    *, data: str | None, as_json: bool, limit: int, **filters: str | float | None
) -> None:
    """List connections, over all gateway workers, in the order they were opened."""
    chosen = {name: value for name, value in filters.items() if value is not None}
    _, operators = open_door(data).now()
    path = f"/connections?{urlencode({**chosen, 'limit': limit})}"
    page = _merged(good_or_fail(operators.ask_gateways("GET", path)), limit)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(page)).decode())
        return
    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in (*_COLUMNS, *_NUMBERS):
        table.add_column(
            heading.replace("_", " "), justify="left" if heading in _COLUMNS else "right"
        )
    for row in page["connections"]:
        table.add_row(*(Text(str(row[name])) for name in (*_COLUMNS, *_NUMBERS)))
    out.print(table)
    if page["next"] is not None:
        out.print(Text(f"more: --after {page['next']}", "dim"))


@click.command(
    epilog=f"{_EXAMPLES}  ./rialto kick con_01…              it comes back at once\n"
    "  ./rialto kick usr_01… --for-good   it does not come back by itself"
)
@click.argument("target", metavar="USER|CONNECTION")
@data_option
@click.option("--for-good", is_flag=True, help="Tell the client not to reconnect by itself.")
def kick(*, target: str, data: str | None, for_good: bool) -> None:
    """Close one connection, or all of a user, on whichever workers they are."""
    kind = {"usr": "users", "con": "connections"}.get(target.partition("_")[0])
    if kind is None:
        fail(f"{target} is neither a user (usr_…) nor a connection (con_…).", exit_code=2)
    _, operators = open_door(data).now()
    path = f"/{kind}/{quote(target, safe='')}/kick"
    answers = operators.ask_gateways("POST", path, {"reconnect": not for_good})
    _tell_of_silence(answers)
    if answers and all(answer.status == _NOT_FOUND for answer in answers):
        fail(f"no gateway worker has the connection {target}.", exit_code=1)
    elsewhere = [answer for answer in answers if answer.status != _NOT_FOUND]
    closed = sum(answer.json()["closed"] for answer in good_or_fail(elsewhere))
    console().print(f"Closed {_counted(closed, 'connection')}.")
    sys.exit(0 if closed else 1)


@click.command(
    epilog=f'{_EXAMPLES}  ./rialto broadcast "We close for ten minutes at noon." --level warning\n'
    '  ./rialto broadcast "The author is here." --topic room:rom_01…'
)
@click.argument("text")
@data_option
@click.option("--topic", help="Only to those who hear this topic.")
@click.option("--user", help="Only to this user.")
@click.option("--level", type=click.Choice(["info", "warning"]), default="info", show_default=True)
def broadcast(
    *, text: str, data: str | None, topic: str | None, user: str | None, level: str
) -> None:
    """Show a sentence to everybody who is connected, or to some of them."""
    _, operators = open_door(data).now()
    message: dict[str, object] = {"text": text, "level": level, "topic": topic, "user": user}
    answers = operators.ask_gateways("POST", "/broadcast", message)
    told = sum(answer.json()["told"] for answer in good_or_fail(answers))
    _tell_of_silence(answers)
    console().print(f"Told {_counted(told, 'connection')}.")


def _merged(answers: list[Answer], limit: int) -> dict[str, Any]:
    pages = [(answer.name, answer.json()) for answer in answers]
    rows = [{"gateway": name, **row} for name, page in pages for row in page["connections"]]
    rows.sort(key=lambda row: row["id"])
    shown = rows[:limit]
    is_more = len(rows) > limit or any(page["next"] is not None for _, page in pages)
    return {"connections": shown, "next": shown[-1]["id"] if is_more and shown else None}


def _tell_of_silence(answers: list[Answer]) -> None:
    for answer in answers:
        if answer.trouble:
            console(sys.stderr).print(Text(f"{answer.name}: {answer.trouble}", "red"))


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
