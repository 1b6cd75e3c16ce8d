"""Placing orders, and giving them up."""

from collections.abc import Mapping
from typing import Final

from commerce.cart import service as carts
from commerce.cart.model import Cart, CartLine
from commerce.catalog import service as catalog
from commerce.catalog.model import Offer
from commerce.foundation.database import Transaction
from commerce.orders.errors import OrderNotFoundError
from commerce.orders.model import Order, OrderLine, machine, order_number
from commerce.orders.repository import orders as repository
from commerce.orders.service.reading import BUYER_ROLE
from commerce.orders.service.stepping import take
from protocol.ids import OrderId, OrderLineId, UserId, VariantId
from protocol.topics import order_topic

EXPIRED_AT_ONCE_MAX: Final = 100
"""Orders one run of the job expires: their transaction must stay short."""


async def place(tx: Transaction, buyer: UserId, *, cart_version: int) -> Order:
    """Order what is in the cart, if it is still at that version.

    A free order is paid and fulfilled at once; any other waits for its payment.

    Raises:
        CartChangedMeanwhileError: if the cart is at another version, or was just ordered.
        CartEmptyError: if there is nothing in it.
        PricesChangedError: if a price is not the one the buyer was shown.
        NotForSaleError: if a product is not published any more.
        OutOfStockError: if fewer of one are left.
    """
    cart, offers = await carts.consume(tx, buyer, version=cart_version)
    order = await _draft(tx, cart, offers)
    await catalog.reserve(tx, order.id, order.stock_taken, machine.payment_due(tx.now))
    await repository.add(tx, order)
    await tx.grant_access(order_topic(order.id), buyer, BUYER_ROLE)
    order = await take(tx, machine.place(order, tx.now), otherwise=order)
    if order.is_free:
        order = await take(tx, machine.pay(order, tx.now), otherwise=order)
        if order.stock_taken:
            await catalog.consume(tx, order.id)
        order = await take(tx, machine.fulfil(order, tx.now), otherwise=order)
    return order


async def cancel(tx: Transaction, buyer: UserId, order: OrderId) -> Order:
    """Give up an order that is not paid; what it took from the stock is given back.

    Raises:
        OrderNotFoundError: if this buyer has no such order.
        IllegalTransitionError: if it is paid, canceled or expired.
    """
    held = await repository.lock(tx, order)
    if held is None or held.buyer_id != buyer:
        raise OrderNotFoundError(order)
    canceled = await take(tx, machine.cancel(held), otherwise=held)
    if canceled.stock_taken:
        await catalog.release(tx, [canceled.id])
    return canceled


async def expire_unpaid(tx: Transaction) -> int:
    """Expire some of the orders that waited too long for their payment; return how many."""
    due = await repository.lock_unpaid(tx, due_before=tx.now, limit=EXPIRED_AT_ONCE_MAX)
    expired = [await take(tx, machine.expire(order), otherwise=order) for order in due]
    await catalog.release(tx, [order.id for order in expired if order.stock_taken])
    return len(expired)


async def _draft(tx: Transaction, cart: Cart, offers: Mapping[VariantId, Offer]) -> Order:
    return Order(
        id=OrderId(tx.mint("ord")),
        number=order_number(tx.now.year, await repository.next_serial(tx)),
        buyer_id=cart.user,
        cart_id=cart.id,
        state="draft",
        version=0,
        currency=cart.currency,
        placed_at=tx.now,
        lines=tuple(_line(tx, line, offers[line.variant]) for line in cart.lines),
    )


def _line(tx: Transaction, line: CartLine, offer: Offer) -> OrderLine:
    return OrderLine(
        id=OrderLineId(tx.mint("lin")),
        variant_id=line.variant,
        product_id=offer.product,
        title=offer.title,
        quantity=line.quantity,
        unit_price_minor=line.price_minor,
        currency=line.currency,
        takes_stock=offer.stock is not None,
    )
