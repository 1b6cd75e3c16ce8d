"""What becomes of a subscription by what becomes of its orders: twice, late or mixed up is fine.

Nothing is taken from the events themselves but which order to look at: an order is read as it is.
Whoever follows holds the subscription first and an order only afterwards.
"""

from commerce.foundation.database import Transaction
from commerce.orders import service as orders
from commerce.orders.model import GIVEN_UP, Order
from commerce.refunds import service as refunds
from commerce.refunds.errors import NothingToRefundError, OrderDisputedError, RefundTooLargeError
from commerce.refunds.service import Wanted
from commerce.subscriptions.model import Charge, Subscription, machine
from commerce.subscriptions.repository import charges, plans
from commerce.subscriptions.service.stepping import hold, take
from protocol.ids import OrderId
from shared.logging import get_logger

RETURNED: str = "Paid after it was no longer wanted."

_log = get_logger("commerce.subscriptions")


async def follow(tx: Transaction, order_id: OrderId) -> Subscription | None:
    """Make of a subscription what an order of it makes of it; None if it is no order of one."""
    known = await charges.of_order(tx, order_id)
    if known is None:
        return None
    sub = await hold(tx, known.subscription_id)
    charge = await charges.of_order(tx, order_id)
    assert charge is not None
    order = await orders.of(tx, order_id)
    return await follow_held(tx, sub, charge, order)


async def follow_held(
    tx: Transaction, sub: Subscription, charge: Charge, order: Order
) -> Subscription:
    """Follow an order of a subscription that is held."""
    if order.paid_at is not None and not order.late:
        if charge.state == "open":
            return await _paid(tx, sub, charge)
        return await _paid_in_vain(tx, sub, charge)
    if charge.state != "open":
        return sub
    if order.state in GIVEN_UP or order.late:
        return await _given_up(tx, sub, charge)
    return await _maybe_failed(tx, sub, charge)


async def fail(tx: Transaction, sub: Subscription, charge: Charge, reason: str) -> Subscription:
    """Have a charge of a subscription that is held fail."""
    if charge.kind != "renewal":
        return sub
    return await take(tx, machine.fail(sub, tx.now, reason), otherwise=sub)


async def _paid(tx: Transaction, sub: Subscription, charge: Charge) -> Subscription:
    await charges.settle(tx, charge.id, "paid")
    match charge.kind:
        case "start":
            return await take(tx, machine.activate(sub, charge, tx.now), otherwise=sub)
        case "renewal":
            return await take(tx, machine.pay(sub, charge, tx.now), otherwise=sub)
        case "change":
            return await _changed(tx, sub, charge)


async def _changed(tx: Transaction, sub: Subscription, charge: Charge) -> Subscription:
    plan = (await plans.by_ids(tx, [charge.plan_id]))[charge.plan_id].plan
    return await take(tx, machine.change(sub, charge, plan, tx.now), otherwise=sub)


async def _paid_in_vain(tx: Transaction, sub: Subscription, charge: Charge) -> Subscription:
    """Money of a charge that was void: it is owed to the subscriber, or goes back at the end."""
    if charge.state != "void" or not await charges.settle(tx, charge.id, "returned"):
        return sub
    if not charge.due_minor:
        return sub
    if not sub.is_over:
        return await take(tx, machine.credit(sub, charge.due_minor, RETURNED), otherwise=sub)
    try:
        async with tx.savepoint():
            wanted = Wanted(order=charge.order_id, reason=RETURNED)
            await refunds.request(tx, wanted, origin="staff")
    except (OrderDisputedError, RefundTooLargeError, NothingToRefundError) as error:
        _log.exception("subscriptions.not_returned", order=charge.order_id, why=str(error))
    return sub


async def _given_up(tx: Transaction, sub: Subscription, charge: Charge) -> Subscription:
    await charges.settle(tx, charge.id, "void")
    if charge.kind == "start" and sub.state == "incomplete":
        return await take(tx, machine.give_up(sub, tx.now), otherwise=sub)
    if charge.kind == "renewal" and sub.state == "active":
        return await fail(tx, sub, charge, "not_paid_in_time")
    return sub


async def _maybe_failed(tx: Transaction, sub: Subscription, charge: Charge) -> Subscription:
    failures = [
        step
        for step in await orders.steps(tx, charge.order_id)
        if step.type == "order_payment_failed" and step.seq > charge.failed_seq
    ]
    if not failures or not await charges.failed(tx, charge.id, failures[-1].seq):
        return sub
    return await fail(tx, sub, charge, failures[-1].detail)
