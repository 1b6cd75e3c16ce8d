"""Commands that hand over to the programs: migrate, seed, invariants, stripe, load, bench."""

import subprocess
import sys
from itertools import chain
from typing import Final

import click

from deploy.cli.options import data_option, read_everything
from deploy.cli.output import fail
from deploy.paths import python_argv, python_environment
from deploy.running_shop import (
    address_of_running,
    database_environment,
    environment_of_running,
    pids_of_running,
)
from deploy.stripe_child import SECRETS_VARIABLE
from deploy.supervisor.errors import StartError
from shared.environment import process_variables

_EXAMPLES: Final = "Example:\n\n\b\n"
_HANDED_ON: Final = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group()
def migrate() -> None:
    """Apply, take back or list changes to the database's tables.

    They go to the running shop's database; else to the one of RIALTO_DATABASE_URL; else the data
    folder's own Postgres is started for it.
    """


@migrate.command("up", epilog=f"{_EXAMPLES}  ./rialto migrate up --dry-run")
@data_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def migrate_up(*, data: str | None, dry_run: bool) -> None:
    """Apply what the database does not have yet."""
    _commerce(data, "migrate", "up", *["--dry-run"] * dry_run)


@migrate.command("down", epilog=f"{_EXAMPLES}  ./rialto migrate down 2")
@data_option
@click.argument("count", type=click.IntRange(min=1), default=1, metavar="[N]")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def migrate_down(*, data: str | None, count: int, dry_run: bool) -> None:
    """Take back the last N changes (1 unless you say). Data in their tables is lost."""
    _commerce(data, "migrate", "down", str(count), *["--dry-run"] * dry_run)


@migrate.command("status", epilog=f"{_EXAMPLES}  ./rialto migrate status --data ./other")
@data_option
def migrate_status(*, data: str | None) -> None:
    """List the changes and which of them the database has."""
    _commerce(data, "migrate", "status")


@click.command(epilog=f"{_EXAMPLES}  ./rialto seed --scale bench")
@data_option
@click.option(
    "--scale",
    type=click.Choice(["small", "load", "bench"]),
    default="small",
    show_default=True,
    help="small: a believable shop; load: rooms enough for `load`; bench: rows enough to measure.",
)
def seed(*, data: str | None, scale: str) -> None:
    """Fill the shop with products, people, rooms and orders. Doing it twice changes nothing."""
    _commerce(data, "seed", "--scale", scale)


@click.command(epilog=f"{_EXAMPLES}  ./rialto invariants --json")
@data_option
@click.option("--json", "as_json", is_flag=True, help="For programs to read.")
def invariants(*, data: str | None, as_json: bool) -> None:
    """See whether what must be true of the shop's books is; exit with 1 if it is not."""
    _commerce(data, "invariants", *["--json"] * as_json)


@click.group()
def stripe() -> None:
    """See to what Stripe has told the shop."""


@stripe.command("replay", epilog=f"{_EXAMPLES}  ./rialto stripe replay --dead")
@data_option
@click.argument("events", nargs=-1, metavar="[EVENT]...")
@click.option("--hours", type=click.IntRange(min=1), help="Those of the last so many hours.")
@click.option("--dead", is_flag=True, help="Only those that were given up.")
def stripe_replay(
    *, data: str | None, events: tuple[str, ...], hours: int | None, dead: bool
) -> None:
    """Settle events again: some by their ids, or the latest; a second time changes nothing."""
    since = [] if hours is None else ["--hours", str(hours)]
    _commerce(data, "stripe", "replay", *events, *since, *["--dead"] * dead)


@click.command(context_settings=_HANDED_ON, add_help_option=False)
@data_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def load(*, data: str | None, words: tuple[str, ...]) -> None:
    """Simulate users against the running shop; `load --help` lists what can be chosen."""
    _loadtest(data, "load", words, needs_shop=True)


@click.command(context_settings=_HANDED_ON, add_help_option=False)
@data_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def bench(*, data: str | None, words: tuple[str, ...]) -> None:
    """Measure single parts, and Rialto beside other servers; `bench --list` says what.

    `bench commerce` measures the shop that is running, at its REST interface.
    """
    if words[:1] == ("commerce",):
        _loadtest(data, "commerce", words[1:], needs_shop=True)
    _loadtest(data, "bench", words, needs_shop=False)


def _commerce(data: str | None, *words: str) -> None:
    variables, settings, folder = read_everything(data=data)
    try:
        with database_environment(variables, settings, folder) as environment:
            code = _call(python_argv("commerce", *words), environment)
    except StartError as error:
        fail(str(error), exit_code=error.exit_code)
    sys.exit(code)


def _loadtest(data: str | None, name: str, words: tuple[str, ...], *, needs_shop: bool) -> None:
    asks_help = bool({"-h", "--help"} & set(words))
    urls: tuple[str, ...] = ()
    if needs_shop and not asks_help and "--web-url" not in words:
        _, _, folder = read_everything(data=data)
        address = address_of_running(folder)
        if address is None:
            fail(f"no Rialto is running in {folder.path}; try ./rialto up.", exit_code=2)
        urls = ("--web-url", address.url, "--socket-url", address.socket_url)
        urls += tuple(chain(*(("--watch", f"{one}={pid}") for one, pid in pids_of_running(folder))))
    argv = python_argv("loadtest", name, *urls, *words)
    secrets = _webhook_secrets(data) if urls and name == "commerce" else {}
    sys.exit(_call(argv, python_environment({**process_variables(), **secrets})))


def _webhook_secrets(data: str | None) -> dict[str, str]:
    """Return what the stand-in of the running shop signs its webhooks with, if it has one."""
    environment = environment_of_running(*read_everything(data=data)) or {}
    found = environment.get(SECRETS_VARIABLE)
    return {SECRETS_VARIABLE: found} if found else {}


def _call(argv: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run a program in our place; Ctrl-C reaches it too, and it is waited for."""
    with subprocess.Popen(argv, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
