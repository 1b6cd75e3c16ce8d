"""The HTTP door of orders."""

from typing import Final

from commerce.cart.errors import (
    CartChangedMeanwhileError,
    CartEmptyError,
    NotForSaleError,
    PricesChangedError,
)
from commerce.catalog.errors import OutOfStockError
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from commerce.orders import service
from commerce.orders.errors import IllegalTransitionError, OrderNotFoundError
from commerce.orders.model import show
from commerce.orders.schemas import (
    HistoryQuery,
    NewOrder,
    OrderedAfter,
    OrderHistory,
    SupportRoom,
    view_history,
)
from protocol.ids import OrderId
from protocol.views import Order, Person

door: Final = Door("orders")


@door.api(
    "POST",
    "/v1/orders",
    body=NewOrder,
    out=Order,
    status=201,
    errors=(
        CartChangedMeanwhileError,
        CartEmptyError,
        NotForSaleError,
        OutOfStockError,
        PricesChangedError,
    ),
)
async def place(call: Call[NewOrder, None]) -> Order:
    """Order what is in the cart; a free order is fulfilled at once."""
    async with call.database.transaction() as tx:
        return show(
            await service.place(tx, call.principal.user, cart_version=call.body.cart_version)
        )


@door.api("GET", "/v1/orders", query=PageQuery, out=Page[Order])
async def mine(call: Call[None, PageQuery]) -> Page[Order]:
    """List one's orders, the newest first."""
    query = call.query
    after = None if query.after is None else decode_cursor(OrderedAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.of_buyer(tx, call.principal.user, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda order: OrderedAfter(id=order.id))
    return Page(items=[show(order) for order in page.items], next=page.next)


@door.api(
    "GET",
    "/v1/orders/{order}",
    query=HistoryQuery,
    out=OrderHistory,
    errors=(OrderNotFoundError,),
)
async def history(call: Call[None, HistoryQuery]) -> OrderHistory:
    """Show one of one's orders with every step it took, or those after a version."""
    async with call.database.transaction() as tx:
        order, events = await service.history(
            tx,
            call.principal.user,
            OrderId(call.path["order"]),
            after_version=call.query.after_version,
        )
    return view_history(order, events)


@door.api(
    "POST",
    "/v1/orders/{order}/cancel",
    out=Order,
    errors=(OrderNotFoundError, IllegalTransitionError),
)
async def cancel(call: Call[None, None]) -> Order:
    """Give up an order that is not paid."""
    async with call.database.transaction() as tx:
        return show(await service.cancel(tx, call.principal.user, OrderId(call.path["order"])))


@door.api("POST", "/v1/orders/{order}/support", out=SupportRoom, errors=(OrderNotFoundError,))
async def support(call: Call[None, None]) -> SupportRoom:
    """Have the one room in which the buyer and the staff talk about an order."""
    opener = Person(id=call.principal.user, name=call.principal.name)
    async with call.database.transaction() as tx:
        room = await service.support_room(tx, opener, OrderId(call.path["order"]))
    return SupportRoom(room=room)
