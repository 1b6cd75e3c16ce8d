"""What is there, and what of it is kept for orders. The products are held by the caller."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from protocol.ids import OrderId, VariantId

_SET_STOCK: Final[LiteralString] = """
    update variants
       set on_hand = $2::integer + reserved
     where id = $1
"""

# One row for each variant that is newly kept, whether or not there was enough of it.
_RESERVE: Final[LiteralString] = """
    with kept as (
        insert into reservations (order_id, variant_id, quantity, expires_at)
        select $1, variant_id, quantity, $4
          from unnest($2::text[], $3::integer[]) as wanted (variant_id, quantity)
            on conflict (order_id, variant_id) do update
           set state = 'held', quantity = excluded.quantity, expires_at = excluded.expires_at
         where reservations.state = 'released'
     returning variant_id, quantity
    ), taken as (
        update variants
           set reserved = reserved + kept.quantity
          from kept
         where id = kept.variant_id
           and (on_hand is null or on_hand - reserved >= kept.quantity)
     returning id
    )
    select kept.variant_id as variant, taken.id is not null as is_enough
      from kept
      left join taken on taken.id = kept.variant_id
     order by kept.variant_id
"""

_EXTEND: Final[LiteralString] = """
    update reservations
       set expires_at = $2
     where order_id = $1
       and state = 'held'
"""

_HELD: Final[LiteralString] = """
    select distinct variant_id as variant
      from reservations
     where order_id = any($1::text[])
       and state = 'held'
"""

_HOLD_PRODUCTS: Final[LiteralString] = """
    select id
      from products
     where id in (
           select variant.product_id
             from reservations kept
             join variants variant on variant.id = kept.variant_id
            where kept.order_id = $1
              and kept.state = 'held'
           )
     order by id
       for update
"""

_CONSUME: Final[LiteralString] = """
    with used as (
        update reservations
           set state = 'consumed'
         where order_id = $1
           and state = 'held'
     returning variant_id, quantity
    )
    update variants
       set on_hand = on_hand - used.quantity,
           reserved = reserved - used.quantity
      from used
     where id = used.variant_id
"""

_RELEASE: Final[LiteralString] = """
    with freed as (
        update reservations
           set state = 'released'
         where order_id = any($1::text[])
           and state = 'held'
     returning variant_id, quantity
    ), counted as (
        select variant_id, sum(quantity) as quantity from freed group by variant_id
    )
    update variants
       set reserved = reserved - counted.quantity
      from counted
     where id = counted.variant_id
"""

_PUT_BACK: Final[LiteralString] = """
    with wanted as (
        select kept.variant_id, kept.quantity_back as before,
               least(kept.quantity, greatest(kept.quantity_back, asked.quantity)) as in_all
          from unnest($2::text[], $3::integer[]) as asked (variant_id, quantity)
          join reservations kept
            on kept.order_id = $1 and kept.variant_id = asked.variant_id
           and kept.state = 'consumed'
    ), noted as (
        update reservations
           set quantity_back = wanted.in_all
          from wanted
         where order_id = $1
           and reservations.variant_id = wanted.variant_id
     returning wanted.variant_id, wanted.in_all - wanted.before as more
    )
    update variants
       set on_hand = on_hand + noted.more
      from noted
     where id = noted.variant_id
       and on_hand is not null
       and noted.more > 0
"""


class _ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _VariantRow(msgspec.Struct, frozen=True, kw_only=True):
    variant: VariantId


class _Newly(msgspec.Struct, frozen=True, kw_only=True):
    variant: VariantId
    is_enough: bool


async def set_stock(tx: Transaction, variant: VariantId, stock: int | None) -> None:
    """Write how many of a variant are left besides those kept for orders."""
    await tx.execute(_SET_STOCK, variant, stock)


async def reserve(
    tx: Transaction, order: OrderId, quantities: Mapping[VariantId, int], until: datetime
) -> list[VariantId]:
    """Keep so many of each variant for an order; return those of which there are too few."""
    rows = await tx.all(_Newly, _RESERVE, order, list(quantities), list(quantities.values()), until)
    return [row.variant for row in rows if not row.is_enough]


async def extend(tx: Transaction, order: OrderId, until: datetime) -> None:
    """Keep what is kept for an order until then."""
    await tx.execute(_EXTEND, order, until)


async def held_for(tx: Transaction, orders: Sequence[OrderId]) -> list[VariantId]:
    """Return the variants of which something is kept for one of these orders."""
    return [row.variant for row in await tx.all(_VariantRow, _HELD, orders)]


async def hold_products_kept(tx: Transaction, order: OrderId) -> bool:
    """Hold the products of what is kept for an order; say whether there are any."""
    return bool(await tx.all(_ProductRow, _HOLD_PRODUCTS, order))


async def consume(tx: Transaction, order: OrderId) -> None:
    """Let what is kept for an order leave the stock."""
    await tx.execute(_CONSUME, order)


async def release(tx: Transaction, orders: Sequence[OrderId]) -> bool:
    """Let what is kept for orders be sold to others; say whether there was anything."""
    return await tx.execute(_RELEASE, orders) > 0


async def put_back(tx: Transaction, order: OrderId, in_all: Mapping[VariantId, int]) -> bool:
    """Have so many in all of what an order used come back; say whether any did now."""
    return await tx.execute(_PUT_BACK, order, list(in_all), list(in_all.values())) > 0
