"""What a cart is and how it changes. Pure: no clock, no database."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from commerce.cart.errors import CartFullError, MixedCurrenciesError, NotForSaleError
from commerce.catalog.errors import OutOfStockError
from commerce.catalog.model import Offer, media_url
from protocol import views
from protocol.ids import CartId, UserId, VariantId
from protocol.money import Money

CART_LINES_MAX: Final = 50
"""Different things in one cart; every change tells the whole cart, so it must stay small."""

CURRENCY_OF_AN_EMPTY_CART: Final = "EUR"

GUEST_CART_DAYS: Final = 30
"""A guest's cart that nobody touches for so long is forgotten."""

_TOKEN_BYTES: Final = 32


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has not signed in. Only the hash of the token in their cookie is kept."""

    token_hash: bytes


Owner = UserId | Guest
"""Whose a cart is."""


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one variant, at the price that the buyer was last shown."""

    variant: VariantId
    quantity: int
    price_minor: int
    currency: str

    @property
    def total_minor(self) -> int:
        """What all of them cost."""
        return self.price_minor * self.quantity


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """The lines somebody means to buy. `version` grows with every change.

    The currency is the one `chosen`, or else that of what was put in first.
    """

    id: CartId
    owner: Owner
    version: int
    chosen: str | None = None
    lines: tuple[CartLine, ...] = ()

    @property
    def user(self) -> UserId:
        """Whose cart it is; a guest's has no user."""
        assert not isinstance(self.owner, Guest)
        return self.owner

    @property
    def currency(self) -> str:
        """The one currency of all lines."""
        return self.currency_asked or CURRENCY_OF_AN_EMPTY_CART

    @property
    def currency_asked(self) -> str | None:
        """The currency that everything must be sold in; None as long as anything may come."""
        return self.chosen or (self.lines[0].currency if self.lines else None)

    @property
    def total(self) -> Money:
        """What everything costs, at the prices shown."""
        return Money(
            amount_minor=sum(line.total_minor for line in self.lines), currency=self.currency
        )

    def repriced(self, offers: Mapping[VariantId, Offer]) -> "Cart":
        """Return this cart at today's prices: the next version if one of them is new.

        What is sold in its currency no longer keeps its price, and cannot be ordered.
        """
        return self._with(
            tuple(
                _repriced(line, offers[line.variant])
                if offers[line.variant].currency == self.currency
                else line
                for line in self.lines
            )
        )

    def in_currency(self, currency: str, offers: Mapping[VariantId, Offer]) -> "Cart":
        """Return this cart in another currency, with what is offered in that.

        Raises:
            MixedCurrenciesError: if something in it is not sold in that.
        """
        if any(offers[line.variant].currency != currency for line in self.lines):
            raise MixedCurrenciesError(currency=currency)
        lines = tuple(_repriced(line, offers[line.variant]) for line in self.lines)
        if (currency, lines) == (self.chosen, self.lines):
            return self
        return msgspec.structs.replace(self, chosen=currency, lines=lines, version=self.version + 1)

    def with_all_of(self, other: "Cart", offers: Mapping[VariantId, Offer]) -> "Cart":
        """Return this cart with what is in another one too: the next version if that is anything.

        Of what is in both there are as many as in the fuller one, for nobody means to buy twice
        what they put in twice. What cannot be had is left out.
        """
        have = {line.variant: line.quantity for line in self.lines}
        merged = self
        for line in sorted(other.lines, key=lambda line: line.variant):
            quantity = max(line.quantity, have.get(line.variant, 0))
            try:
                merged = merged.with_line(offers[line.variant], quantity)
            except (NotForSaleError, OutOfStockError, CartFullError, MixedCurrenciesError):
                continue
        return self if merged is self else self._with(merged.lines)

    def without(self, variant: VariantId) -> "Cart":
        """Return this cart with none of a variant."""
        return self._with(tuple(line for line in self.lines if line.variant != variant))

    def with_line(self, offer: Offer, quantity: int) -> "Cart":
        """Return this cart with exactly `quantity` of what is offered, at its price of today.

        Raises:
            NotForSaleError: if the product is not published.
            OutOfStockError: if fewer are left.
            CartFullError: if there is no room for another line.
            MixedCurrenciesError: if it is sold in another currency than the rest.
        """
        require_available(offer, quantity)
        if self.currency_asked not in {None, offer.currency}:
            raise MixedCurrenciesError(currency=self.currency)
        changed = CartLine(
            variant=offer.variant,
            quantity=quantity,
            price_minor=offer.price_minor,
            currency=offer.currency,
        )
        if any(line.variant == offer.variant for line in self.lines):
            return self._with(
                tuple(changed if line.variant == offer.variant else line for line in self.lines)
            )
        if len(self.lines) >= CART_LINES_MAX:
            raise CartFullError(lines_max=CART_LINES_MAX)
        return self._with((*self.lines, changed))

    def _with(self, lines: tuple[CartLine, ...]) -> "Cart":
        if lines == self.lines:
            return self
        return msgspec.structs.replace(self, lines=lines, version=self.version + 1)


def new_guest_token() -> str:
    """Return what a guest's cookie holds: it cannot be guessed, and whoever has it has the cart."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def guest_of(token: str) -> Guest:
    """Return who has this token."""
    return Guest(token_hash=hashlib.sha256(token.encode()).digest())


def untouched_since(now: datetime) -> datetime:
    """Return the moment since which a guest's cart must be untouched to be forgotten."""
    return now - timedelta(days=GUEST_CART_DAYS)


def require_available(offer: Offer, quantity: int) -> None:
    """Refuse what cannot be bought now.

    Raises:
        NotForSaleError: if the product is not published.
        OutOfStockError: if fewer are left.
    """
    if not offer.published:
        raise NotForSaleError(offer.title)
    if offer.stock is not None and quantity > offer.stock:
        raise OutOfStockError(offer.title, left=offer.stock)


def show(cart: Cart, offers: Mapping[VariantId, Offer]) -> views.Cart:
    """Return the cart as its owner sees it."""
    return views.Cart(
        id=cart.id,
        version=cart.version,
        lines=[_show_line(line, offers[line.variant]) for line in cart.lines],
        total=cart.total,
    )


def _show_line(line: CartLine, offer: Offer) -> views.CartLine:
    return views.CartLine(
        variant=line.variant,
        product=offer.product,
        slug=offer.slug,
        title=offer.product_title,
        variant_title=offer.variant_title,
        quantity=line.quantity,
        unit_price=Money(amount_minor=line.price_minor, currency=line.currency),
        total=Money(amount_minor=line.total_minor, currency=line.currency),
        cover_url=media_url(offer.cover),
    )


def _repriced(line: CartLine, offer: Offer) -> CartLine:
    return msgspec.structs.replace(line, price_minor=offer.price_minor, currency=offer.currency)
