"""What the staff does, each with its entry in the audit."""

import msgspec

from commerce.accounts import service as accounts
from commerce.admin.model import OrderFile
from commerce.delivery import service as delivery
from commerce.foundation import audit
from commerce.foundation.acts import Act
from commerce.foundation.database import Database, Transaction
from commerce.licenses import service as licenses
from commerce.licenses.model import License, show as show_license
from commerce.orders import service as orders
from commerce.orders.model import Order, show as show_order
from commerce.payments.ports import PaymentGateway
from commerce.refunds import service as refunds
from commerce.refunds.model import Refund, Request, show as show_refund
from protocol.ids import LicenseId, OrderId, RefundId, UserId
from protocol.views import LicenseState

AUDIT_SHOWN_MAX = 50


async def order_file(tx: Transaction, order_id: OrderId) -> OrderFile:
    """Return all there is about an order.

    Raises:
        OrderNotFoundError: if there is none.
    """
    order = await orders.of(tx, order_id)
    buyer = await accounts.find(tx, order.buyer_id)
    return OrderFile(
        order=order,
        buyer_name=order.buyer_id if buyer is None else buyer.name,
        steps=await orders.steps(tx, order_id),
        grants=await delivery.of_order(tx, order_id),
        licenses=await licenses.of_order(tx, order_id, order.buyer_id),
        requests=list(await refunds.requests_of_order(tx, order_id)),
        refunds=await refunds.refunds_of_order(tx, order_id),
        audit=await audit.entries(tx, subject=order_id, limit=AUDIT_SHOWN_MAX),
    )


async def set_held(
    tx: Transaction, staff: UserId, order_id: OrderId, *, held: bool, reason: str
) -> Order:
    """Hold an order, or let it go on.

    Raises:
        OrderNotFoundError: if there is none.
    """
    before = await orders.hold_row(tx, order_id)
    after = await orders.set_held(tx, order_id, held=held, reason=reason)
    action = "order.hold" if held else "order.release"
    act = Act(actor=staff, action=action, subject=order_id, reason=reason)
    await _write(tx, act, before=before, after=after)
    return after


async def cancel(
    database: Database,
    gateway: PaymentGateway,
    staff: UserId,
    order: OrderId,
    *,
    reason: str,
    reached: orders.Reached = orders.nobody_asks,
) -> Order:
    """Give up an order that is not paid; a payment under way is canceled first.

    If that was faster the order is paid: look at what is returned.

    Raises:
        OrderNotFoundError: if there is none.
        IllegalTransitionError: if it is paid, canceled or expired.
        PaymentUnderWayError: if the money is on its way, or nobody knows.
    """
    act = Act(actor=staff, action="order.cancel", subject=order, reason=reason)

    async def written_down(tx: Transaction, before: Order, after: Order) -> None:
        await _write(tx, act, before=before, after=after)

    return await orders.call_off(
        database, gateway, order, written_down=written_down, reached=reached
    )


async def refund(
    tx: Transaction, staff: UserId, wanted: refunds.Wanted, *, restocks: bool
) -> Refund:
    """Give money back.

    Raises:
        OrderNotFoundError, NothingPaidError, OrderDisputedError, RefundTooLargeError,
        NothingToRefundError: see `refunds.service.request`.
    """
    made = await refunds.request(tx, wanted, origin="staff", actor=staff, restocks=restocks)
    act = Act(
        actor=staff,
        action="order.refund",
        subject=made.order_id,
        reason=made.reason,
        after=show_refund(made),
    )
    await audit.write_down(tx, act)
    return made


async def approve(
    tx: Transaction, staff: UserId, request: RefundId, *, answer: str, restocks: bool
) -> Refund:
    """Approve what a buyer asked for.

    Raises:
        RefundNotFoundError, RequestDecidedError, OrderDisputedError, RefundTooLargeError: see
        `refunds.service.approve`.
    """
    made = await refunds.approve(tx, staff, request, answer=answer, restocks=restocks)
    act = Act(
        actor=staff,
        action="refund.approve",
        subject=made.order_id,
        reason=answer,
        before={"request": request, "state": "asked"},
        after=show_refund(made),
    )
    await audit.write_down(tx, act)
    return made


async def deny(tx: Transaction, staff: UserId, request: RefundId, *, answer: str) -> Request:
    """Deny what a buyer asked for.

    Raises:
        RefundNotFoundError, RequestDecidedError: see `refunds.service.deny`.
    """
    denied = await refunds.deny(tx, staff, request, answer=answer)
    act = Act(
        actor=staff,
        action="refund.deny",
        subject=denied.order_id,
        reason=answer,
        before={"request": request, "state": "asked"},
        after={"request": request, "state": denied.state},
    )
    await audit.write_down(tx, act)
    return denied


async def set_license_state(
    tx: Transaction, staff: UserId, license_id: LicenseId, state: LicenseState, *, reason: str
) -> License:
    """Suspend, restore or revoke a licence.

    Raises:
        LicenseNotFoundError: if there is none.
        IllegalLicenseStepError: if its state does not allow that.
    """
    before = await licenses.find(tx, license_id)
    after = await licenses.set_state(tx, staff, license_id, state, reason=reason)
    act = Act(
        actor=staff,
        action=f"license.{state}",
        subject=license_id,
        reason=reason,
        before=show_license(before),
        after=show_license(after),
    )
    await audit.write_down(tx, act)
    return after


async def _write(tx: Transaction, act: Act, *, before: Order, after: Order) -> None:
    told = msgspec.structs.replace(act, before=show_order(before), after=show_order(after))
    await audit.write_down(tx, told)
