"""The HTTP door of discounts: for staff. Buyers name codes when they ask what a cart comes to."""

from typing import Final

from commerce.accounts.model import STAFF_ROLE
from commerce.catalog.errors import NoSuchProductError
from commerce.discounts import service
from commerce.discounts.errors import CodeTakenError, DiscountNotFoundError
from commerce.discounts.schemas import (
    DiscountsAfter,
    DiscountView,
    NewDiscountBody,
    view_discount,
)
from commerce.foundation.acts import Act
from commerce.foundation.audit import write_down
from commerce.foundation.errors import ForbiddenError
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from protocol.ids import DiscountId

door: Final = Door("discounts")


@door.api(
    "GET",
    "/v1/admin/discounts",
    query=PageQuery,
    out=Page[DiscountView],
    errors=(ForbiddenError,),
)
async def discounts(call: Call[None, PageQuery]) -> Page[DiscountView]:
    """List discounts, the newest first; staff only."""
    call.require_role(STAFF_ROLE)
    query = call.query
    after = None if query.after is None else decode_cursor(DiscountsAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.newest(tx, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda each: DiscountsAfter(id=each.id))
    return Page(items=[view_discount(each) for each in page.items], next=page.next)


@door.api(
    "POST",
    "/v1/admin/discounts",
    body=NewDiscountBody,
    out=DiscountView,
    status=201,
    errors=(CodeTakenError, ForbiddenError, NoSuchProductError),
)
async def create_discount(call: Call[NewDiscountBody, None]) -> DiscountView:
    """Make a discount; staff only."""
    staff = call.require_role(STAFF_ROLE)
    new = call.body.discount()
    async with call.database.transaction() as tx:
        made = view_discount(await service.create(tx, new))
        act = Act(actor=staff.user, action="discount.create", subject=made.id, after=made)
        await write_down(tx, act)
    return made


@door.api(
    "POST",
    "/v1/admin/discounts/{discount}/end",
    out=DiscountView,
    errors=(DiscountNotFoundError, ForbiddenError),
)
async def end_discount(call: Call[None, None]) -> DiscountView:
    """Let a discount hold no longer; staff only. Orders that have it keep it."""
    staff = call.require_role(STAFF_ROLE)
    discount = DiscountId(call.path["discount"])
    async with call.database.transaction() as tx:
        before = view_discount(await service.of(tx, discount))
        ended = view_discount(await service.end(tx, discount))
        act = Act(
            actor=staff.user, action="discount.end", subject=discount, before=before, after=ended
        )
        await write_down(tx, act)
    return ended
