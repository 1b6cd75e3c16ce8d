"""What a cart is and how it changes. Pure: no clock, no database."""

from collections.abc import Mapping
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
    """The lines one user means to buy. `version` grows with every change."""

    id: CartId
    user: UserId
    version: int
    lines: tuple[CartLine, ...] = ()

    @property
    def currency(self) -> str:
        """The one currency of all lines."""
        return self.lines[0].currency if self.lines else CURRENCY_OF_AN_EMPTY_CART

    @property
    def total(self) -> Money:
        """What everything costs, at the prices shown."""
        return Money(
            amount_minor=sum(line.total_minor for line in self.lines), currency=self.currency
        )

    def repriced(self, offers: Mapping[VariantId, Offer]) -> "Cart":
        """Return this cart at today's prices: the next version if one of them is new."""
        return self._with(tuple(_repriced(line, offers[line.variant]) for line in self.lines))

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
        if self.lines and offer.currency != self.currency:
            raise MixedCurrenciesError(currency=self.currency)
        return self._with((*self.lines, changed))

    def _with(self, lines: tuple[CartLine, ...]) -> "Cart":
        if lines == self.lines:
            return self
        return msgspec.structs.replace(self, lines=lines, version=self.version + 1)


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
