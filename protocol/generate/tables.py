"""The tables of codes and frames in the README, between markers."""

from collections.abc import Callable
from typing import Final

import msgspec

from protocol.client_frames import AnyClientFrame
from protocol.close_codes import CLOSE_CODES
from protocol.commands import AnyCommand
from protocol.error_codes import ERROR_CODES
from protocol.events import AnyEvent
from protocol.generate.shapes import first_sentence, members
from protocol.server_frames import AnyServerFrame
from protocol.signals import AnySignal


def with_tables(readme: str) -> str:
    """Return the README with every generated table renewed."""
    for name, table in _TABLES.items():
        start, end = f"<!-- table: {name} -->\n", f"<!-- end: {name} -->"
        before, _, rest = readme.partition(start)
        _, _, after = rest.partition(end)
        readme = f"{before}{start}{table()}\n{end}{after}"
    return readme


def _errors() -> str:
    rows = [
        f"| {row.code} | `{row.name}` | {_yes(row.temporary)} | {row.meaning} |"
        for row in ERROR_CODES
    ]
    return "\n".join(["| code | name | temporary | meaning |", "|---|---|---|---|", *rows])


def _closes() -> str:
    rows = [
        f"| {row.code} | `{row.name}` | {_yes(row.reconnect)} | {row.meaning} |"
        for row in CLOSE_CODES
    ]
    return "\n".join(["| code | name | reconnect | meaning |", "|---|---|---|---|", *rows])


def _types(union: object) -> Callable[[], str]:
    def table() -> str:
        rows = [
            f"| `{struct.__struct_config__.tag}` | {_fields(struct)} | {first_sentence(struct)} |"
            for struct in members(union)
        ]
        return "\n".join(["| type | fields | meaning |", "|---|---|---|", *rows])

    return table


def _fields(struct: type[msgspec.Struct]) -> str:
    return ", ".join(
        f"`{field.encode_name}`" if field.required else f"`{field.encode_name}?`"
        for field in msgspec.structs.fields(struct)
    )


def _yes(condition: object) -> str:
    return "yes" if condition else "no"


_TABLES: Final[dict[str, Callable[[], str]]] = {
    "client frames": _types(AnyClientFrame),
    "server frames": _types(AnyServerFrame),
    "commands": _types(AnyCommand),
    "events": _types(AnyEvent),
    "signals": _types(AnySignal),
    "errors": _errors,
    "closes": _closes,
}
