"""Placing orders, and giving them up."""

from commerce.cart import service as carts
from commerce.cart.model import Cart
from commerce.foundation.database import Transaction
from commerce.orders.errors import (
    AlreadyOwnedError,
    OrderNotFoundError,
    PaymentUnderWayError,
    QuoteExpiredError,
    QuoteNotFoundError,
    QuoteOutdatedError,
)
from commerce.orders.model import Order, OrderLine, Quote, machine, order_number
from commerce.orders.repository import orders as repository, quotes
from commerce.orders.service.paying import paid
from commerce.orders.service.reading import BUYER_ROLE, of
from commerce.orders.service.reserving import release, reserve
from commerce.orders.service.stepping import begin, take
from commerce.payments import service as payments
from commerce.pricing import service as pricing
from commerce.pricing.model import Basket, PricedLine, PriceRequest
from commerce.taxes.model import HOME_COUNTRY
from protocol.ids import CartId, OrderId, OrderLineId, QuoteId, SubscriptionId, UserId
from protocol.topics import order_topic


async def place(
    tx: Transaction, buyer: UserId, *, cart_version: int, confirm_repeat: bool = True
) -> Order:
    """Order what is in the cart, if it is still at that version.

    A free order is paid at once; any other waits for its payment. Without a quote nobody has said
    where the buyer lives: taxes are those of `HOME_COUNTRY`.

    Raises:
        AlreadyOwnedError: if the buyer has some of it already, and has not said to buy it again.
        CartChangedMeanwhileError: if the cart is at another version, or was just ordered.
        CartEmptyError: if there is nothing in it.
        PricesChangedError: if a price is not the one the buyer was shown.
        NotForSaleError: if a product is not published any more.
        OutOfStockError: if fewer of one are left.
    """
    cart, _ = await carts.consume(tx, buyer, version=cart_version)
    basket = await pricing.price(
        tx, _request(cart, buyer, currency=cart.currency, country=HOME_COUNTRY)
    )
    if not confirm_repeat:
        await _ask_before_selling_again(tx, buyer, basket)
    return await _make(tx, buyer, basket, cart=cart.id)


async def confirm(
    tx: Transaction, buyer: UserId, quote: QuoteId, *, confirm_repeat: bool = False
) -> Order:
    """Order what was quoted, if it all still holds; the same quote again is the same order.

    Raises:
        QuoteNotFoundError: if this buyer has no such quote.
        QuoteExpiredError: if its time is over.
        QuoteOutdatedError: if the cart comes to something else by now.
        AlreadyOwnedError: if the buyer has some of it already, and has not said to buy it again.
        CartChangedMeanwhileError: if the cart is at another version than was quoted.
        PricesChangedError: if a price is not the one the buyer was shown.
        NotForSaleError: if a product is not published any more.
        OutOfStockError: if fewer of one are left.
        DiscountUsedUpError: if as many orders as may have a discount have it.
    """
    told = await quotes.lock(tx, quote, buyer)
    if told is None:
        raise QuoteNotFoundError(quote)
    if told.order_id is not None:
        return await of(tx, told.order_id)
    if tx.now >= told.expires_at:
        raise QuoteExpiredError(quote)
    cart, _ = await carts.consume(tx, buyer, version=told.cart_version)
    if await pricing.price(tx, _quoted(told, cart)) != told.basket:
        raise QuoteOutdatedError(quote)
    if not confirm_repeat:
        await _ask_before_selling_again(tx, buyer, told.basket)
    order = await _make(tx, buyer, told.basket, cart=cart.id)
    await quotes.use(tx, quote, order.id)
    return order


async def place_for_subscription(
    tx: Transaction, buyer: UserId, basket: Basket, subscription: SubscriptionId
) -> Order:
    """Order what a subscription renews, at a price that was worked out already.

    A free one is paid at once; any other waits for its payment.

    Raises:
        OutOfStockError: if fewer of one are left.
        DiscountUsedUpError: if as many orders as may have a discount have it.
    """
    return await _make(tx, buyer, basket, subscription=subscription)


async def cancel(tx: Transaction, buyer: UserId, order: OrderId) -> Order:
    """Give up an order that is not paid, and that nobody is paying; what it reserved is released.

    Raises:
        OrderNotFoundError: if this buyer has no such order.
        IllegalTransitionError: if it is paid, canceled or expired.
        PaymentUnderWayError: if there is a payment to cancel first: see `checkout.call_off`.
    """
    held = await repository.lock(tx, order)
    if held is None or held.buyer_id != buyer:
        raise OrderNotFoundError(order)
    step = machine.cancel(held)
    if await payments.attempt_of_order(tx, order) is not None:
        raise PaymentUnderWayError(order)
    canceled = await take(tx, step, otherwise=held)
    await release(tx, [canceled])
    return canceled


async def _make(
    tx: Transaction,
    buyer: UserId,
    basket: Basket,
    *,
    cart: CartId | None = None,
    subscription: SubscriptionId | None = None,
) -> Order:
    draft = Order(
        id=OrderId(tx.mint("ord")),
        number=order_number(tx.now.year, await repository.next_serial(tx)),
        buyer_id=buyer,
        cart_id=cart,
        state="draft",
        version=0,
        currency=basket.currency,
        placed_at=tx.now,
        lines=tuple(_line(tx, line, basket.currency) for line in basket.lines),
        taxes=basket.taxes,
        country=basket.country,
        discount_ids=basket.discount_ids,
        subscription_id=subscription,
    )
    step = machine.place(draft, tx.now)
    await reserve(tx, step.after)
    await tx.grant_access(order_topic(draft.id), buyer, BUYER_ROLE)
    order = await begin(tx, step)
    return await paid(tx, order) if order.is_free else order


def _line(tx: Transaction, line: PricedLine, currency: str) -> OrderLine:
    return OrderLine(
        id=OrderLineId(tx.mint("lin")),
        variant_id=line.variant,
        product_id=line.product,
        title=line.title,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        currency=currency,
        takes_stock=line.takes_stock,
        discount_minor=line.discount_minor,
        tax_minor=line.tax_minor,
        tax_name=line.tax_name,
        tax_ppm=line.tax_ppm,
        tax_inclusive=line.tax_inclusive,
        price_id=line.price_id,
    )


async def _ask_before_selling_again(tx: Transaction, buyer: UserId, basket: Basket) -> None:
    owned = set(await quotes.owned(tx, buyer, [line.product for line in basket.lines]))
    if owned:
        raise AlreadyOwnedError([line.title for line in basket.lines if line.product in owned])


def _quoted(told: Quote, cart: Cart) -> PriceRequest:
    return _request(
        cart, told.buyer_id, currency=told.currency, country=told.country, codes=told.codes
    )


def _request(
    cart: Cart, buyer: UserId, *, currency: str, country: str, codes: tuple[str, ...] = ()
) -> PriceRequest:
    return PriceRequest(
        currency=currency,
        country=country,
        lines=tuple((line.variant, line.quantity) for line in cart.lines),
        codes=codes,
        customer=buyer,
    )
