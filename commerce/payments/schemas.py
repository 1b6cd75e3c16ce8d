"""Payments over HTTP: how to pay, and what a buyer keeps to pay with. No card number, ever."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from commerce.payments.model import Setup, StoredMethod

Taker = Literal["stripe", "stand_in", "nobody"]


class PaymentsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes payments. Stripe.js is loaded with the key; the stand-in has pages of its own."""

    taker: Taker
    publishable_key: str
    is_live: bool


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way of paying that the buyer keeps: what may be shown of it."""

    id: str
    kind: str
    brand: str
    last4: str
    expires: str
    is_default: bool


class Methods(msgspec.Struct, frozen=True, kw_only=True):
    """All that a buyer keeps, the newest first."""

    items: Sequence[Method]


class MethodBegun(msgspec.Struct, frozen=True, kw_only=True):
    """A method on its way to be kept. The browser goes on with it, by Stripe.js or on a page."""

    setup_intent: str
    client_secret: str
    pay_url: str | None


def view_method(method: StoredMethod) -> Method:
    """Return what is shown of a method."""
    return Method(
        id=method.id,
        kind=method.kind,
        brand=method.brand,
        last4=method.last4,
        expires=method.expires,
        is_default=method.is_default,
    )


def view_setup(setup: Setup, *, standin_url: str | None) -> MethodBegun:
    """Return how the browser goes on."""
    page = None
    if standin_url is not None:
        page = f"{standin_url}/pay/{setup.intent_id}?client_secret={setup.client_secret}"
    return MethodBegun(
        setup_intent=setup.intent_id, client_secret=setup.client_secret, pay_url=page
    )
