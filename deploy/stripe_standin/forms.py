"""Form-encoded parameters, `a[b][0]=c`, into typed Structs: bounded, and refused Stripe's way."""

import re
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from deploy.stripe_standin.errors import MalformedError
from deploy.stripe_standin.limits import (
    METADATA_KEY_CHARACTERS_MAX,
    METADATA_KEYS_MAX,
    METADATA_VALUE_CHARACTERS_MAX,
    PARAMETER_CHARACTERS_MAX,
    PARAMETER_DEPTH_MAX,
    PARAMETERS_COUNT_MAX,
)

Parameters = TypeVar("Parameters", bound=msgspec.Struct)
Nested = dict[str, Any]

_NAME: Final = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_UNKNOWN: Final = re.compile(r"unknown field `(\w+)`")
_REQUIRED: Final = re.compile(r"missing required field `(\w+)`")
_PLACE: Final = re.compile(r" - at `\$(.*)`$")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def parse(encoded: str) -> Nested:
    """Return the parameters of a body or a query as nested mappings and lists of strings.

    Raises:
        MalformedError: if there are too many, they are nested too deeply, or are no form.
    """
    try:
        pairs = parse_qsl(
            encoded,
            keep_blank_values=True,
            strict_parsing=bool(encoded),
            errors="strict",
            max_num_fields=PARAMETERS_COUNT_MAX,
        )
    except ValueError as error:
        raise MalformedError(f"Invalid request parameters: {error}.") from error
    nested: Nested = {}
    for name, value in pairs:
        if len(value) > PARAMETER_CHARACTERS_MAX:
            raise MalformedError(
                f"Invalid string: must be at most {PARAMETER_CHARACTERS_MAX} characters",
                code="parameter_invalid_string",
                param=name,
            )
        _place(nested, _path(name), value, name)
    return {name: _listed(name, value) for name, value in nested.items()}


def decode(parameters: Nested, kind: type[Parameters]) -> Parameters:
    """Return the parameters as what a route takes.

    Raises:
        MalformedError: naming the parameter that is unknown, missing or malformed.
    """
    try:
        decoded = msgspec.convert(parameters, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), parameters) from error
    metadata = getattr(decoded, "metadata", None)
    if isinstance(metadata, dict):
        _check_metadata(metadata)
    return decoded


def _path(name: str) -> list[str]:
    found = _NAME.match(name)
    if found is None:
        raise MalformedError(f"Invalid parameter name: {name[:80]}")
    path = [found[1], *_PART.findall(found[2])]
    if len(path) > PARAMETER_DEPTH_MAX:
        raise MalformedError(f"Parameters are nested too deeply: {name[:80]}")
    return path


def _place(nested: Nested, path: list[str], value: str, name: str) -> None:
    here = nested
    for step in path[:-1]:
        inner = here.setdefault(_step(step, here), {})
        if not isinstance(inner, dict):
            raise MalformedError(f"Invalid object: {name[:80]} is given twice", param=path[0])
        here = inner
    here[_step(path[-1], here)] = value


def _step(step: str, here: Nested) -> str:
    """`a[]=x` adds to a list."""
    return step or str(len(here))


def _listed(name: str, value: Any) -> Any:  # noqa: ANN401 - a tree of strings
    """Mappings whose keys count from 0 are lists; what people name themselves never is."""
    if not isinstance(value, dict):
        return value
    if name == "metadata":
        return value
    inner = {key: _listed(key, each) for key, each in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _check_metadata(metadata: dict[str, str]) -> None:
    if len(metadata) > METADATA_KEYS_MAX:
        raise MalformedError(
            f"Metadata can have at most {METADATA_KEYS_MAX} keys.", param="metadata"
        )
    for key, value in metadata.items():
        if len(key) > METADATA_KEY_CHARACTERS_MAX:
            raise MalformedError(
                f"Metadata keys can have at most {METADATA_KEY_CHARACTERS_MAX} characters.",
                param="metadata",
            )
        if len(value) > METADATA_VALUE_CHARACTERS_MAX:
            raise MalformedError(
                f"Metadata values can have at most {METADATA_VALUE_CHARACTERS_MAX} characters.",
                param=f"metadata[{key}]",
            )


def _refusal(sentence: str, parameters: Nested) -> MalformedError:
    place = _PLACE.search(sentence)
    path = _steps(place[1]) if place else []
    if unknown := _UNKNOWN.search(sentence):
        name = _bracketed([*path, unknown[1]])
        return MalformedError(
            f"Received unknown parameter: {name}", code="parameter_unknown", param=name
        )
    if required := _REQUIRED.search(sentence):
        name = _bracketed([*path, required[1]])
        return MalformedError(
            f"Missing required param: {name}.", code="parameter_missing", param=name
        )
    name, given = _bracketed(path), _value_at(parameters, path)
    if given == "":
        return MalformedError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{name}' cannot be unset.",
            code="parameter_invalid_empty",
            param=name,
        )
    if "`int" in sentence:
        return MalformedError(
            f"Invalid integer: {given}", code="parameter_invalid_integer", param=name
        )
    return MalformedError(f"Invalid {name}: {given}", param=name)


def _steps(place: str) -> list[str]:
    return [name or number for name, number in _STEP.findall(place)]


def _bracketed(path: list[str]) -> str:
    return "".join(step if not index else f"[{step}]" for index, step in enumerate(path))


def _value_at(parameters: Nested, path: list[str]) -> object:
    here: Any = parameters
    for step in path:
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            return None
    return here if isinstance(here, str) else None
