"""What the clock does to subscriptions."""

from datetime import timedelta
from typing import Final

from commerce.foundation.database import Transaction
from commerce.orders import service as orders
from commerce.subscriptions.errors import PlanNotSoldInCurrencyError
from commerce.subscriptions.model import Plan, Subscription, machine
from commerce.subscriptions.repository import charges, plans, subscriptions as repository
from commerce.subscriptions.service.charging import Sale, charge, coupon_of
from commerce.subscriptions.service.following import follow, follow_held
from commerce.subscriptions.service.stepping import take
from shared.logging import get_logger

TURNED_AT_ONCE_MAX: Final = 50
"""Subscriptions one run of the job takes on: their transaction must stay short."""

_FOLLOWED_AT_ONCE_MAX: Final = 50
_LOOK_AGAIN: Final = timedelta(hours=1)

_log = get_logger("commerce.subscriptions")


async def turn(tx: Transaction) -> int:
    """Do what is due now for some subscriptions: begin periods, try again, end; return how many."""
    due = await repository.lock_due(tx, limit=TURNED_AT_ONCE_MAX)
    for sub in due:
        try:
            async with tx.savepoint():
                await _turn(tx, sub)
        except Exception:
            if not tx.is_alive:
                raise
            _log.exception("subscriptions.not_turned", subscription=sub.id)
            await repository.postpone(tx, sub.id, tx.now + _LOOK_AGAIN)
    return len(due)


async def catch_up(tx: Transaction) -> int:
    """Follow orders that went on while nobody listened; return how many."""
    missed = await charges.to_follow(tx, limit=_FOLLOWED_AT_ONCE_MAX)
    for order in missed:
        await follow(tx, order)
    return len(missed)


async def void_open(tx: Transaction, sub: Subscription) -> None:
    """Want what is charged no longer; its order is canceled where the money is, later."""
    waiting = await charges.open_one(tx, sub.id)
    if waiting is not None:
        await charges.settle(tx, waiting.id, "void")


async def _turn(tx: Transaction, sub: Subscription) -> None:
    match sub.state:
        case "incomplete":
            await void_open(tx, sub)
            await take(tx, machine.give_up(sub, tx.now), otherwise=sub)
        case "trialing" | "active":
            await _end_period(tx, sub)
        case "past_due":
            await _try_again(tx, sub)
        case "unpaid":
            await void_open(tx, sub)
            await take(tx, machine.cancel(sub, tx.now, "never paid"), otherwise=sub)
        case "paused":
            await take(tx, machine.resume(sub, tx.now), otherwise=sub)
        case "incomplete_expired" | "canceled":
            await repository.postpone(tx, sub.id, tx.now + _LOOK_AGAIN)


async def _end_period(tx: Transaction, sub: Subscription) -> None:
    waiting = await charges.open_one(tx, sub.id)
    if waiting is not None and waiting.kind == "renewal" and not sub.cancels_at_period_end:
        await repository.postpone(tx, sub.id, tx.now + _LOOK_AGAIN)
        return  # The money of this period is still on its way; nothing new until it is here.
    await void_open(tx, sub)
    if sub.cancels_at_period_end:
        await take(tx, machine.cancel(sub, tx.now, "at the period's end"), otherwise=sub)
        return
    plan, price_minor = await _plan_of_next(tx, sub)
    step = machine.begin_renewal(sub, plan, price_minor, tx.now)
    await _charge_period(tx, await take(tx, step, otherwise=sub), plan)


async def _charge_period(tx: Transaction, sub: Subscription, plan: Plan) -> None:
    sale = Sale(
        kind="renewal",
        number=sub.period_number,
        plan=plan,
        price_minor=sub.price_minor,
        credit_minor=sub.credit_minor,
        coupon=await coupon_of(tx, sub),
    )
    made, order = await charge(tx, sub, sale)
    await follow_held(tx, sub, made, order)


async def _plan_of_next(tx: Transaction, sub: Subscription) -> tuple[Plan, int]:
    """Return the plan of the next period and its price; the present one keeps its price."""
    known = await plans.by_ids(tx, [sub.plan_id, sub.next_plan_id or sub.plan_id])
    if sub.next_plan_id is not None:
        try:
            chosen = known[sub.next_plan_id]
            return chosen.plan, chosen.price(sub.currency).amount_minor
        except PlanNotSoldInCurrencyError:
            _log.warning("subscriptions.change_lost", subscription=sub.id, plan=sub.next_plan_id)
    return known[sub.plan_id].plan, sub.price_minor


async def _try_again(tx: Transaction, sub: Subscription) -> None:
    """Have the charge tried once more, in a new order if the one before was given up."""
    await repository.postpone(tx, sub.id, tx.now + _LOOK_AGAIN)
    waiting = await charges.open_one(tx, sub.id)
    if waiting is not None:
        order = await orders.of(tx, waiting.order_id)
        sub = await follow_held(tx, sub, waiting, order)
        waiting = await charges.open_one(tx, sub.id)
    if sub.state != "past_due":
        return
    if waiting is not None:
        await charges.try_at(tx, waiting.id, tx.now)
        return
    plan = (await plans.by_ids(tx, [sub.plan_id]))[sub.plan_id].plan
    await _charge_period(tx, sub, plan)
