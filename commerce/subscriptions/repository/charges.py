"""What subscriptions are charged."""

from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.subscriptions.model import Charge, ChargeState
from protocol.ids import OrderId, SubscriptionId

_COLUMNS: Final[LiteralString] = """
    select id, subscription_id, kind, number, order_id, state, plan_id, from_plan_id, price_minor,
           due_minor, value_minor, credit_delta_minor, takes_coupon, created_at, failed_seq, try_at,
           settled_at
      from subscription_charges
"""

_OF_ORDER: Final[LiteralString] = _COLUMNS + " where order_id = $1"

_OPEN: Final[LiteralString] = _COLUMNS + " where subscription_id = $1 and state = 'open'"

_OPEN_OF_ALL: Final[LiteralString] = (
    _COLUMNS + " where subscription_id = any($1::text[]) and state = 'open'"
)

_OF: Final[LiteralString] = _COLUMNS + " where subscription_id = $1 order by id desc limit $2"

_TO_TRY: Final[LiteralString] = (
    _COLUMNS
    + """
     where state = 'open'
       and try_at <= $1
     order by try_at, id
     limit $2
"""
)

_TO_CANCEL: Final[LiteralString] = """
    select charge.order_id as id
      from subscription_charges charge
      join orders ordered
        on ordered.id = charge.order_id
     where charge.state = 'void'
       and charge.settled_at > $1
       and ordered.state = 'awaiting_payment'
     order by charge.id
     limit $2
"""

_TO_FOLLOW: Final[LiteralString] = """
    select charge.order_id as id
      from subscription_charges charge
      join orders ordered
        on ordered.id = charge.order_id
     where charge.state = 'open'
       and ordered.state <> 'awaiting_payment'
       and ordered.state <> 'processing'
     order by charge.id
     limit $1
"""

_ADD: Final[LiteralString] = """
    insert into subscription_charges
           (id, subscription_id, kind, number, order_id, state, plan_id, from_plan_id, price_minor,
            due_minor, value_minor, credit_delta_minor, takes_coupon, created_at, failed_seq,
            try_at, settled_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""

_SETTLE: Final[LiteralString] = """
    update subscription_charges
       set state = $2,
           settled_at = $3,
           try_at = null
     where id = $1
       and state <> $2
"""

_FAILED: Final[LiteralString] = """
    update subscription_charges
       set failed_seq = $2,
           try_at = null
     where id = $1
       and failed_seq < $2
"""

_TRY: Final[LiteralString] = """
    update subscription_charges
       set try_at = $2
     where id = $1
       and state = 'open'
"""


class _OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    id: OrderId


async def of_order(tx: Transaction, order: OrderId) -> Charge | None:
    """Return what an order is charged for."""
    return await tx.one_or_none(Charge, _OF_ORDER, order)


async def open_one(tx: Transaction, subscription: SubscriptionId) -> Charge | None:
    """Return what waits for its money."""
    return await tx.one_or_none(Charge, _OPEN, subscription)


async def open_of(
    tx: Transaction, subscriptions: list[SubscriptionId]
) -> dict[SubscriptionId, Charge]:
    """Return what waits for its money, of each of these."""
    found = await tx.all(Charge, _OPEN_OF_ALL, subscriptions)
    return {each.subscription_id: each for each in found}


async def of(tx: Transaction, subscription: SubscriptionId, *, limit: int) -> list[Charge]:
    """Return what a subscription was charged, the newest first."""
    return await tx.all(Charge, _OF, subscription, limit)


async def to_try(tx: Transaction, *, limit: int) -> list[Charge]:
    """Return what is to be charged to a stored method now."""
    return await tx.all(Charge, _TO_TRY, tx.now, limit)


async def to_cancel(tx: Transaction, *, since: datetime, limit: int) -> list[OrderId]:
    """Return orders that still wait for money that nobody wants any more."""
    return [each.id for each in await tx.all(_OrderRow, _TO_CANCEL, since, limit)]


async def to_follow(tx: Transaction, *, limit: int) -> list[OrderId]:
    """Return orders that went on while nobody listened."""
    return [each.id for each in await tx.all(_OrderRow, _TO_FOLLOW, limit)]


async def add(tx: Transaction, charge: Charge) -> None:
    """Write a new charge."""
    await tx.execute(_ADD, *msgspec.structs.astuple(charge))


async def settle(tx: Transaction, charge: str, state: ChargeState) -> bool:
    """Say how a charge ended; False if that is known."""
    return await tx.execute(_SETTLE, charge, state, tx.now) == 1


async def failed(tx: Transaction, charge: str, seq: int) -> bool:
    """Say which failure of its order was followed; False if that is known."""
    return await tx.execute(_FAILED, charge, seq) == 1


async def try_at(tx: Transaction, charge: str, at: datetime | None) -> None:
    """Say when a charge is to be tried."""
    await tx.execute(_TRY, charge, at)
