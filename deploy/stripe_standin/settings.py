"""The knobs of the stand-in's process; `rialto up` sets them for its child."""

from typing import Annotated

import msgspec

from shared.environment import variable

KEY_VARIABLE = "RIALTO_STRIPE_STANDIN_KEY"
TOKEN_VARIABLE = "RIALTO_STRIPE_STANDIN_TOKEN"  # noqa: S105 - the name of a variable
PORT_VARIABLE = "RIALTO_STRIPE_STANDIN_PORT"
FILE_VARIABLE = "RIALTO_STRIPE_STANDIN_FILE"
URL_VARIABLE = "RIALTO_STRIPE_STANDIN_URL"
WEBHOOKS_VARIABLE = "RIALTO_STRIPE_STANDIN_WEBHOOKS"
WEBHOOK_SECRET_VARIABLE = "RIALTO_STRIPE_STANDIN_WEBHOOK_SECRET"  # noqa: S105 - a name


class StandInSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `python -m deploy.stripe_standin` needs to know."""

    port: Annotated[
        int,
        msgspec.Meta(ge=0, le=65_535),
        variable(PORT_VARIABLE, "Where the Stripe stand-in listens, on this machine only."),
    ] = 8340
    file: Annotated[
        str,
        variable(FILE_VARIABLE, "The SQLite file it remembers in; empty means in memory."),
    ] = ""
    public_url: Annotated[
        str,
        variable(URL_VARIABLE, "Where browsers find its pages; empty means its own address."),
    ] = ""
    secret_key: Annotated[
        str,
        msgspec.Meta(min_length=8),
        variable(KEY_VARIABLE, "The API key it accepts.", secret=True),
    ] = "sk_test_rialto_standin"  # noqa: S105 - opens nothing but the stand-in
    control_token: Annotated[
        str,
        variable(
            TOKEN_VARIABLE,
            "The bearer token of its /_control endpoints; empty closes them.",
            secret=True,
        ),
    ] = ""
    webhooks: Annotated[
        tuple[str, ...],
        variable(WEBHOOKS_VARIABLE, "Addresses its webhooks are sent to; none by default."),
    ] = ()
    webhook_secret: Annotated[
        str,
        variable(WEBHOOK_SECRET_VARIABLE, "The secret those are signed with.", secret=True),
    ] = "whsec_rialto_standin"  # noqa: S105 - signs nothing but its events
