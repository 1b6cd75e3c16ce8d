"""The HTTP door of refunds, for buyers; that of the staff is in `commerce/admin`."""

from typing import Final

from commerce.foundation.http import Call, Door
from commerce.orders import service as orders
from commerce.orders.errors import OrderNotFoundError
from commerce.refunds import service
from commerce.refunds.errors import (
    AskedAlreadyError,
    NothingPaidError,
    NothingToRefundError,
    OrderDisputedError,
    RefundNotFoundError,
    RefundTooLargeError,
    RequestDecidedError,
)
from commerce.refunds.model import show
from commerce.refunds.schemas import (
    AskedView,
    NewRefund,
    OrderRefunds,
    RequestView,
    view_asked,
    view_request,
)
from commerce.refunds.settings import RefundSettings
from protocol.ids import OrderId, RefundId

door: Final = Door("refunds")


@door.api(
    "POST",
    "/v1/orders/{order}/refunds",
    body=NewRefund,
    out=AskedView,
    status=201,
    idempotency="required",
    errors=(
        AskedAlreadyError,
        NothingPaidError,
        NothingToRefundError,
        OrderDisputedError,
        OrderNotFoundError,
        RefundTooLargeError,
    ),
)
async def ask(call: Call[NewRefund, None]) -> AskedView:
    """Ask for money back of one of one's orders; the shop answers, or approves at once."""
    terms = call.service(RefundSettings)
    async with call.database.transaction() as tx:
        asked = await service.ask(
            tx,
            call.principal.user,
            call.body.wanted(OrderId(call.path["order"])),
            auto_days=terms.auto_days,
        )
    return view_asked(asked.request, asked.refund)


@door.api("GET", "/v1/orders/{order}/refunds", out=OrderRefunds, errors=(OrderNotFoundError,))
async def of_order(call: Call[None, None]) -> OrderRefunds:
    """List what was asked for and given back of one of one's orders."""
    order = OrderId(call.path["order"])
    async with call.database.transaction() as tx:
        if not await orders.visible(tx, call.principal.user, [order]):
            raise OrderNotFoundError(order)
        requests = await service.requests_of_order(tx, order)
        refunds = await service.refunds_of_order(tx, order)
    return OrderRefunds(
        requests=[view_request(each) for each in requests],
        refunds=[show(each) for each in refunds],
    )


@door.api(
    "POST",
    "/v1/refunds/{refund}/withdraw",
    out=RequestView,
    errors=(RefundNotFoundError, RequestDecidedError),
)
async def withdraw(call: Call[None, None]) -> RequestView:
    """Take back what one asked for, while it is not answered."""
    async with call.database.transaction() as tx:
        request = await service.withdraw(tx, call.principal.user, RefundId(call.path["refund"]))
    return view_request(request)
