"""The Stripe stand-in as a child of `rialto up`: in dev, and without a key of one's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from deploy.keys import Keys
from deploy.settings import STRIPE_KEY_VARIABLE, DeploySettings
from deploy.stripe_standin import settings as standin

URL_VARIABLE: Final = "RIALTO_STRIPE_URL"
"""Where programs find the API, if it is not Stripe's own."""
WEBHOOK_PATH: Final = "/v1/webhooks/stripe"
"""Where the shop hears of what happened at Stripe."""

SECRETS_VARIABLE: Final = "RIALTO_STRIPE_WEBHOOK_SECRETS"


class StripeChild(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about the stand-in of one shop."""

    port: int
    file: Path
    keys: Keys
    webhooks: tuple[str, ...]

    def environment(self) -> Mapping[str, str]:
        """Return what the stand-in and the programs that call it are told."""
        key = f"sk_test_{self.keys.derived('stripe api key')}"
        secret = f"whsec_{self.keys.derived('stripe webhooks')}"
        return {
            STRIPE_KEY_VARIABLE: key,
            URL_VARIABLE: f"http://127.0.0.1:{self.port}",
            SECRETS_VARIABLE: secret,
            standin.PORT_VARIABLE: str(self.port),
            standin.FILE_VARIABLE: str(self.file),
            standin.URL_VARIABLE: f"http://localhost:{self.port}",
            standin.KEY_VARIABLE: key,
            standin.TOKEN_VARIABLE: self.keys.derived("stripe control"),
            standin.WEBHOOKS_VARIABLE: ",".join(self.webhooks),
            standin.WEBHOOK_SECRET_VARIABLE: secret,
        }


def uses_standin(settings: DeploySettings) -> bool:
    """Return whether this shop has the stand-in: dev, and no key of an account."""
    return settings.profile == "dev" and not settings.stripe_api_key
