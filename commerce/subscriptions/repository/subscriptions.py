"""Subscriptions and their log. Whoever changes one holds its row first, an order's afterwards."""

from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.subscriptions.model import Step, Subscription
from protocol.ids import ProductId, SubscriptionId, UserId

_COLUMNS: Final[LiteralString] = """
    select id, user_id, product_id, plan_id, title, state, version, currency, country, price_minor,
           interval_unit, interval_count, time_zone, anchor_at, anchor_number, period_number,
           period_starts_at, period_ends_at, value_minor, value_from, credit_minor, created_at,
           next_plan_id, cancels_at_period_end, discount_id, discount_periods_left, method_id,
           failures, customer_tries, next_try_at, paused_at, resumes_at, ended_at
      from subscriptions
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"

_LOCK: Final[LiteralString] = _COLUMNS + " where id = $1 for update"

_OF_USER: Final[LiteralString] = (
    _COLUMNS
    + """
     where user_id = $1
       and id < coalesce($2, '~')
     order by id desc
     limit $3
"""
)

_DUE: Final[LiteralString] = (
    _COLUMNS
    + """
     where due_at <= $1
     order by due_at, id
     limit $2
       for update skip locked
"""
)

_ADD: Final[LiteralString] = """
    insert into subscriptions
           (id, user_id, product_id, plan_id, title, state, version, currency, country,
            price_minor, interval_unit, interval_count, time_zone, anchor_at, anchor_number,
            period_number, period_starts_at, period_ends_at, value_minor, value_from, credit_minor,
            created_at, next_plan_id, cancels_at_period_end, discount_id, discount_periods_left,
            method_id, failures, customer_tries, next_try_at, paused_at, resumes_at, ended_at,
            due_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)
        on conflict (user_id, product_id)
           where state not in ('incomplete_expired', 'canceled')
        do nothing
"""

_MOVE: Final[LiteralString] = """
    update subscriptions
       set (user_id, product_id, plan_id, title, state, version, currency, country, price_minor,
            interval_unit, interval_count, time_zone, anchor_at, anchor_number, period_number,
            period_starts_at, period_ends_at, value_minor, value_from, credit_minor, created_at,
            next_plan_id, cancels_at_period_end, discount_id, discount_periods_left, method_id,
            failures, customer_tries, next_try_at, paused_at, resumes_at, ended_at, due_at)
         = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
            $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)
     where id = $1
       and version = $7 - 1
"""

_POSTPONE: Final[LiteralString] = "update subscriptions set due_at = $2 where id = $1"

_ADD_STEP: Final[LiteralString] = """
    insert into subscription_steps
           (subscription_id, version, fact, from_state, to_state, detail, at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""

_STEPS: Final[LiteralString] = """
    select version, fact, from_state, to_state, detail, at
      from subscription_steps
     where subscription_id = $1
     order by version
"""

_USE_TRIAL: Final[LiteralString] = """
    insert into trial_uses (product_id, used_by, subscription_id, at)
    select $1, used_by, $3, $4
      from unnest($2::text[]) used_by
     order by used_by
        on conflict (product_id, used_by) do nothing
"""

_ENTITLED: Final[LiteralString] = """
    select distinct unnest(plan.entitlements) as name
      from subscriptions sub
      join plans plan
        on plan.id = sub.plan_id
     where sub.user_id = $1
       and sub.state in ('trialing', 'active', 'past_due')
     order by name
"""

_ASTRAY: Final[LiteralString] = """
    select charge.subscription_id as id,
           charge.id || ' is ' || charge.state || ', its order ' || ordered.state as why
      from subscription_charges charge
      join orders ordered
        on ordered.id = charge.order_id
     where (charge.state in ('paid', 'returned') and ordered.paid_at is null)
        or ordered.subscription_id is distinct from charge.subscription_id
     union all
    select sub.id, 'it is ' || sub.state || ', and something is charged for it'
      from subscriptions sub
      join subscription_charges charge
        on charge.subscription_id = sub.id
     where charge.state = 'open'
       and sub.state in ('incomplete_expired', 'canceled', 'paused')
     union all
    select sub.id, 'its log ends with another step'
      from subscriptions sub
      left join subscription_steps step
        on step.subscription_id = sub.id
       and step.version = sub.version
     where sub.version > 0
       and step.to_state is distinct from sub.state
     limit 20
"""


class StepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the log."""

    version: int
    fact: str
    from_state: str
    to_state: str
    detail: str
    at: datetime


class Astray(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that is not as it must be."""

    id: SubscriptionId
    why: str


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    name: str


async def find(tx: Transaction, subscription: SubscriptionId) -> Subscription | None:
    """Return a subscription."""
    return await tx.one_or_none(Subscription, _FIND, subscription)


async def lock(tx: Transaction, subscription: SubscriptionId) -> Subscription | None:
    """Return a subscription, and hold it until the transaction ends."""
    return await tx.one_or_none(Subscription, _LOCK, subscription)


async def of_user(
    tx: Transaction, user: UserId, *, after: SubscriptionId | None, limit: int
) -> list[Subscription]:
    """Return a user's subscriptions, the newest first."""
    return await tx.all(Subscription, _OF_USER, user, after, limit)


async def lock_due(tx: Transaction, *, limit: int) -> list[Subscription]:
    """Return those the clock has something to do with, and hold them."""
    return await tx.all(Subscription, _DUE, tx.now, limit)


async def add(tx: Transaction, sub: Subscription) -> bool:
    """Write a new subscription; False if the user has one of that product."""
    return await tx.execute(_ADD, *msgspec.structs.astuple(sub), sub.due_at) == 1


async def move(tx: Transaction, sub: Subscription) -> bool:
    """Write what a step made of a subscription; False if it is at another version."""
    return await tx.execute(_MOVE, *msgspec.structs.astuple(sub), sub.due_at) == 1


async def postpone(tx: Transaction, subscription: SubscriptionId, until: datetime) -> None:
    """Let the clock look at it again later."""
    await tx.execute(_POSTPONE, subscription, until)


async def add_step(tx: Transaction, step: Step) -> None:
    """Write a step into the log."""
    after = step.after
    await tx.execute(
        _ADD_STEP,
        after.id,
        after.version,
        step.fact,
        step.before.state,
        after.state,
        step.detail,
        tx.now,
    )


async def steps(tx: Transaction, subscription: SubscriptionId) -> list[StepTaken]:
    """Return what happened to a subscription, in order."""
    return await tx.all(StepTaken, _STEPS, subscription)


async def use_trial(
    tx: Transaction, product: ProductId, used_by: list[str], subscription: SubscriptionId
) -> bool:
    """Take the one trial of each of these; False if one of them has had it."""
    taken = await tx.execute(_USE_TRIAL, product, used_by, subscription, tx.now)
    return taken == len(used_by)


async def entitled(tx: Transaction, user: UserId) -> list[str]:
    """Return what a user's subscriptions entitle to."""
    return [each.name for each in await tx.all(_Named, _ENTITLED, user)]


async def astray(tx: Transaction) -> list[Astray]:
    """Return subscriptions that are not as they must be."""
    return await tx.all(Astray, _ASTRAY)
