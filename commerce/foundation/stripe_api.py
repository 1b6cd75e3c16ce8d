"""Stripe's API through its own client: one client a process, and three ways a call may end.

It is answered; it is refused, and nothing was done (`StripeRefusedError`); or nobody heard what
became of it (`StripeUnheardError`): the connection broke, it took too long, or Stripe had trouble
of its own. Only the last may be repeated, with the same idempotency key.
"""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import stripe

from commerce.foundation.errors import (
    PaymentsClosedError,
    StripeRefusedError,
    StripeUnheardError,
)
from commerce.foundation.settings import StripeSettings
from protocol.money import Money

API_VERSION: Final = "2026-10-28.endive"
"""The version whose shapes we read; Stripe keeps answering in it whatever the account's own is."""

_NETWORK_RETRIES_MAX: Final = 2
_SERVER_TROUBLE: Final = 500
_BUSY: Final = 429
_CONFLICT: Final = 409

_HUNDREDTHS_AT_STRIPE: Final = frozenset({"ISK", "UGX"})
"""Currencies without decimals that Stripe counts in hundredths all the same:
https://docs.stripe.com/currencies#special-cases."""

Answer = TypeVar("Answer")


class StripeApi:
    """The client, closed if there is no account."""

    def __init__(self, settings: StripeSettings) -> None:
        self.settings = settings
        self._http: stripe.HTTPXClient | None = None
        self._client: stripe.StripeClient | None = None
        if settings.api_key:
            self._http = stripe.HTTPXClient(timeout=settings.timeout_ms / 1000)
            self._client = stripe.StripeClient(
                settings.api_key,
                http_client=self._http,
                stripe_version=API_VERSION,
                max_network_retries=_NETWORK_RETRIES_MAX,
                base_addresses={"api": settings.url} if settings.url else None,
            )

    @property
    def v1(self) -> Any:  # noqa: ANN401 - its services are made when they are asked for
        """The client's services.

        Raises:
            PaymentsClosedError: if the shop has no account.
        """
        if self._client is None:
            raise PaymentsClosedError
        return self._client.v1

    @property
    def is_open(self) -> bool:
        """Whether the shop has an account."""
        return self._client is not None

    async def close(self) -> None:
        """Close the client's connections."""
        if self._http is not None:
            await self._http.close_async()  # type: ignore[no-untyped-call]  # theirs


@asynccontextmanager
async def open_stripe(settings: StripeSettings) -> AsyncGenerator[StripeApi]:
    """Have the client for as long as the block runs; nobody is called yet."""
    api = StripeApi(settings)
    try:
        yield api
    finally:
        await api.close()


async def heard(call: Awaitable[Answer]) -> Answer:
    """Wait for the answer to a call.

    Raises:
        StripeRefusedError: if Stripe refused it.
        StripeUnheardError: if nobody knows what became of it.
    """
    try:
        return await call
    except stripe.StripeError as error:
        raise _meaning(error) from error


def _meaning(error: stripe.StripeError) -> StripeRefusedError | StripeUnheardError:
    status = error.http_status
    if status is None or status >= _SERVER_TROUBLE or status in {_BUSY, _CONFLICT}:
        return StripeUnheardError()
    body = error.json_body
    details = body.get("error") if isinstance(body, dict) else None
    details = details if isinstance(details, dict) else {}
    reason = details.get("decline_code") or error.code or "invalid_request"
    return StripeRefusedError(str(reason), status=status, details=details)


def plain(thing: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the client gives
    """Return one of the client's objects as Stripe's JSON has it."""
    found = thing.to_dict()
    assert isinstance(found, dict)
    return found


def to_stripe(amount: Money) -> int:
    """Return an amount as Stripe counts it."""
    return amount.amount_minor * (100 if amount.currency in _HUNDREDTHS_AT_STRIPE else 1)


def from_stripe(amount: int, currency: str) -> Money:
    """Return what Stripe counts as an amount of ours."""
    code = currency.upper()
    return Money(
        amount_minor=amount // (100 if code in _HUNDREDTHS_AT_STRIPE else 1), currency=code
    )
