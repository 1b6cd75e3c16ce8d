"""`rialto top`: a running shop, live in the terminal."""

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Final

import click
import msgspec
from rich.live import Live

from deploy.cli.operators import Door, open_door
from deploy.cli.options import data_option
from deploy.cli.output import console
from deploy.cli.top_view import render
from deploy.operations.overview import Look, Overview, look, overview

_SECONDS: Final = 1.0
_QUIT: Final = frozenset(b"qQ\x03\x04")
_KEYS_MAX: Final = 64
_EXAMPLES: Final = """
Examples:

\b
  ./rialto top                             live; q ends it
  ./rialto top --once                      one picture, for a ticket or a chat
  ./rialto top --json | jq .gateways       a line of JSON each second
"""


@click.command(epilog=_EXAMPLES)
@data_option
@click.option("--once", is_flag=True, help="One picture of one second, then end.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each second, for scripts.")
def top(*, data: str | None, once: bool, as_json: bool) -> None:
    """Watch the shop: connections, rates, lags, slow sockets and busy topics.

    It looks once a second at every gateway worker and at commerce. Into a pipe goes one picture.
    """
    door = open_door(data)
    out = console()
    if as_json:
        for shown in _looks(door):
            click.echo(msgspec.json.encode(shown).decode())
            if once:
                return
    elif once or not out.is_terminal:
        out.print(render(next(_looks(door))))
    else:
        _live(door)


def _live(door: Door) -> None:
    out = console()
    out.soft_wrap = False
    has_keys = sys.stdin.isatty()
    hint = "q ends it" if has_keys else "Ctrl-C ends it"
    wait = _pause if has_keys else time.sleep
    with (
        suppress(KeyboardInterrupt, _QuitError),
        _keys_at_once() if has_keys else nullcontext(),
        Live(console=out, screen=True, auto_refresh=False) as live,
    ):
        for shown in _looks(door, wait):
            live.update(render(shown, hint=hint), refresh=True)


class _QuitError(Exception):
    """Somebody pressed q."""


def _looks(door: Door, wait: Callable[[float], None] = time.sleep) -> Iterator[Overview]:
    """Yield a picture a second, for ever; the first after one second."""
    before = _look(door)
    while True:
        wait(_SECONDS)
        now = _look(door)
        yield overview(before, now)
        before = now


def _look(door: Door) -> Look:
    status, operators = door.now()
    return look(status, operators)


def _pause(seconds: float) -> None:
    """Sleep, unless q is pressed."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([sys.stdin], [], [], left)
        if ready and _QUIT & set(os.read(sys.stdin.fileno(), _KEYS_MAX)):
            raise _QuitError


@contextmanager
def _keys_at_once() -> Iterator[None]:
    """Let single keys be read; put the terminal back as it was."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
