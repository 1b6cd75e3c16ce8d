"""The seller's pages: what the staff sees of orders, refunds, disputes and its own doings.

What the pages do, they do at the door of `commerce/admin`, as any program would.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from commerce.admin import service as admin
from commerce.admin.schemas import (
    AuditAfter,
    DisputesAfter,
    OrdersAfter,
    OrdersQuery,
    RefundsAfter,
    view_dispute,
    view_entry,
    view_file,
    view_refund,
    view_request,
)
from commerce.foundation import audit
from commerce.foundation.errors import ForbiddenError, InvalidRequestError
from commerce.foundation.pagination import decode_cursor, page_of
from commerce.orders import service as orders
from commerce.orders.model import STATES, show as show_order
from commerce.refunds import service as refunds
from commerce.storefront.addresses import url
from commerce.storefront.visiting import Page, PageFunction, Visit
from protocol.ids import OrderId

ROWS_A_PAGE: Final = 30
REQUESTS_SHOWN: Final = 100

Key = TypeVar("Key", bound=msgspec.Struct)


async def order_list(visit: Visit) -> Page:
    """Show everybody's orders, or those that fit."""
    _for_staff(visit)
    asked = {name: text for name, text in visit.query.items() if text and name != "after"}
    try:
        wanted = msgspec.convert(asked, OrdersQuery, strict=False).filter()
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"{error}.") from error
    after = _after(visit, OrdersAfter)
    found = await orders.search(
        visit.tx, wanted, after=None if after is None else after.id, limit=ROWS_A_PAGE + 1
    )
    page = page_of(found, limit=ROWS_A_PAGE, key=lambda one: OrdersAfter(id=one.id))
    return _page(
        "admin_orders.html",
        "orders",
        orders=[show_order(one) for one in page.items],
        asked=asked,
        states=STATES,
        next_url=url("/admin", **asked, after=page.next) if page.next else None,
    )


async def order(visit: Visit) -> Page:
    """Show all there is about one order, and what can be done about it."""
    _for_staff(visit)
    file = await admin.order_file(visit.tx, OrderId(visit.path["order"]))
    return _page("admin_order.html", "orders", file=view_file(file), order=show_order(file.order))


async def refund_list(visit: Visit) -> Page:
    """Show what buyers ask for, and what was given back."""
    _for_staff(visit)
    after = _after(visit, RefundsAfter)
    asked = await refunds.search_requests(visit.tx, state="asked", limit=REQUESTS_SHOWN)
    found = await refunds.search(
        visit.tx, after=None if after is None else after.id, limit=ROWS_A_PAGE + 1
    )
    page = page_of(found, limit=ROWS_A_PAGE, key=lambda one: RefundsAfter(id=one.id))
    return _page(
        "admin_refunds.html",
        "refunds",
        requests=[view_request(one) for one in asked],
        refunds=[view_refund(one) for one in page.items],
        next_url=url("/admin/refunds", after=page.next) if page.next else None,
    )


async def dispute_list(visit: Visit) -> Page:
    """Show what buyers' banks ask back."""
    _for_staff(visit)
    after = _after(visit, DisputesAfter)
    found = await refunds.search_disputes(
        visit.tx, after=None if after is None else after.id, limit=ROWS_A_PAGE + 1
    )
    page = page_of(found, limit=ROWS_A_PAGE, key=lambda one: DisputesAfter(id=one.id))
    return _page(
        "admin_disputes.html",
        "disputes",
        disputes=[view_dispute(one) for one in page.items],
        next_url=url("/admin/disputes", after=page.next) if page.next else None,
    )


async def audit_list(visit: Visit) -> Page:
    """Show what the staff did."""
    _for_staff(visit)
    after = _after(visit, AuditAfter)
    found = await audit.entries(
        visit.tx, after=None if after is None else after.id, limit=ROWS_A_PAGE + 1
    )
    page = page_of(found, limit=ROWS_A_PAGE, key=lambda one: AuditAfter(id=one.id))
    return _page(
        "admin_audit.html",
        "audit",
        entries=[view_entry(one) for one in page.items],
        next_url=url("/admin/audit", after=page.next) if page.next else None,
    )


PAGES: Final[Mapping[str, PageFunction]] = {
    "/admin": order_list,
    "/admin/orders/<order>": order,
    "/admin/refunds": refund_list,
    "/admin/disputes": dispute_list,
    "/admin/audit": audit_list,
}


def _for_staff(visit: Visit) -> None:
    assert visit.user  # Who is not signed in is led to the sign-in first.
    if not visit.is_staff:
        raise ForbiddenError("These pages are for the people who run the shop.")


def _after(visit: Visit, kind: type[Key]) -> Key | None:
    after = visit.query.get("after")
    return None if after is None else decode_cursor(kind, after)


def _page(template: str, place: str, **shown: object) -> Page:
    return Page(template=template, section="admin", shown={**shown, "place": place})
