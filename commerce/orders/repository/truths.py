"""What must be true of orders, asked of the whole of them."""

from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from protocol.views import OrderState

_UNWHOLE: Final[LiteralString] = """
    select orders.id || ' is at version ' || orders.version || ', its log has '
           || count(step.seq) || ' steps up to ' || coalesce(max(step.seq), 0) as breach
      from orders
      left join order_events step
        on step.order_id = orders.id
     group by orders.id
    having orders.version <> count(step.seq)
        or orders.version <> coalesce(max(step.seq), 0)
     limit 20
"""

_UNSUMMED: Final[LiteralString] = """
    select orders.id || ' comes to ' || orders.total_minor || ', its lines to '
           || coalesce(sum(line.total_minor), 0) as breach
      from orders
      left join order_lines line
        on line.order_id = orders.id
     group by orders.id
    having (orders.subtotal_minor, orders.discount_minor, orders.tax_minor, orders.total_minor,
            orders.refunded_minor)
        <> (coalesce(sum(line.unit_price_minor * line.quantity), 0),
            coalesce(sum(line.discount_minor), 0),
            coalesce(sum(line.tax_minor), 0),
            coalesce(sum(line.total_minor), 0),
            coalesce(sum(line.refunded_minor), 0))
     limit 20
"""

_UNFOLDED: Final[LiteralString] = """
    select id || ' is ' || state || ' with ' || captured_minor || ' captured and '
           || refunded_minor || ' given back of ' || total_minor as breach
      from orders
     where case
             when state in ('draft', 'awaiting_payment', 'processing', 'canceled', 'expired')
               then captured_minor > 0 or paid_at is not null
             when state = 'refunded' then refunded_minor < captured_minor
             when state = 'partially_refunded'
               then refunded_minor = 0 or refunded_minor = captured_minor
             else refunded_minor > 0 or captured_minor < total_minor or paid_at is null
           end
     limit 20
"""

_STEPS: Final[LiteralString] = """
    select from_state, to_state, type, min(order_id) as order_id
      from order_events
     group by from_state, to_state, type
"""


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    breach: str


class StepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of step that was taken, and the first order that took it."""

    from_state: OrderState
    to_state: OrderState
    type: str
    order_id: str


async def unwhole(tx: Transaction) -> list[str]:
    """Return what is wrong with logs: a step that is missing, or one too many."""
    return [row.breach for row in await tx.all(_Found, _UNWHOLE)]


async def unsummed(tx: Transaction) -> list[str]:
    """Return what is wrong with sums."""
    return [row.breach for row in await tx.all(_Found, _UNSUMMED)]


async def unfolded(tx: Transaction) -> list[str]:
    """Return what is wrong with states and the money they are folded from."""
    return [row.breach for row in await tx.all(_Found, _UNFOLDED)]


async def steps_taken(tx: Transaction) -> list[StepTaken]:
    """Return every kind of step that was ever taken."""
    return await tx.all(StepTaken, _STEPS)
