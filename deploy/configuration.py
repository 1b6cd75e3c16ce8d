"""Every variable of the product: as an example file, and as it is in effect."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, get_args, get_origin

import msgspec

from deploy.paths import ROOT
from deploy.program_settings import all_variables
from shared.environment import DeclaredVariable

EXAMPLE: Final[Path] = ROOT / ".env.example"
HIDDEN: Final = "********"

_PREFACE: Final = """\
# Every variable Rialto knows, with its default. None is needed: `./rialto up` runs without.
# In the dev profile a copy of this file named .env is read. Made by `./rialto config --example`.
"""


class EffectiveVariable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable, what it is, and where that comes from."""

    name: str
    value: str
    source: str
    explanation: str


def example() -> str:
    """Return the contents of `.env.example`."""
    lines = [_PREFACE]
    last_heading = ""
    for heading, declared in all_variables():
        if heading != last_heading:
            lines.append(f"\n# {heading}\n")
            last_heading = heading
        lines.extend(_example_lines(declared))
    return "".join(lines)


def effective(
    found: Mapping[str, str], decided: Mapping[str, str] | None
) -> Iterator[EffectiveVariable]:
    """Yield every variable as the programs get it, secrets hidden.

    `found` is what the environment and `.env` say, `decided` what a running shop was given.
    """
    for _, declared in all_variables():
        name = declared.variable.name
        default = _written(declared.default)
        if found.get(name):
            value, source = found[name], "environment"
        elif decided is not None and name in decided:
            value, source = decided[name], "rialto up"
        else:
            value, source = default, "default"
        hidden = declared.variable.secret and value and source != "default"
        yield EffectiveVariable(
            name=name,
            value=HIDDEN if hidden else value,
            source=source,
            explanation=declared.variable.explanation,
        )


def _example_lines(declared: DeclaredVariable) -> Iterator[str]:
    variable = declared.variable
    demands = " Staging and prod need it." if variable.required_in_prod else ""
    choices = _choices(declared.kind)
    yield f"\n# {variable.explanation}{demands}{choices}\n"
    shown = "" if variable.secret else _written(declared.default)
    yield f"#{variable.name}={shown}\n"


def _choices(kind: object) -> str:
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    limits = next((each for each in get_args(kind)[1:] if isinstance(each, msgspec.Meta)), None)
    if inner is bool:
        return " true or false."
    if limits is not None and limits.ge is not None and limits.le is not None:
        return f" From {limits.ge} to {limits.le}."
    return ""


def _written(value: object) -> str:
    """Write a default as it would stand in the environment."""
    if value is msgspec.NODEFAULT or value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)
