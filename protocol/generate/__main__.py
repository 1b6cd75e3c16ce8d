"""Write what is generated from the types, or check that it is up to date."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from protocol.generate.asyncapi import asyncapi
from protocol.generate.json_schema import json_schema
from protocol.generate.tables import with_tables
from protocol.generate.typescript import typescript

_ROOT: Final = Path(__file__).parents[1]


def _as_json(build: Callable[[], dict[str, Any]]) -> Callable[[str], str]:
    return lambda _: json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


FILES: Final[Mapping[str, Callable[[str], str]]] = {
    "schema/frames.schema.json": _as_json(json_schema),
    "schema/asyncapi.json": _as_json(asyncapi),
    "js/types.d.ts": lambda _: typescript(),
    "README.md": with_tables,
}
"""Each generated file, from `protocol/`, and what makes its new text of its old."""


def main(arguments: list[str]) -> int:
    """Write the files; with `--check` only name those that are out of date, and return 1."""
    stale = list(_stale())
    if "--check" in arguments:
        for path, _ in stale:
            sys.stdout.write(f"protocol/{path} is out of date: run python -m protocol.generate\n")
        return 1 if stale else 0
    for path, text in stale:
        (_ROOT / path).parent.mkdir(exist_ok=True)
        (_ROOT / path).write_text(text)
        sys.stdout.write(f"wrote protocol/{path}\n")
    return 0


def _stale() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path, renew in FILES.items():
        file = _ROOT / path
        old = file.read_text() if file.exists() else ""
        new = renew(old)
        if new != old:
            found.append((path, new))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
