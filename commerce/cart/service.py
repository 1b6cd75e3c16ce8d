"""What the rest of commerce may ask of carts."""

from collections.abc import Mapping

from commerce.cart import repository
from commerce.cart.errors import (
    CartChangedMeanwhileError,
    CartEmptyError,
    MixedCurrenciesError,
    PricesChangedError,
)
from commerce.cart.model import Cart, Guest, Owner, require_available, show, untouched_since
from commerce.catalog import service as catalog
from commerce.catalog.errors import VariantNotFoundError
from commerce.catalog.model import Offer
from commerce.foundation.database import Transaction
from protocol import views
from protocol.events import CartChanged
from protocol.ids import CartId, UserId, VariantId
from protocol.money import Money
from protocol.topics import user_topic

Offers = Mapping[VariantId, Offer]

FORGOTTEN_AT_ONCE_MAX = 1_000
"""Carts of guests that one run of the job deletes: its transaction must stay short."""

NO_CART = views.Cart(
    id=CartId("crt_00000000000000000000000000"),
    version=0,
    lines=[],
    total=Money(amount_minor=0, currency="EUR"),
)
"""What a guest sees who has put nothing in yet."""


async def read(tx: Transaction, owner: Owner) -> views.Cart:
    """Return somebody's cart at today's prices; those prices are what they were shown."""
    cart = await repository.find_open(tx, owner)
    if cart is not None:
        offers = await _offers_of(tx, cart)
        if cart.repriced(offers) is cart:
            return show(cart, offers)
    elif isinstance(owner, Guest):
        return NO_CART
    held = await _hold(tx, owner)
    offers = await _offers_of(tx, held)
    return await _change(tx, held, held.repriced(offers), offers)


async def set_line(
    tx: Transaction,
    owner: Owner,
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
        MixedCurrenciesError: if it is not sold in the currency of the cart.
    """
    cart = await _hold(tx, owner)
    await _require_version(tx, cart, version)
    offers = await _offers_of(tx, cart, variant)
    offer = offers.get(variant)
    if offer is None:
        raise VariantNotFoundError(variant)
    changed = cart.with_line(offer, quantity) if quantity else cart.without(variant)
    return await _change(tx, cart, changed.repriced(offers), offers)


async def choose_currency(
    tx: Transaction, owner: Owner, currency: str, *, version: int | None = None
) -> views.Cart:
    """Have the cart in a currency, whatever is put in from now on.

    Raises:
        CartChangedMeanwhileError: if `version` is given and is not the cart's.
        MixedCurrenciesError: if something in it is not sold in that currency.
    """
    cart = await _hold(tx, owner)
    await _require_version(tx, cart, version)
    offers = await catalog.offers(tx, {line.variant for line in cart.lines}, currency=currency)
    return await _change(tx, cart, cart.in_currency(currency, offers), offers)


async def merge(tx: Transaction, guest: Guest, user: UserId) -> None:
    """Let what is in a guest's cart go over into that of the user they turn out to be; once.

    What cannot be had any more is left out, and of what is in both there are as many as in the
    fuller one. An empty cart of the user takes the guest's currency.
    """
    if await repository.find_open(tx, guest) is None:
        return
    mine = await _hold(tx, user)
    theirs = await repository.lock_open(tx, guest)
    if theirs is None:
        return
    await repository.mark_merged(tx, theirs)
    currency = mine.currency_asked or theirs.currency_asked
    wanted = {line.variant for line in (*mine.lines, *theirs.lines)}
    offers = await catalog.offers(tx, wanted, currency=currency)
    merged = mine.with_all_of(theirs, offers)
    if not mine.lines and theirs.chosen is not None and mine.chosen is None:
        merged = merged.in_currency(theirs.chosen, offers)
    await _change(tx, mine, merged.repriced(offers), offers)


async def consume(tx: Transaction, user: UserId, *, version: int) -> tuple[Cart, Offers]:
    """Use the open cart up for an order, and open an empty one in its place.

    Returns the cart and what its lines are of; its prices are those the buyer was shown and
    those of today.

    Raises:
        CartChangedMeanwhileError: if the cart is at another version, or was just ordered.
        CartEmptyError: if there is nothing in it.
        PricesChangedError: if a price is not the one the buyer was shown.
        MixedCurrenciesError: if something is sold in the currency of the cart no longer.
        NotForSaleError: if a product is not published any more.
        OutOfStockError: if fewer of one are left.
    """
    cart = await _hold(tx, user)
    await _require_version(tx, cart, version)
    if not cart.lines:
        raise CartEmptyError
    offers = await _offers_of(tx, cart)
    _require_orderable(cart, offers)
    assert await repository.consume(tx, cart)
    await repository.open_one(tx, user, version=cart.version + 1, currency=cart.chosen)
    opened = await _hold(tx, user)
    await tx.emit(user_topic(user), CartChanged(cart=show(opened, {})))
    return cart, offers


async def forget_guests(tx: Transaction) -> int:
    """Forget some carts of guests who did not come back; return how many."""
    return await repository.forget_guests(
        tx, untouched_since=untouched_since(tx.now), limit=FORGOTTEN_AT_ONCE_MAX
    )


async def _require_version(tx: Transaction, cart: Cart, version: int | None) -> None:
    if version not in {None, cart.version}:
        raise CartChangedMeanwhileError(show(cart, await _offers_of(tx, cart)))


def _require_orderable(cart: Cart, offers: Offers) -> None:
    for line in cart.lines:
        require_available(offers[line.variant], line.quantity)
        if offers[line.variant].currency != cart.currency:
            raise MixedCurrenciesError(currency=cart.currency)
    today = cart.repriced(offers)
    changed = [
        offers[line.variant].title
        for line, now in zip(cart.lines, today.lines, strict=True)
        if line != now
    ]
    if changed:
        raise PricesChangedError(changed)


async def _hold(tx: Transaction, owner: Owner) -> Cart:
    """Hold somebody's open cart until the transaction ends, opening one if there is none."""
    held = await repository.lock_open(tx, owner)
    while held is None:
        await repository.open_one(tx, owner, version=0)
        held = await repository.lock_open(tx, owner)
    return held


async def _offers_of(tx: Transaction, cart: Cart, *more: VariantId) -> Offers:
    wanted = {line.variant for line in cart.lines} | set(more)
    return await catalog.offers(tx, wanted, currency=cart.currency_asked) if wanted else {}


async def _change(tx: Transaction, before: Cart, after: Cart, offers: Offers) -> views.Cart:
    shown = show(after, offers)
    if after != before:
        await repository.save(tx, before, after)
        if not isinstance(after.owner, Guest):
            await tx.emit(user_topic(after.user), CartChanged(cart=shown))
    return shown
