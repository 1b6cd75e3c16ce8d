"""What the rest of commerce may ask of orders."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec

from commerce.accounts import service as accounts
from commerce.cart import service as carts
from commerce.cart.model import Cart, CartLine
from commerce.catalog import service as catalog
from commerce.catalog.model import Offer
from commerce.chat import service as chat
from commerce.foundation.database import Transaction
from commerce.foundation.outbox import AccessRow
from commerce.orders import repository
from commerce.orders.errors import OrderNotFoundError
from commerce.orders.model import (
    GIVES_STOCK_BACK,
    Order,
    OrderEvent,
    OrderLine,
    PastOrder,
    edge,
    fact_of,
    order_number,
    placed_too_long_ago,
)
from protocol.ids import EventId, OrderId, OrderLineId, RoomId, UserId, VariantId
from protocol.topics import order_topic, user_topic
from protocol.views import OrderState, Person

BUYER_ROLE: Final = "buyer"

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
    if order.stock_taken:
        await catalog.take_stock(tx, order.stock_taken)
    await repository.add(tx, order)
    await tx.grant_access(order_topic(order.id), buyer, BUYER_ROLE)
    order = await _move(tx, order, "awaiting_payment")
    if order.is_free:
        order = await _move(tx, order, "paid")
        order = await _move(tx, order, "fulfilled")
    return order


async def cancel(tx: Transaction, buyer: UserId, order: OrderId) -> Order:
    """Give up an order that is not paid; what it took from the stock is given back.

    Raises:
        OrderNotFoundError: if this buyer has no such order.
        IllegalTransitionError: if it is paid, canceled or expired.
    """
    held = await repository.lock(tx, order, buyer)
    if held is None:
        raise OrderNotFoundError(order)
    canceled = await _move(tx, held, "canceled")
    await _give_stock_back(tx, [canceled])
    return canceled


async def expire_unpaid(tx: Transaction) -> int:
    """Expire some of the orders that waited too long for their payment; return how many."""
    due = await repository.lock_unpaid(
        tx, placed_before=placed_too_long_ago(tx.now), limit=EXPIRED_AT_ONCE_MAX
    )
    expired = [await _move(tx, order, "expired") for order in due]
    await _give_stock_back(tx, expired)
    return len(expired)


async def of_buyer(
    tx: Transaction, buyer: UserId, *, after: OrderId | None = None, limit: int
) -> list[Order]:
    """Return a buyer's orders, the newest first."""
    return await repository.of_buyer(tx, buyer, after=after, limit=limit)


async def history(tx: Transaction, buyer: UserId, order: OrderId) -> tuple[Order, list[OrderEvent]]:
    """Return an order and the edges it went along.

    Raises:
        OrderNotFoundError: if this buyer has no such order.
    """
    found = await repository.find(tx, order, buyer)
    if found is None:
        raise OrderNotFoundError(order)
    return found, await repository.events(tx, order)


async def visible(tx: Transaction, viewer: UserId, wanted: Sequence[OrderId]) -> list[Order]:
    """Return those of some orders that `viewer` may see: their own, and all of them as staff."""
    if not wanted:
        return []
    anyones = await accounts.is_staff(tx, viewer)
    return await repository.visible(tx, wanted, buyer=viewer, anyones=anyones)


async def support_room(tx: Transaction, opener: Person, order: OrderId) -> RoomId:
    """Have the room in which an order's buyer and the staff talk about it: there is one.

    Raises:
        OrderNotFoundError: if there is no such order, or it is another buyer's.
    """
    found = await visible(tx, opener.id, [order])
    if not found:
        raise OrderNotFoundError(order)
    title = f"Order {found[0].number}"
    return await chat.open_support(tx, opener, order=order, title=title, buyer=found[0].buyer_id)


async def import_past(tx: Transaction, past: Sequence[PastOrder]) -> list[PastOrder]:
    """Write many orders without telling anyone; return those that were not there.

    They get numbers of their own. Rights are not granted either, nor is stock taken.
    """
    known = await repository.known(tx, [each.order.id for each in past])
    missing = [each for each in past if each.order.id not in known]
    serials = await repository.next_serials(tx, len(missing))
    numbered = [
        msgspec.structs.replace(each, order=_numbered(each.order, serial))
        for each, serial in zip(missing, serials, strict=True)
    ]
    await repository.copy_past(tx, numbered)
    return numbered


async def access(tx: Transaction) -> AsyncIterator[AccessRow]:
    """Yield who may hear each order's topic, to rebuild the access projection."""
    async for row in repository.buyers(tx):
        yield order_topic(row.id), row.buyer_id, BUYER_ROLE


def _numbered(order: Order, serial: int) -> Order:
    return msgspec.structs.replace(order, number=order_number(order.placed_at.year, serial))


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


async def _move(tx: Transaction, order: Order, state: OrderState) -> Order:
    """Go one edge along: the state, the row that tells of it, and the event on both topics."""
    moved = order.moved_to(state)
    fact = fact_of(moved, tx.now)
    event_id = EventId(tx.mint("evt"))
    assert await repository.move(tx, order, moved)
    await repository.add_event(tx, moved.id, edge(order, moved, event_id=event_id, at=tx.now))
    await tx.emit(order_topic(moved.id), fact, event_id=event_id)
    await tx.emit(user_topic(moved.buyer_id), fact, event_id=event_id)
    return moved


async def _give_stock_back(tx: Transaction, orders: list[Order]) -> None:
    """Give back what orders took, all at once, so that products are held in one order."""
    returned: Counter[VariantId] = Counter()
    for order in orders:
        assert order.state in GIVES_STOCK_BACK
        returned.update(order.stock_taken)
    if returned:
        await catalog.give_back_stock(tx, returned)
