"""The knobs of the `rialto` command itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from dotenv import dotenv_values

from deploy.paths import ROOT
from deploy.supervisor.errors import StartError
from shared.environment import (
    Profile,
    SettingsError,
    load,
    process_variables,
    read_profile,
    variable,
)

GATEWAYS_COUNT_MAX: Final = 10
BASE_PORT_DEFAULT: Final = 8300

SIGNING_KEY_VARIABLE: Final = "RIALTO_TICKET_SIGNING_KEY"
VERIFYING_KEYS_VARIABLE: Final = "RIALTO_TICKET_VERIFYING_KEYS"
ORIGINS_VARIABLE: Final = "RIALTO_ALLOWED_ORIGINS"
STRIPE_KEY_VARIABLE: Final = "STRIPE_API_KEY"
OPERATOR_TOKEN_VARIABLE: Final = "RIALTO_OPERATOR_TOKEN"  # noqa: S105 - its name


class DeploySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `rialto up` needs to know; options on the command line go first."""

    profile: Annotated[
        Profile,
        variable(
            "RIALTO_PROFILE",
            "dev, staging or prod. Staging and prod refuse embedded engines and dev secrets.",
        ),
    ] = "dev"
    log_level: Annotated[
        str,
        msgspec.Meta(pattern=r"^(debug|info|warning|error)$"),
        variable("RIALTO_LOG_LEVEL", "How much the programs log: debug, info, warning or error."),
    ] = "info"
    data: Annotated[
        str,
        variable("RIALTO_DATA", "The data folder; empty means the user's own (see rialto config)."),
    ] = ""
    port: Annotated[
        int,
        msgspec.Meta(ge=1, le=65_000),
        variable("RIALTO_PORT", "The base port: the shop's page. The gateway has the next one."),
    ] = BASE_PORT_DEFAULT
    gateways: Annotated[
        int,
        msgspec.Meta(ge=1, le=GATEWAYS_COUNT_MAX),
        variable("RIALTO_GATEWAYS", "How many gateway workers share the gateway's port."),
    ] = 2
    database_url: Annotated[
        str,
        variable(
            "RIALTO_DATABASE_URL",
            "A Postgres to use instead of the embedded one: postgresql://user:password@host/name.",
            secret=True,
        ),
    ] = ""
    redis_url: Annotated[
        str,
        variable(
            "RIALTO_REDIS_URL",
            "A Redis or Valkey to use instead of the embedded one: redis://host:port/number, or"
            " some nodes of a cluster: redis+cluster://host:port,host:port.",
            secret=True,
        ),
    ] = ""
    signing_key: Annotated[
        str,
        variable(
            SIGNING_KEY_VARIABLE,
            "The private key that signs socket tickets; made for each data folder in dev.",
            secret=True,
        ),
    ] = ""
    operator_token: Annotated[
        str,
        variable(
            OPERATOR_TOKEN_VARIABLE,
            "What operators show to the gateways; made for each data folder in dev.",
            secret=True,
        ),
    ] = ""
    stripe_api_key: Annotated[
        str,
        msgspec.Meta(pattern=r"^(|[sr]k_(test|live)_.+)$"),
        variable(
            STRIPE_KEY_VARIABLE,
            "The key of a Stripe account. Without one, dev uses a stand-in of its own.",
            secret=True,
        ),
    ] = ""
    stripe_webhooks: Annotated[
        tuple[str, ...],
        variable(
            "RIALTO_STRIPE_WEBHOOKS",
            "Addresses the stand-in sends its webhooks to; the shop's own unless you say.",
        ),
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...],
        variable(ORIGINS_VARIABLE, "Origins whose pages may use the API and the socket."),
    ] = ()

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield what staging and prod do not accept."""
        if profile == "dev":
            return
        if not self.database_url:
            yield f"RIALTO_DATABASE_URL is not set: {profile} does not use an embedded Postgres."
        if not self.redis_url:
            yield f"RIALTO_REDIS_URL is not set: {profile} does not use an embedded Valkey."
        if not self.signing_key:
            yield f"{SIGNING_KEY_VARIABLE} is not set: {profile} does not make up secrets."
        if not self.operator_token:
            yield f"{OPERATOR_TOKEN_VARIABLE} is not set: {profile} does not make up secrets."
        yield from self._stripe_problems(profile)
        if not self.allowed_origins:
            yield f"{ORIGINS_VARIABLE} is not set: {profile} does not guess them."
        if any("*" in origin for origin in self.allowed_origins):
            yield f"{ORIGINS_VARIABLE} has a wildcard; name every origin."

    def _stripe_problems(self, profile: Profile) -> Iterator[str]:
        if not self.stripe_api_key:
            yield f"{STRIPE_KEY_VARIABLE} is not set: {profile} does not use the Stripe stand-in."
        elif profile == "prod" and "k_live_" not in self.stripe_api_key[:9]:
            yield f"{STRIPE_KEY_VARIABLE} is a test key: prod takes real money."


def read_variables(*, dotenv: Path = ROOT / ".env") -> Mapping[str, str]:
    """Return the environment; in the dev profile completed from the file `.env`.

    Raises:
        SettingsError: if the profile has no such name.
    """
    variables = process_variables()
    if not dotenv.is_file():
        return variables
    from_file = {name: value for name, value in dotenv_values(dotenv).items() if value is not None}
    completed = {**from_file, **variables}
    return completed if read_profile(completed) == "dev" else variables


def read_settings(variables: Mapping[str, str]) -> DeploySettings:
    """Return our own settings.

    Raises:
        StartError: naming every variable that is wrong.
    """
    try:
        return load(DeploySettings, {name: value for name, value in variables.items() if value})
    except SettingsError as error:
        raise StartError(listed(error.problems), exit_code=2) from error


def listed(problems: list[str]) -> str:
    """Return one message that holds every problem."""
    return (
        problems[0] if len(problems) == 1 else "\n  ".join(["the settings are wrong:", *problems])
    )
