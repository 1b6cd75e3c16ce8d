"""What the generators ask of a Struct type."""

import inspect
from typing import Any, get_args

import msgspec


def members(union: Any) -> list[type[msgspec.Struct]]:  # noqa: ANN401 - a union is no type to name
    """Return the Structs of a union, in the order they were written."""
    return list(get_args(union))


def first_sentence(struct: type[msgspec.Struct]) -> str:
    """Return the summary line of a Struct's docstring."""
    return (inspect.getdoc(struct) or "").split("\n\n")[0].replace("\n", " ")


def documentation(struct: type[msgspec.Struct]) -> list[str]:
    """Return the docstring's lines."""
    return (inspect.getdoc(struct) or "").splitlines()
