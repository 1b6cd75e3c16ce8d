"""The settings types of the programs: the only thing of theirs that deploy may import.

They say which variables there are, for `.env.example`, `rialto config`, and the check before
anything is started.
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from deploy.settings import DeploySettings
from shared.environment import DeclaredVariable, SettingsError, declared_variables, load

PROGRAMS: Final = (
    ("The gateway", "gateway.settings", "GatewaySettings"),
    ("Commerce", "commerce.settings", "CommerceSettings"),
    ("The Stripe stand-in", "deploy.stripe_standin.settings", "StandInSettings"),
)


def settings_types() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Yield a heading and the settings type of each part of the product, ours first."""
    yield "The rialto command", DeploySettings
    for heading, module, name in PROGRAMS:
        yield heading, getattr(importlib.import_module(module), name)


def all_variables() -> Iterator[tuple[str, DeclaredVariable]]:
    """Yield every variable of the product once, under the first part that declares it."""
    seen: set[str] = set()
    for heading, settings in settings_types():
        for declared in declared_variables(settings):
            if declared.variable.name not in seen:
                seen.add(declared.variable.name)
                yield heading, declared


def check_programs(variables: Mapping[str, str]) -> None:
    """See that every program would accept its settings.

    Raises:
        SettingsError: naming every variable that one of them would refuse.
    """
    problems: list[str] = []
    for _, settings in settings_types():
        try:
            load(settings, variables)
        except SettingsError as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
    if problems:
        raise SettingsError(problems)
