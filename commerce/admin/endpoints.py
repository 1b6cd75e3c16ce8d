"""The HTTP door of the seller's side; for the shop's staff only."""

from collections.abc import Sequence
from typing import Final

from commerce.accounts.model import STAFF_ROLE
from commerce.admin import service
from commerce.admin.schemas import (
    Approval,
    AuditAfter,
    AuditQuery,
    AuditView,
    Because,
    Denial,
    DisputesAfter,
    DisputesQuery,
    DisputeView,
    EvidenceView,
    NewLicenseState,
    OrderFileView,
    OrdersAfter,
    OrdersQuery,
    RefundsAfter,
    RefundsQuery,
    RequestsQuery,
    StaffRefund,
    StaffRefundView,
    StaffRequest,
    view_dispute,
    view_entry,
    view_evidence,
    view_file,
    view_refund,
    view_request,
)
from commerce.foundation import audit
from commerce.foundation.errors import ForbiddenError
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, decode_cursor, page_of
from commerce.licenses.errors import IllegalLicenseStepError, LicenseNotFoundError
from commerce.licenses.model import show as show_license
from commerce.orders import service as orders
from commerce.orders.errors import (
    IllegalTransitionError,
    OrderNotFoundError,
    PaymentUnderWayError,
)
from commerce.orders.model import show as show_order
from commerce.orders.ports import Till
from commerce.refunds import service as refunds
from commerce.refunds.errors import (
    DisputeNotFoundError,
    NothingPaidError,
    NothingToRefundError,
    OrderDisputedError,
    RefundNotFoundError,
    RefundTooLargeError,
    RequestDecidedError,
)
from protocol import views
from protocol.ids import DisputeId, LicenseId, OrderId, RefundId, UserId
from shared.errors import ExpectedError

door: Final = Door("admin")

_TOO_MUCH: Final[Sequence[type[ExpectedError]]] = (
    NothingPaidError,
    NothingToRefundError,
    OrderDisputedError,
    RefundTooLargeError,
)


@door.api(
    "GET", "/v1/admin/orders", query=OrdersQuery, out=Page[views.Order], errors=(ForbiddenError,)
)
async def find_orders(call: Call[None, OrdersQuery]) -> Page[views.Order]:
    """List anyone's orders that fit, the newest first; staff only."""
    call.require_role(STAFF_ROLE)
    query = call.query
    after = None if query.after is None else decode_cursor(OrdersAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await orders.search(tx, query.filter(), after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda order: OrdersAfter(id=order.id))
    return Page(items=[show_order(order) for order in page.items], next=page.next)


@door.api(
    "GET",
    "/v1/admin/orders/{order}",
    out=OrderFileView,
    errors=(ForbiddenError, OrderNotFoundError),
)
async def order_file(call: Call[None, None]) -> OrderFileView:
    """Show all there is about an order; staff only."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        return view_file(await service.order_file(tx, OrderId(call.path["order"])))


@door.api(
    "POST",
    "/v1/admin/orders/{order}/hold",
    body=Because,
    out=views.Order,
    errors=(ForbiddenError, OrderNotFoundError),
)
async def hold(call: Call[Because, None]) -> views.Order:
    """Hold an order: nothing more of it is handed over; staff only."""
    return await _set_held(call, held=True)


@door.api(
    "POST",
    "/v1/admin/orders/{order}/release",
    body=Because,
    out=views.Order,
    errors=(ForbiddenError, OrderNotFoundError),
)
async def release(call: Call[Because, None]) -> views.Order:
    """Let a held order go on; staff only."""
    return await _set_held(call, held=False)


@door.api(
    "POST",
    "/v1/admin/orders/{order}/cancel",
    body=Because,
    out=views.Order,
    errors=(ForbiddenError, IllegalTransitionError, OrderNotFoundError, PaymentUnderWayError),
    calls_outside=True,
)
async def cancel(call: Call[Because, None]) -> views.Order:
    """Give up an order that is not paid; staff only. If its payment was faster, it is paid."""
    staff = call.require_role(STAFF_ROLE).user
    order, gateway = OrderId(call.path["order"]), call.service(Till).gateway
    try:
        canceled = await service.cancel(
            call.database, gateway, staff, order, reason=call.body.reason, reached=call.reached
        )
    except IllegalTransitionError:
        if call.recovery_point is None:
            raise
        async with call.database.transaction() as tx:  # It came so far already: look at it.
            canceled = await orders.of(tx, order)
    return show_order(canceled)


@door.api(
    "POST",
    "/v1/admin/orders/{order}/refunds",
    body=StaffRefund,
    out=StaffRefundView,
    status=201,
    idempotency="required",
    errors=(ForbiddenError, OrderNotFoundError, *_TOO_MUCH),
)
async def give_back(call: Call[StaffRefund, None]) -> StaffRefundView:
    """Give money back; staff only."""
    staff = call.require_role(STAFF_ROLE).user
    asked = call.body
    wanted = asked.wanted(OrderId(call.path["order"]))
    async with call.database.transaction() as tx:
        return view_refund(await service.refund(tx, staff, wanted, restocks=asked.restock))


@door.api(
    "GET",
    "/v1/admin/refund-requests",
    query=RequestsQuery,
    out=Page[StaffRequest],
    errors=(ForbiddenError,),
)
async def find_requests(call: Call[None, RequestsQuery]) -> Page[StaffRequest]:
    """List what buyers asked for, the newest first; staff only."""
    call.require_role(STAFF_ROLE)
    query = call.query
    after = None if query.after is None else decode_cursor(RefundsAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await refunds.search_requests(
            tx, state=query.state, after=after, limit=query.limit + 1
        )
    page = page_of(found, limit=query.limit, key=lambda each: RefundsAfter(id=each.id))
    return Page(items=[view_request(each) for each in page.items], next=page.next)


@door.api(
    "POST",
    "/v1/admin/refund-requests/{request}/approve",
    body=Approval,
    out=StaffRefundView,
    idempotency="required",
    errors=(ForbiddenError, RefundNotFoundError, RequestDecidedError, *_TOO_MUCH),
)
async def approve(call: Call[Approval, None]) -> StaffRefundView:
    """Approve what a buyer asked for: the money goes back; staff only."""
    staff = call.require_role(STAFF_ROLE).user
    async with call.database.transaction() as tx:
        made = await service.approve(
            tx,
            staff,
            RefundId(call.path["request"]),
            answer=call.body.answer,
            restocks=call.body.restock,
        )
    return view_refund(made)


@door.api(
    "POST",
    "/v1/admin/refund-requests/{request}/deny",
    body=Denial,
    out=StaffRequest,
    errors=(ForbiddenError, RefundNotFoundError, RequestDecidedError),
)
async def deny(call: Call[Denial, None]) -> StaffRequest:
    """Deny what a buyer asked for, and say why; staff only."""
    staff = call.require_role(STAFF_ROLE).user
    request = RefundId(call.path["request"])
    async with call.database.transaction() as tx:
        return view_request(await service.deny(tx, staff, request, answer=call.body.answer))


@door.api(
    "GET",
    "/v1/admin/refunds",
    query=RefundsQuery,
    out=Page[StaffRefundView],
    errors=(ForbiddenError,),
)
async def find_refunds(call: Call[None, RefundsQuery]) -> Page[StaffRefundView]:
    """List refunds, the newest first; staff only."""
    call.require_role(STAFF_ROLE)
    query = call.query
    after = None if query.after is None else decode_cursor(RefundsAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await refunds.search(tx, state=query.state, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda each: RefundsAfter(id=each.id))
    return Page(items=[view_refund(each) for each in page.items], next=page.next)


@door.api(
    "GET",
    "/v1/admin/disputes",
    query=DisputesQuery,
    out=Page[DisputeView],
    errors=(ForbiddenError,),
)
async def find_disputes(call: Call[None, DisputesQuery]) -> Page[DisputeView]:
    """List disputes, the newest first; staff only."""
    call.require_role(STAFF_ROLE)
    query = call.query
    after = None if query.after is None else decode_cursor(DisputesAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await refunds.search_disputes(
            tx, only_open=query.only_open, after=after, limit=query.limit + 1
        )
    page = page_of(found, limit=query.limit, key=lambda each: DisputesAfter(id=each.id))
    return Page(items=[view_dispute(each) for each in page.items], next=page.next)


@door.api(
    "GET",
    "/v1/admin/disputes/{dispute}/evidence",
    out=EvidenceView,
    errors=(DisputeNotFoundError, ForbiddenError),
)
async def evidence(call: Call[None, None]) -> EvidenceView:
    """Put together what the shop knows of a disputed order, for the bank; staff only."""
    call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        found = await refunds.evidence(tx, DisputeId(call.path["dispute"]))
        return view_evidence(found, await service.order_file(tx, found.dispute.order_id))


@door.api(
    "PUT",
    "/v1/admin/licenses/{license}/state",
    body=NewLicenseState,
    out=views.License,
    errors=(ForbiddenError, IllegalLicenseStepError, LicenseNotFoundError),
)
async def set_license_state(call: Call[NewLicenseState, None]) -> views.License:
    """Suspend, restore or revoke a licence; staff only."""
    staff = call.require_role(STAFF_ROLE).user
    held, asked = LicenseId(call.path["license"]), call.body
    async with call.database.transaction() as tx:
        after = await service.set_license_state(tx, staff, held, asked.state, reason=asked.reason)
    return show_license(after)


@door.api("GET", "/v1/admin/audit", query=AuditQuery, out=Page[AuditView], errors=(ForbiddenError,))
async def find_entries(call: Call[None, AuditQuery]) -> Page[AuditView]:
    """List what the staff did, the newest first; staff only."""
    call.require_role(STAFF_ROLE)
    query = call.query
    after = None if query.after is None else decode_cursor(AuditAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await audit.entries(
            tx,
            subject=query.subject,
            actor=None if query.actor is None else UserId(query.actor),
            after=after,
            limit=query.limit + 1,
        )
    page = page_of(found, limit=query.limit, key=lambda each: AuditAfter(id=each.id))
    return Page(items=[view_entry(each) for each in page.items], next=page.next)


async def _set_held(call: Call[Because, None], *, held: bool) -> views.Order:
    staff = call.require_role(STAFF_ROLE).user
    order = OrderId(call.path["order"])
    async with call.database.transaction() as tx:
        after = await service.set_held(tx, staff, order, held=held, reason=call.body.reason)
    return show_order(after)
