"""`python -m commerce web|worker|migrate|seed|invariants|stripe|export`."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, Final, Never

import uvloop

from commerce import app, invariants, worker
from commerce.exports import service as exports
from commerce.exports.settings import folder_in
from commerce.foundation.database import open_database
from commerce.foundation.migrate import (
    MigrationError,
    migrate_down,
    migrate_up,
    migration_status,
)
from commerce.foundation.serving import PortTakenError
from commerce.seed import command as seed
from commerce.settings import CommerceSettings
from commerce.settlement import service as settlement
from shared import environment
from shared.clock import SystemClock
from shared.collector import Collector
from shared.logging import configure_logging

CANNOT_START: Final = 2
"""The exit code of a program that never began."""

Command = Callable[[CommerceSettings, argparse.Namespace], Coroutine[Any, Any, int | None]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the programs; return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        settings = environment.load(CommerceSettings, environment.process_variables())
    except environment.SettingsError as error:
        return _refuse(*error.problems)
    configure_logging(program=f"commerce-{asked.program}", level=settings.log_level)
    command: Command = asked.command
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(command(settings, asked)) or 0
    except (MigrationError, PortTakenError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m commerce", description="The commerce core.")
    programs = parser.add_subparsers(dest="program", required=True)
    programs.add_parser("web", help="serve the shop").set_defaults(command=_web)
    programs.add_parser("worker", help="carry out commands and jobs").set_defaults(command=_worker)
    migrate = programs.add_parser("migrate", help="change the database's tables")
    actions = migrate.add_subparsers(dest="action", required=True)
    up = actions.add_parser("up", help="apply every migration that is missing")
    down = actions.add_parser("down", help="take back the newest migrations")
    down.add_argument("steps", nargs="?", type=int, default=1)
    for action in (up, down):
        action.add_argument("--dry-run", action="store_true", help="only say what would be done")
    actions.add_parser("status", help="list the migrations")
    migrate.set_defaults(command=_migrate)
    filling = programs.add_parser("seed", help="fill the shop")
    filling.add_argument("--scale", choices=("small", "load", "bench"), default="small")
    filling.set_defaults(command=_seed)
    _add_stripe(programs.add_parser("stripe", help="see to what Stripe has told"))
    checking = programs.add_parser("invariants", help="see whether the books are in order")
    checking.add_argument("--json", action="store_true", help="for programs to read")
    checking.set_defaults(command=_invariants)
    writing = programs.add_parser("export", help="write the exports that wait")
    writing.set_defaults(command=_export)
    return parser


def _add_stripe(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    replaying = actions.add_parser("replay", help="have events settled again")
    replaying.add_argument("events", nargs="*", metavar="EVENT", help="ids; none: all of them")
    replaying.add_argument("--hours", type=int, help="only those of the last so many hours")
    replaying.add_argument("--dead", action="store_true", help="only those that were given up")
    parser.set_defaults(command=_replay)


async def _web(settings: CommerceSettings, _asked: argparse.Namespace) -> None:
    Collector()
    await app.run(settings)


async def _worker(settings: CommerceSettings, _asked: argparse.Namespace) -> None:
    Collector()
    await worker.run(settings)


async def _migrate(settings: CommerceSettings, asked: argparse.Namespace) -> None:
    url = settings.database.url
    if asked.action == "status":
        for each in await migration_status(url):
            applied = "pending" if each.applied_at is None else f"{each.applied_at:%Y-%m-%d %H:%M}"
            _say(f"{applied:<16}  {each.name}")
        return
    if asked.action == "up":
        names = await migrate_up(url, dry_run=asked.dry_run)
    else:
        names = await migrate_down(url, steps=asked.steps, dry_run=asked.dry_run)
    done = {"up": "applied", "down": "taken back"}[asked.action]
    for name in names:
        _say(f"{'would be ' if asked.dry_run else ''}{done}: {name}")
    if not names:
        _say("nothing to do")


async def _seed(settings: CommerceSettings, asked: argparse.Namespace) -> None:
    await seed.run(settings, scale=asked.scale)


async def _replay(settings: CommerceSettings, asked: argparse.Namespace) -> int:
    if not (asked.events or asked.hours or asked.dead):
        _say("say which: some ids, --hours, or --dead")
        return CANNOT_START
    async with (
        open_database(settings.database, clock=SystemClock()) as database,
        database.transaction() as tx,
    ):
        since = None if asked.hours is None else tx.now - timedelta(hours=asked.hours)
        ids = asked.events or None
        again = await settlement.replay(tx, ids=ids, since=since, only_dead=asked.dead)
    _say(f"to be settled again: {again}")
    return 0


async def _invariants(settings: CommerceSettings, asked: argparse.Namespace) -> int:
    return await invariants.run(settings, machine_readable=asked.json)


async def _export(settings: CommerceSettings, _asked: argparse.Namespace) -> None:
    folder = folder_in(settings.catalog.files_path)
    async with open_database(settings.database, clock=SystemClock()) as database:
        while await exports.write_next(database, folder.path):
            pass


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _refuse(*problems: str) -> int:
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return CANNOT_START


def _exit() -> Never:
    sys.exit(main())


if __name__ == "__main__":
    _exit()
