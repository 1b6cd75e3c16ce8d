"""Orders as buyers and staff see them."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from commerce.accounts import service as accounts
from commerce.chat import service as chat
from commerce.foundation.database import Transaction
from commerce.foundation.outbox import AccessRow
from commerce.orders.errors import OrderNotFoundError
from commerce.orders.model import Order, OrderEvent, OrderFilter
from commerce.orders.repository import orders as repository, searching
from protocol.ids import OrderId, RoomId, UserId
from protocol.topics import order_topic
from protocol.views import Person

BUYER_ROLE: Final = "buyer"


async def of_buyer(
    tx: Transaction, buyer: UserId, *, after: OrderId | None = None, limit: int
) -> list[Order]:
    """Return a buyer's orders, the newest first."""
    return await repository.of_buyer(tx, buyer, after=after, limit=limit)


async def of(tx: Transaction, order: OrderId) -> Order:
    """Return an order, whoever its buyer is.

    Raises:
        OrderNotFoundError: if there is no such order.
    """
    found = await repository.of(tx, order)
    if found is None:
        raise OrderNotFoundError(order)
    return found


async def search(
    tx: Transaction, wanted: OrderFilter, *, after: OrderId | None = None, limit: int
) -> list[Order]:
    """Return anyone's orders that fit, the newest first: for staff, who have been asked for."""
    return await searching.search(tx, wanted, after=after, limit=limit)


async def history(
    tx: Transaction, buyer: UserId, order: OrderId, *, after_version: int = 0
) -> tuple[Order, list[OrderEvent]]:
    """Return an order and the steps it took, those after a version.

    Raises:
        OrderNotFoundError: if this buyer has no such order.
    """
    found = await repository.find(tx, order, buyer)
    if found is None:
        raise OrderNotFoundError(order)
    return found, await repository.events(tx, order, after_version=after_version)


async def steps(tx: Transaction, order: OrderId) -> list[OrderEvent]:
    """Return every step an order took: for staff, who have been asked for."""
    return await repository.events(tx, order)


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


async def access(tx: Transaction) -> AsyncIterator[AccessRow]:
    """Yield who may hear each order's topic, to rebuild the access projection."""
    async for row in repository.buyers(tx):
        yield order_topic(row.id), row.buyer_id, BUYER_ROLE
