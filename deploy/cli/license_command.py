"""`rialto license`: check a licence file without any server."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.table import Table
from rich.text import Text

from deploy.cli.output import console, fail
from protocol.license_file.verify_license import Answer, machine_id, verify

_FILE_BYTES_MAX: Final = 64 * 1024
_GOOD: Final = frozenset({"valid", "grace"})
_MEANINGS: Final = {
    "valid": "The licence is good on this machine.",
    "grace": "The file has run out; the product still starts. Get a new file.",
    "expired": "The file has run out. Get a new file.",
    "not_yet": "The file is from the future: the clock of this machine may be wrong.",
    "other_machine": "The file was made for another machine.",
    "rolled_back": "A newer file was seen before this one.",
    "unknown_key": "The file is signed with a key that is not among those given.",
    "malformed": "This is no licence file, or it was changed.",
}


class _Key(msgspec.Struct, frozen=True, kw_only=True):
    kid: str
    key: str


class _PublishedKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /v1/licenses/keys answers."""

    keys: list[_Key]


@click.group("license")
def license() -> None:  # noqa: A001 - it is the command's name
    """Check licence files, offline."""


@license.command(
    "verify",
    epilog="""
Example:

\b
  curl -s http://localhost:8300/v1/licenses/keys > keys.json
  ./rialto license verify ink.license --keys keys.json --fingerprint 4c4c4544-0043-3510
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The published keys, as GET /v1/licenses/keys answers them.",
)
@click.option("--fingerprint", required=True, help="The fingerprint of this machine.")
@click.option("--seq-seen", type=click.IntRange(0), default=0, help="The newest file seen before.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def verify_file(
    *, file: Path, keys_file: Path, fingerprint: str, seq_seen: int, as_json: bool
) -> None:
    """Say what a licence file is worth on this machine, now. Asks no server.

    Exit status: 0 if it is good (also in its days of grace), 1 if not, 2 if it cannot be read.
    """
    answer = verify(
        _text_of(file),
        keys=_keys_of(keys_file),
        machine=machine_id(fingerprint),
        now=time.time(),  # noqa: TID251 - a customer's machine has no clock of ours
        seq_seen=seq_seen,
    )
    if as_json:
        click.echo(json.dumps({"status": answer.status, "claims": answer.claims}, indent=2))
    else:
        _print(answer)
    sys.exit(0 if answer.status in _GOOD else 1)


def _text_of(file: Path) -> str:
    try:
        raw = file.read_bytes()[:_FILE_BYTES_MAX]
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", exit_code=2)
    return raw.decode(errors="replace")


def _keys_of(file: Path) -> dict[str, str]:
    try:
        published = msgspec.json.decode(file.read_bytes()[:_FILE_BYTES_MAX], type=_PublishedKeys)
    except (OSError, msgspec.DecodeError) as error:
        fail(f"{file} holds no published keys: {error}.", exit_code=2)
    return {key.kid: key.key for key in published.keys}


def _print(answer: Answer) -> None:
    out = console()
    style = "green" if answer.status in _GOOD else "bold red"
    out.print(Text.assemble((answer.status, style), f"  {_MEANINGS[answer.status]}"))
    if answer.claims is None:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in answer.claims.items():
        table.add_row(Text(name, style="dim"), Text(_shown(name, value)))
    out.print(table)


def _shown(name: str, value: object) -> str:
    if name in {"iat", "nbf", "exp", "grace"} and isinstance(value, int):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "—"
    return str(value)
