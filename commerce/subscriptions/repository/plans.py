"""Plans and their prices."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.subscriptions.model import Plan, PlanPrice, PricedPlan
from protocol.ids import PlanId

_COLUMNS: Final[LiteralString] = """
    select id, product_id, variant_id, title, interval_unit, interval_count, trial_days,
           coupon_periods, entitlements, active, created_at
      from plans
"""

_BY_IDS: Final[LiteralString] = _COLUMNS + " where id = any($1::text[])"

_OFFERED: Final[LiteralString] = (
    _COLUMNS
    + """
     where active
       and id > coalesce($1, '')
     order by id
     limit $2
"""
)

_PRICES: Final[LiteralString] = """
    select plan_id, currency, amount_minor
      from plan_prices
     where plan_id = any($1::text[])
     order by plan_id, position
"""

_ADD: Final[LiteralString] = """
    insert into plans
           (id, product_id, variant_id, title, interval_unit, interval_count, trial_days,
            coupon_periods, entitlements, active, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (id) do nothing
"""

_ADD_PRICE: Final[LiteralString] = """
    insert into plan_prices (plan_id, currency, amount_minor, position)
    values ($1, $2, $3, $4)
"""

_END: Final[LiteralString] = "update plans set active = false where id = $1"


async def by_ids(tx: Transaction, plans: Sequence[PlanId]) -> dict[PlanId, PricedPlan]:
    """Return plans with their prices, whether they are offered or not."""
    return {each.plan.id: each for each in await _priced(tx, await tx.all(Plan, _BY_IDS, plans))}


async def offered(tx: Transaction, *, after: PlanId | None, limit: int) -> list[PricedPlan]:
    """Return what may be subscribed to, the oldest first."""
    return await _priced(tx, await tx.all(Plan, _OFFERED, after, limit))


async def add(tx: Transaction, priced: PricedPlan) -> bool:
    """Write a new plan; False if it is there."""
    if not await tx.execute(_ADD, *msgspec.structs.astuple(priced.plan)):
        return False
    await tx.execute_many(
        _ADD_PRICE,
        [
            (price.plan_id, price.currency, price.amount_minor, position)
            for position, price in enumerate(priced.prices)
        ],
    )
    return True


async def end(tx: Transaction, plan: PlanId) -> None:
    """Offer a plan no longer."""
    await tx.execute(_END, plan)


async def _priced(tx: Transaction, found: Sequence[Plan]) -> list[PricedPlan]:
    prices: defaultdict[PlanId, list[PlanPrice]] = defaultdict(list)
    for price in await tx.all(PlanPrice, _PRICES, [plan.id for plan in found]):
        prices[price.plan_id].append(price)
    return [PricedPlan(plan=plan, prices=tuple(prices[plan.id])) for plan in found]
