"""Every line of SQL about grants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.delivery.model import Grant, GrantStep, ProductBenefit
from commerce.foundation.database import Transaction
from protocol.ids import GrantId, OrderId, ProductId, UserId

_COLUMNS: Final[LiteralString] = """
    select id, order_id, line_id, product_id, holder_id, title, benefit, on_refund, state, version,
           units_bought, units, is_lost, order_version, attempts, next_try_at, last_error,
           granted_at
      from grants
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"

_OF_ORDER: Final[LiteralString] = _COLUMNS + " where order_id = $1 order by id"

_LOCK_OF_ORDER: Final[LiteralString] = _OF_ORDER + " for update"

_OF_HOLDER: Final[LiteralString] = (
    _COLUMNS
    + """
     where holder_id = $1
       and ($2::text is null or id < $2)
     order by id desc
     limit $3
"""
)

_ORDERS_TO_TRY: Final[LiteralString] = """
    select order_id as id
      from grants
     where state = 'pending'
       and next_try_at <= $1
     order by next_try_at, order_id
     limit $2
"""

_ORDERS_UNHEARD: Final[LiteralString] = """
    select bought.id
      from orders bought
     where bought.state = 'paid'
       and not bought.held
       and bought.paid_at >= $1
       and bought.paid_at < $2
       and not exists (select from grants where order_id = bought.id)
     order by bought.id
     limit $3
"""

_BENEFITS: Final[LiteralString] = """
    select product_id, benefit, on_refund
      from product_benefits
     where product_id = any($1::text[])
     order by product_id, benefit
"""

_SET_BENEFIT: Final[LiteralString] = """
    insert into product_benefits (product_id, benefit, on_refund)
    values ($1, $2, $3)
        on conflict (product_id, benefit) do update
       set on_refund = excluded.on_refund
"""

_ADD: Final[LiteralString] = """
    insert into grants (
        id, order_id, line_id, product_id, holder_id, title, benefit, on_refund, state, version,
        units_bought, units, order_version, next_try_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (line_id, benefit) do nothing
"""

_SAVE: Final[LiteralString] = """
    update grants
       set state = $2, version = $3, units = $4, is_lost = $5, order_version = $6, attempts = $7,
           next_try_at = $8, last_error = $9, granted_at = $10
     where id = $1
"""

_ADD_STEP: Final[LiteralString] = """
    insert into grant_steps (grant_id, version, from_state, to_state, units, at)
    values ($1, $2, $3, $4, $5, $6)
"""

# A grant of access has the id of its line, so that the same orders always get the same grants.
_ADOPT: Final[LiteralString] = """
    insert into grants (
        id, order_id, line_id, product_id, holder_id, title, benefit, on_refund, state,
        units_bought, units, order_version, granted_at
    )
    select 'grn_' || substr(line.id, 5), bought.id, line.id, line.product_id, bought.buyer_id,
           line.title, 'access', 'revoke',
           case bought.state when 'paid' then 'pending' else 'granted' end,
           line.quantity, line.quantity, bought.version,
           case bought.state when 'paid' then null else bought.placed_at end
      from orders bought
      join order_lines line
        on line.order_id = bought.id
     where bought.id = any($1::text[])
       and bought.state in ('paid', 'fulfilled')
        on conflict do nothing
"""


_LINES_WITHOUT_GRANTS: Final[LiteralString] = """
    select line.id
      from orders bought
      join order_lines line
        on line.order_id = bought.id
     where bought.state = 'fulfilled'
       and bought.fulfilled_at < $1
       and not exists (select from grants where line_id = line.id)
     limit 20
"""

# What just happened is still on its way to delivery, and is left out.
_GRANTS_OF_THE_REFUNDED: Final[LiteralString] = """
    select held.id
      from orders bought
      join grants held
        on held.order_id = bought.id
     where held.state <> 'revoked'
       and ((bought.state = 'refunded' and held.on_refund <> 'keep') or bought.dispute = 'lost')
       and not exists (
               select from order_events
                where order_id = bought.id
                  and at > $1
           )
     limit 20
"""


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    id: str


async def find(tx: Transaction, grant: GrantId) -> Grant | None:
    """Return a grant."""
    return await tx.one_or_none(Grant, _FIND, grant)


async def of_order(tx: Transaction, order: OrderId) -> list[Grant]:
    """Return the grants of an order, in order."""
    return await tx.all(Grant, _OF_ORDER, order)


async def lock_of_order(tx: Transaction, order: OrderId) -> list[Grant]:
    """Return the grants of an order and hold them until the transaction ends."""
    return await tx.all(Grant, _LOCK_OF_ORDER, order)


async def of_holder(
    tx: Transaction, holder: UserId, *, after: GrantId | None, limit: int
) -> list[Grant]:
    """Return a holder's grants, the newest first."""
    return await tx.all(Grant, _OF_HOLDER, holder, after, limit)


async def orders_to_try(tx: Transaction, now: datetime, *, limit: int) -> list[OrderId]:
    """Return orders with grants that are due for another try, those that wait longest first."""
    rows = await tx.all(_Identity, _ORDERS_TO_TRY, now, limit)
    return list(dict.fromkeys(OrderId(row.id) for row in rows))


async def orders_unheard(
    tx: Transaction, *, paid_from: datetime, paid_until: datetime, limit: int
) -> list[OrderId]:
    """Return paid orders that have no grants at all, though they were paid a while ago."""
    rows = await tx.all(_Identity, _ORDERS_UNHEARD, paid_from, paid_until, limit)
    return [OrderId(row.id) for row in rows]


async def benefits(tx: Transaction, products: Sequence[ProductId]) -> list[ProductBenefit]:
    """Return what products come with, besides access."""
    return await tx.all(ProductBenefit, _BENEFITS, list(products))


async def set_benefit(tx: Transaction, benefit: ProductBenefit) -> None:
    """Write down one thing that a product comes with, from now on."""
    await tx.execute(_SET_BENEFIT, benefit.product_id, benefit.benefit, benefit.on_refund)


async def add(tx: Transaction, fresh: Sequence[Grant]) -> None:
    """Write new grants; those that are there already stay as they are."""
    await tx.execute_many(
        _ADD,
        [
            (
                each.id,
                each.order_id,
                each.line_id,
                each.product_id,
                each.holder_id,
                each.title,
                each.benefit,
                each.on_refund,
                each.state,
                each.version,
                each.units_bought,
                each.units,
                each.order_version,
                each.next_try_at,
            )
            for each in fresh
        ],
    )


async def save(tx: Transaction, grants: Sequence[Grant]) -> None:
    """Write where grants that are held stand now."""
    await tx.execute_many(
        _SAVE,
        [
            (
                each.id,
                each.state,
                each.version,
                each.units,
                each.is_lost,
                each.order_version,
                each.attempts,
                each.next_try_at,
                each.last_error,
                each.granted_at,
            )
            for each in grants
        ],
    )


async def add_steps(tx: Transaction, steps: Sequence[GrantStep]) -> None:
    """Write down what happened to grants."""
    await tx.execute_many(
        _ADD_STEP,
        [
            (each.grant_id, each.version, each.from_state, each.to_state, each.units, each.at)
            for each in steps
        ],
    )


async def lines_without_grants(tx: Transaction, *, seen_before: datetime) -> list[str]:
    """Return lines of orders, fulfilled before a moment, by which nobody has anything."""
    return [row.id for row in await tx.all(_Identity, _LINES_WITHOUT_GRANTS, seen_before)]


async def grants_of_the_refunded(tx: Transaction, *, seen_before: datetime) -> list[str]:
    """Return grants that stand though the money is back, and was before a moment."""
    return [row.id for row in await tx.all(_Identity, _GRANTS_OF_THE_REFUNDED, seen_before)]


async def adopt(tx: Transaction, orders: Sequence[OrderId]) -> None:
    """Give orders that were brought in from elsewhere their grants of access."""
    await tx.execute(_ADOPT, list(orders))
