"""Environment variables to a frozen Struct, once, at start.

A settings Struct is flat or composed of others. A field that is a variable is written

    pool_size_max: Annotated[int, variable("RIALTO_DATABASE_POOL_SIZE_MAX", "Connections …")] = 10

A default is what dev uses. `required_in_prod` marks a default that staging and prod refuse, and
`secret` one that is never shown. A Struct may add rules of its own in `problems(profile)`.
"""

import os
from collections.abc import Iterator, Mapping
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

import msgspec

Profile = Literal["dev", "staging", "prod"]
PROFILE_VARIABLE: Final = "RIALTO_PROFILE"
PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)

Settings = TypeVar("Settings", bound=msgspec.Struct)


class SettingsError(Exception):
    """One or more variables are missing or malformed; the message names every one."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One environment variable, as declared by a settings Struct."""

    name: str
    explanation: str
    secret: bool = False
    required_in_prod: bool = False


class DeclaredVariable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable together with the field that declares it."""

    variable: Variable
    kind: Any
    default: object


@runtime_checkable
class Checked(Protocol):
    """Settings with rules between them."""

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield a sentence for each rule that `profile` finds broken."""
        ...


def variable(
    name: str,
    explanation: str,
    *,
    secret: bool = False,
    required_in_prod: bool = False,
) -> Variable:
    """Declare that a field is read from the environment."""
    return Variable(
        name=name, explanation=explanation, secret=secret, required_in_prod=required_in_prod
    )


def declared_variables(settings: type[msgspec.Struct]) -> Iterator[DeclaredVariable]:
    """Yield every variable of a settings Struct, in the order of its fields."""
    hints = get_type_hints(settings, include_extras=True)
    for field in msgspec.structs.fields(settings):
        declared = _variable_of(hints[field.name])
        if declared is not None:
            yield DeclaredVariable(variable=declared, kind=hints[field.name], default=field.default)
        elif _is_settings(hints[field.name]):
            yield from declared_variables(hints[field.name])


def read_profile(variables: Mapping[str, str]) -> Profile:
    """Return the profile that is switched on; dev if none is named.

    Raises:
        SettingsError: if the name is not one of `PROFILES`.
    """
    name = variables.get(PROFILE_VARIABLE) or "dev"
    if name not in PROFILES:
        raise SettingsError(
            [f"{PROFILE_VARIABLE} is {name!r}; it must be one of {', '.join(PROFILES)}."]
        )
    return name


def process_variables() -> Mapping[str, str]:
    """Return the environment of this process."""
    return dict(os.environ)


def load(settings: type[Settings], variables: Mapping[str, str]) -> Settings:
    """Build `settings` from `variables`.

    Raises:
        SettingsError: naming every variable that is missing, malformed or refused by the profile.
    """
    profile = read_profile(variables)
    problems: list[str] = []
    loaded = _build(settings, variables, profile, problems)
    if loaded is None or problems:
        raise SettingsError(problems)
    return loaded


def _build(
    settings: type[Settings],
    variables: Mapping[str, str],
    profile: Profile,
    problems: list[str],
) -> Settings | None:
    before = len(problems)
    values: dict[str, object] = {}
    hints = get_type_hints(settings, include_extras=True)
    for field in msgspec.structs.fields(settings):
        declared = _variable_of(hints[field.name])
        if declared is None and _is_settings(hints[field.name]):
            values[field.name] = _build(hints[field.name], variables, profile, problems)
        elif declared is not None and declared.name in variables:
            values[field.name] = _read(
                declared, hints[field.name], variables[declared.name], problems
            )
        elif declared is not None and (
            field.required or (declared.required_in_prod and profile != "dev")
        ):
            problems.append(f"{declared.name} is not set: {declared.explanation}")
    if len(problems) > before:
        return None
    loaded = settings(**values)
    problems.extend(_broken_rules(loaded, profile))
    return loaded


def _broken_rules(loaded: object, profile: Profile) -> Iterator[str]:
    if isinstance(loaded, Checked):
        yield from loaded.problems(profile)


def _read(declared: Variable, kind: object, text: str, problems: list[str]) -> object:
    try:
        return msgspec.convert(_split(kind, text), kind, strict=False)
    except msgspec.ValidationError as error:
        shown = "" if declared.secret else f" {text!r}"
        problems.append(f"{declared.name}{shown} is malformed: {error}. {declared.explanation}")
        return None


def _split(kind: object, text: str) -> object:
    """Lists are written with commas between their items."""
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(inner) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _variable_of(kind: object) -> Variable | None:
    if get_origin(kind) is not Annotated:
        return None
    return next((extra for extra in get_args(kind)[1:] if isinstance(extra, Variable)), None)


def _is_settings(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
