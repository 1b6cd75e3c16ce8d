"""The HTTP door of settlement: where Stripe tells us what happened."""

from typing import Final

from commerce.foundation.http import Call, Door
from commerce.foundation.settings import StripeSettings
from commerce.settlement import service
from commerce.settlement.errors import BadSignatureError, NotOurEventError
from commerce.settlement.model import is_signed

door: Final = Door("settlement")

WEBHOOK_BYTES_MAX: Final = 1024 * 1024


@door.api(
    "POST",
    "/v1/webhooks/stripe",
    body=bytes,
    body_bytes_max=WEBHOOK_BYTES_MAX,
    auth="none",
    idempotency="none",
    errors=(BadSignatureError, NotOurEventError),
)
async def hear(call: Call[bytes, None]) -> None:
    """Take in an event that Stripe has signed; it is answered once it is written down."""
    settings = call.service(StripeSettings)
    header = call.header("Stripe-Signature") or ""
    secrets = settings.webhook_secrets
    if not is_signed(call.body, header, secrets=secrets, now=call.clock.now()):
        raise BadSignatureError
    async with call.database.transaction() as tx:
        await service.accept(tx, call.body, is_live=settings.is_live)
