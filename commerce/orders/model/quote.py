"""What a buyer was told that a cart comes to, until when that holds."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from commerce.pricing.model import Basket
from protocol.ids import OrderId, ProductId, QuoteId, UserId

QUOTE_MINUTES_MAX: Final = 30
"""Prices are promised for this long, and then asked for again."""

CODES_MAX: Final = 5
"""Discount codes on one order."""

QUOTE_KEPT_DAYS: Final = 2
"""So long after its end a quote still tells which order was made of it."""


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a cart at one version comes to. `order_id` is the one order that was made of it."""

    id: QuoteId
    buyer_id: UserId
    cart_version: int
    currency: str
    country: str
    codes: tuple[str, ...]
    basket: Basket
    created_at: datetime
    expires_at: datetime
    order_id: OrderId | None = None


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A quote, with those of its products that the buyer has already."""

    quote: Quote
    owned: tuple[ProductId, ...]


def quote_ends(now: datetime) -> datetime:
    """Return until when a quote of now holds."""
    return now + timedelta(minutes=QUOTE_MINUTES_MAX)
