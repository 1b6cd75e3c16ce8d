"""The HTTP door of payments: who takes them, and what a buyer keeps to pay with."""

from typing import Final

from commerce.foundation.errors import (
    PaymentsClosedError,
    StripeRefusedError,
    StripeUnheardError,
)
from commerce.foundation.http import Call, Door
from commerce.foundation.rate_limit import RateLimit
from commerce.foundation.settings import StripeSettings
from commerce.payments import service
from commerce.payments.adapters.stripe_gateway import StripeGateway
from commerce.payments.errors import PaymentMethodNotFoundError
from commerce.payments.schemas import (
    MethodBegun,
    Methods,
    PaymentsConfig,
    Taker,
    view_method,
    view_setup,
)

door: Final = Door("payments")

_PER_BUYER: Final = RateLimit(name="payment-methods", count=10, per_seconds=3_600)
"""How often somebody may begin to keep a method: cards are tried out this way."""

_OUTSIDE_ERRORS: Final = (PaymentsClosedError, StripeRefusedError, StripeUnheardError)


@door.api("GET", "/v1/payments/config", out=PaymentsConfig, auth="none")
async def config(call: Call[None, None]) -> PaymentsConfig:
    """Say who takes payments here, and what browsers need for it."""
    settings = call.service(StripeSettings)
    taker: Taker = "nobody"
    if settings.api_key:
        taker = "stand_in" if settings.standin_url else "stripe"
    return PaymentsConfig(
        taker=taker, publishable_key=settings.publishable_key, is_live=settings.is_live
    )


@door.api("GET", "/v1/payment-methods", out=Methods, errors=_OUTSIDE_ERRORS)
async def methods(call: Call[None, None]) -> Methods:
    """List the methods one keeps, the newest first."""
    gateway = call.service(StripeGateway)
    kept = await service.methods(call.database, gateway, call.principal.user)
    return Methods(items=[view_method(each) for each in kept])


@door.api(
    "POST",
    "/v1/payment-methods",
    out=MethodBegun,
    status=201,
    errors=_OUTSIDE_ERRORS,
    idempotency="required",
    calls_outside=True,
)
async def begin_method(call: Call[None, None]) -> MethodBegun:
    """Begin to keep a method; it is given in the browser, and is there when its bank agreed."""
    settings, user = call.service(StripeSettings), call.principal.user
    if call.recovery_point is None:
        await call.take(_PER_BUYER, user)
        async with call.database.transaction() as tx:
            await call.reached(tx, "setup_begun")
    key = f"{user}:{call.header('Idempotency-Key')}"
    begun = await service.begin_setup(call.database, call.service(StripeGateway), user, key=key)
    return view_setup(begun, standin_url=settings.standin_url)


@door.api(
    "PUT",
    "/v1/payment-methods/{method}/default",
    out=Methods,
    errors=(PaymentMethodNotFoundError, *_OUTSIDE_ERRORS),
    calls_outside=True,
)
async def set_default(call: Call[None, None]) -> Methods:
    """Pay with this method unless told otherwise."""
    gateway, user = call.service(StripeGateway), call.principal.user
    async with call.database.transaction() as tx:
        await call.reached(tx, "preferring")
    await service.set_default(call.database, gateway, user, call.path["method"])
    kept = await service.methods(call.database, gateway, user)
    return Methods(items=[view_method(each) for each in kept])


@door.api(
    "DELETE",
    "/v1/payment-methods/{method}",
    status=204,
    errors=(PaymentMethodNotFoundError, *_OUTSIDE_ERRORS),
    calls_outside=True,
)
async def detach(call: Call[None, None]) -> None:
    """Keep a method no longer."""
    gateway = call.service(StripeGateway)
    async with call.database.transaction() as tx:
        await call.reached(tx, "detaching")
    try:
        await service.detach(call.database, gateway, call.principal.user, call.path["method"])
    except PaymentMethodNotFoundError:
        if call.recovery_point is None:
            raise  # Otherwise it may be this request that forgot it, before it was broken off.
