"""`rialto config`: what is in effect, and the example file."""

import sys
from typing import Final

import click
import msgspec
from rich.table import Table
from rich.text import Text

from deploy.cli.options import data_option, read_everything
from deploy.cli.output import console, fail
from deploy.configuration import EXAMPLE, effective, example
from deploy.running_shop import environment_of_running

_EXAMPLES: Final = """
Examples:

\b
  ./rialto config                          what is in effect
  ./rialto config --example > .env         a file to start from
"""


@click.command(epilog=_EXAMPLES)
@data_option
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--example", "print_example", is_flag=True, help="Print .env.example instead.")
@click.option(
    "--check-example", is_flag=True, help="Fail if .env.example is not what it should be."
)
def config(*, data: str | None, as_json: bool, print_example: bool, check_example: bool) -> None:
    """Show every variable as it is in effect, where it comes from, and hide the secrets.

    Of a running shop this includes what `rialto up` has decided, its ports for example.
    """
    if print_example:
        click.echo(example(), nl=False)
        return
    if check_example:
        if not EXAMPLE.exists() or EXAMPLE.read_text(encoding="utf-8") != example():
            fail(
                f"{EXAMPLE.name} is out of date: ./rialto config --example > .env.example",
                exit_code=1,
            )
        return
    variables, settings, folder = read_everything(data=data)
    decided = environment_of_running(variables, settings, folder)
    found = list(effective(variables, decided))
    if as_json:
        facts = {"data": str(folder.path), "running": decided is not None, "variables": found}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(facts)).decode() + "\n")
        return
    out = console()
    out.print(Text(f"data folder {folder.path}", style="dim"))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("variable", "value", "from"):
        table.add_column(heading, no_wrap=True)
    for each in found:
        table.add_row(each.name, Text(each.value), Text(each.source, style="dim"))
    out.print(table)
