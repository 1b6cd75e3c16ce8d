"""Quotes: what a cart comes to, promised for a while."""

from datetime import timedelta

from commerce.cart import service as carts
from commerce.cart.errors import CartChangedMeanwhileError, CartEmptyError
from commerce.foundation.database import Transaction
from commerce.orders.errors import QuoteNotFoundError
from commerce.orders.model import QUOTE_KEPT_DAYS, Offered, Quote, quote_ends
from commerce.orders.repository import quotes as repository
from commerce.pricing import service as pricing
from commerce.pricing.model import PriceRequest
from protocol.ids import QuoteId, UserId


async def quote(
    tx: Transaction,
    buyer: UserId,
    *,
    cart_version: int,
    country: str,
    currency: str | None = None,
    codes: tuple[str, ...] = (),
) -> Offered:
    """Say what the cart comes to, and keep the word for a while.

    Raises:
        CartChangedMeanwhileError: if the cart is at another version.
        CartEmptyError: if there is nothing in it.
        NotSoldInCurrencyError: if one has no price in the currency.
        UnknownCodeError: if a code is none, or does not hold now.
        DiscountUsedUpError: if as many orders as may have a discount have it.
        DiscountUsedBeforeError: if the buyer has used one that is once for everybody.
        DiscountDoesNotApplyError: if a discount takes nothing off.
    """
    cart = await carts.read(tx, buyer)
    if cart.version != cart_version:
        raise CartChangedMeanwhileError(cart)
    if not cart.lines:
        raise CartEmptyError
    asked = PriceRequest(
        currency=currency or cart.total.currency,
        country=country,
        lines=tuple((line.variant, line.quantity) for line in cart.lines),
        codes=codes,
        customer=buyer,
    )
    told = Quote(
        id=QuoteId(tx.mint("quo")),
        buyer_id=buyer,
        cart_version=cart_version,
        currency=asked.currency,
        country=country,
        codes=codes,
        basket=await pricing.price(tx, asked),
        created_at=tx.now,
        expires_at=quote_ends(tx.now),
    )
    await repository.add(tx, told)
    return await _offered(tx, told)


async def quoted(tx: Transaction, buyer: UserId, quote: QuoteId) -> Offered:
    """Return a quote as it was given.

    Raises:
        QuoteNotFoundError: if this buyer has no such quote, or it ended long ago.
    """
    found = await repository.find(tx, quote, buyer)
    if found is None:
        raise QuoteNotFoundError(quote)
    return await _offered(tx, found)


async def forget_quotes(tx: Transaction) -> int:
    """Forget quotes that ended long ago; return how many."""
    return await repository.forget(tx, ended_before=tx.now - timedelta(days=QUOTE_KEPT_DAYS))


async def _offered(tx: Transaction, told: Quote) -> Offered:
    products = [line.product for line in told.basket.lines]
    return Offered(quote=told, owned=await repository.owned(tx, told.buyer_id, products))
