"""The HTTP door of delivery."""

from typing import Final

from commerce.delivery import service
from commerce.delivery.model import show
from commerce.delivery.schemas import GrantedAfter, OrderGrants
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from protocol import views
from protocol.ids import OrderId

door: Final = Door("delivery")


@door.api("GET", "/v1/grants", query=PageQuery, out=Page[views.Grant])
async def mine(call: Call[None, PageQuery]) -> Page[views.Grant]:
    """List what one has by all of one's orders, the newest first."""
    query = call.query
    after = None if query.after is None else decode_cursor(GrantedAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.of_holder(tx, call.principal.user, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda grant: GrantedAfter(id=grant.id))
    return Page(items=[show(grant) for grant in page.items], next=page.next)


@door.api("GET", "/v1/orders/{order}/grants", out=OrderGrants)
async def of_order(call: Call[None, None]) -> OrderGrants:
    """List what one has by one of one's orders."""
    async with call.database.transaction() as tx:
        found = await service.of_order(tx, OrderId(call.path["order"]))
    return OrderGrants(
        items=[show(grant) for grant in found if grant.holder_id == call.principal.user]
    )
