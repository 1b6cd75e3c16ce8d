"""Every line of SQL about discounts.

Whoever counts holds the discounts first, in the order of their ids.
"""

from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from commerce.discounts.model import Discount, RedemptionState
from commerce.foundation.database import Transaction
from protocol.ids import DiscountId, OrderId, UserId

_COLUMNS: Final[LiteralString] = """
    select id, code, title, kind, percent_ppm, amount_minor, currency, product_id,
           once_a_customer, redemptions_max, reserved, redeemed, starts_at, ends_at, created_at
      from discounts
"""

_BY_CODES: Final[LiteralString] = _COLUMNS + " where code = any($1::text[]) order by id"

_BY_ID: Final[LiteralString] = _COLUMNS + " where id = $1"

_HOLD: Final[LiteralString] = _COLUMNS + " where id = any($1::text[]) order by id for update"

_HOLD_OF_ORDER: Final[LiteralString] = """
    select id
      from discounts
     where id in (
           select discount_id
             from discount_redemptions
            where order_id = $1
              and state = 'reserved'
           )
     order by id
       for update
"""

_NEWEST: Final[LiteralString] = (
    _COLUMNS
    + """
     where id < coalesce($1, '~')
     order by id desc
     limit $2
"""
)

_ADD: Final[LiteralString] = """
    insert into discounts
           (id, code, title, kind, percent_ppm, amount_minor, currency, product_id,
            once_a_customer, redemptions_max, reserved, redeemed, starts_at, ends_at, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (code) do nothing
"""

_END: Final[LiteralString] = """
    update discounts
       set ends_at = greatest(starts_at, $2)
     where id = $1
       and (ends_at is null or ends_at > $2)
"""

_USES: Final[LiteralString] = """
    select discount_id, order_id, state
      from discount_redemptions
     where order_id = $1
       and discount_id = any($3::text[])
     union all
    select discount_id, order_id, state
      from discount_redemptions
     where discount_id = any($3::text[])
       and customer_id = $2
       and once
       and state <> 'released'
       and order_id <> $1
"""

_RESERVE: Final[LiteralString] = """
    with counted as (
        update discounts
           set reserved = reserved + 1
         where id = any($4::text[])
           and (redemptions_max is null or reserved + redeemed < redemptions_max)
     returning id, once_a_customer
    )
    insert into discount_redemptions (discount_id, order_id, customer_id, once, state, at)
    select id, $1, $2, once_a_customer, 'reserved', $3
      from counted
        on conflict (order_id, discount_id) do update
       set state = 'reserved', at = excluded.at
"""

_REDEEM: Final[LiteralString] = """
    with used as (
        update discount_redemptions
           set state = 'redeemed', at = $2
         where order_id = $1
           and state = 'reserved'
     returning discount_id
    )
    update discounts
       set reserved = reserved - 1, redeemed = redeemed + 1
      from used
     where id = used.discount_id
"""

_RELEASE: Final[LiteralString] = """
    with freed as (
        update discount_redemptions
           set state = 'released', at = $2
         where order_id = $1
           and state = 'reserved'
     returning discount_id
    )
    update discounts
       set reserved = reserved - 1
      from freed
     where id = freed.discount_id
"""

_MISCOUNTED: Final[LiteralString] = """
    select discount.code || ' counts ' || discount.reserved || ' and ' || discount.redeemed
           || ', its orders are ' || coalesce(used.reserved, 0) || ' and '
           || coalesce(used.redeemed, 0) as breach
      from discounts discount
      left join (
           select discount_id as id,
                  count(*) filter (where state = 'reserved') as reserved,
                  count(*) filter (where state = 'redeemed') as redeemed
             from discount_redemptions
            group by discount_id
           ) used using (id)
     where (discount.reserved, discount.redeemed)
           is distinct from (coalesce(used.reserved, 0), coalesce(used.redeemed, 0))
     limit $1
"""


class _Breach(msgspec.Struct, frozen=True, kw_only=True):
    breach: str


class _DiscountRow(msgspec.Struct, frozen=True, kw_only=True):
    id: DiscountId


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What an order made of a discount."""

    discount_id: DiscountId
    order_id: OrderId
    state: RedemptionState


async def by_codes(tx: Transaction, codes: Sequence[str]) -> list[Discount]:
    """Return the discounts that have these codes."""
    return await tx.all(Discount, _BY_CODES, codes)


async def by_id(tx: Transaction, discount: DiscountId) -> Discount | None:
    """Return a discount."""
    return await tx.one_or_none(Discount, _BY_ID, discount)


async def newest(tx: Transaction, *, after: DiscountId | None, limit: int) -> list[Discount]:
    """Return discounts, the newest first."""
    return await tx.all(Discount, _NEWEST, after, limit)


async def add(tx: Transaction, discount: Discount) -> bool:
    """Write a new discount; False if its code is taken."""
    return await tx.execute(_ADD, *msgspec.structs.astuple(discount)) == 1


async def end(tx: Transaction, discount: DiscountId) -> None:
    """Let a discount hold no longer than now."""
    await tx.execute(_END, discount, tx.now)


async def hold(tx: Transaction, discounts: Sequence[DiscountId]) -> list[Discount]:
    """Return discounts as they are, and hold them until the transaction ends."""
    return await tx.all(Discount, _HOLD, discounts)


async def hold_of(tx: Transaction, order: OrderId) -> bool:
    """Hold the discounts that are reserved for an order; say whether there are any."""
    return bool(await tx.all(_DiscountRow, _HOLD_OF_ORDER, order))


async def uses(
    tx: Transaction, order: OrderId, customer: UserId, discounts: Sequence[DiscountId]
) -> list[Use]:
    """Return what this order made of discounts, and other orders of the customer where once."""
    return await tx.all(Use, _USES, order, customer, discounts)


async def reserve(
    tx: Transaction, order: OrderId, customer: UserId, discounts: Sequence[DiscountId]
) -> int:
    """Count an order in; return in how many of the discounts there was room for it."""
    return await tx.execute(_RESERVE, order, customer, tx.now, discounts)


async def redeem(tx: Transaction, order: OrderId) -> None:
    """Count an order's discounts as used for good."""
    await tx.execute(_REDEEM, order, tx.now)


async def release(tx: Transaction, order: OrderId) -> None:
    """Let others have an order's discounts."""
    await tx.execute(_RELEASE, order, tx.now)


async def miscounted(tx: Transaction, limit: int) -> list[str]:
    """Return a sentence for each discount whose counts are not those of its orders."""
    return [row.breach for row in await tx.all(_Breach, _MISCOUNTED, limit)]
