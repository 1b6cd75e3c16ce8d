"""What the rest of commerce may ask of carts."""

from collections.abc import Mapping

from commerce.cart import repository
from commerce.cart.errors import (
    CartChangedMeanwhileError,
    CartEmptyError,
    PricesChangedError,
)
from commerce.cart.model import Cart, require_available, show
from commerce.catalog import service as catalog
from commerce.catalog.errors import VariantNotFoundError
from commerce.catalog.model import Offer
from commerce.foundation.database import Transaction
from protocol import views
from protocol.events import CartChanged
from protocol.ids import UserId, VariantId
from protocol.topics import user_topic

Offers = Mapping[VariantId, Offer]


async def read(tx: Transaction, user: UserId) -> views.Cart:
    """Return a user's cart at today's prices; those prices are what the user was shown."""
    cart = await repository.find_open(tx, user)
    if cart is not None:
        offers = await _offers_of(tx, cart)
        if cart.repriced(offers) is cart:
            return show(cart, offers)
    held = await _hold(tx, user)
    offers = await _offers_of(tx, held)
    return await _change(tx, held, held.repriced(offers), offers)


async def set_line(
    tx: Transaction,
    user: UserId,
    variant: VariantId,
    *,
    quantity: int,
    version: int | None = None,
) -> views.Cart:
    """Have exactly `quantity` of a variant in the cart; 0 takes it out.

    Raises:
        CartChangedMeanwhileError: if `version` is given and is not the cart's.
        VariantNotFoundError: if there is no such variant.
        NotForSaleError: if its product is not published.
        OutOfStockError: if fewer are left.
        CartFullError: if there is no room for another line.
        MixedCurrenciesError: if it is sold in another currency than the rest.
    """
    cart = await _hold(tx, user)
    if version is not None and version != cart.version:
        raise CartChangedMeanwhileError(version=cart.version)
    offers = await _offers_of(tx, cart, variant)
    offer = offers.get(variant)
    if offer is None:
        raise VariantNotFoundError(variant)
    changed = cart.with_line(offer, quantity) if quantity else cart.without(variant)
    return await _change(tx, cart, changed.repriced(offers), offers)


async def consume(tx: Transaction, user: UserId, *, version: int) -> tuple[Cart, Offers]:
    """Use the open cart up for an order, and open an empty one in its place.

    Returns the cart and what its lines are of; its prices are those the buyer was shown and
    those of today.

    Raises:
        CartChangedMeanwhileError: if the cart is at another version, or was just ordered.
        CartEmptyError: if there is nothing in it.
        PricesChangedError: if a price is not the one the buyer was shown.
        NotForSaleError: if a product is not published any more.
        OutOfStockError: if fewer of one are left.
    """
    cart = await _hold(tx, user)
    if version != cart.version:
        raise CartChangedMeanwhileError(version=cart.version)
    if not cart.lines:
        raise CartEmptyError
    offers = await _offers_of(tx, cart)
    _require_orderable(cart, offers)
    assert await repository.consume(tx, cart)
    await repository.open_one(tx, user, version=cart.version + 1)
    opened = await _hold(tx, user)
    await tx.emit(user_topic(user), CartChanged(cart=show(opened, {})))
    return cart, offers


def _require_orderable(cart: Cart, offers: Offers) -> None:
    for line in cart.lines:
        require_available(offers[line.variant], line.quantity)
    today = cart.repriced(offers)
    changed = [
        offers[line.variant].title
        for line, now in zip(cart.lines, today.lines, strict=True)
        if line != now
    ]
    if changed:
        raise PricesChangedError(changed)


async def _hold(tx: Transaction, user: UserId) -> Cart:
    """Hold the user's open cart until the transaction ends, opening one if there is none."""
    held = await repository.lock_open(tx, user)
    while held is None:
        await repository.open_one(tx, user, version=0)
        held = await repository.lock_open(tx, user)
    return held


async def _offers_of(tx: Transaction, cart: Cart, *more: VariantId) -> Offers:
    wanted = {line.variant for line in cart.lines} | set(more)
    return await catalog.offers(tx, wanted) if wanted else {}


async def _change(tx: Transaction, before: Cart, after: Cart, offers: Offers) -> views.Cart:
    shown = show(after, offers)
    if after != before:
        await repository.save(tx, before, after)
        await tx.emit(user_topic(after.user), CartChanged(cart=shown))
    return shown
