"""Every line of SQL about payments."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.payments.model import Attempt
from protocol.ids import OrderId, PaymentId, UserId
from protocol.views import PaymentState

_COLUMNS: Final = (
    "id",
    "order_id",
    "buyer_id",
    "version",
    "state",
    "amount_minor",
    "currency",
    "captured_minor",
    "off_session",
    "saves_method",
    "method_id",
    "submissions",
    "submitted_at",
    "intent_id",
    "client_secret",
    "charge_id",
    "failure",
    "observed_at",
    "created_by_run",
    "created_at",
)
_SELECT: Final[LiteralString] = """
    select id, order_id, buyer_id, version, state, amount_minor, currency, captured_minor,
           off_session, saves_method, method_id, submissions, submitted_at, intent_id,
           client_secret, charge_id, failure, observed_at, created_by_run, created_at
      from payments
"""
_ADD: Final[LiteralString] = """
    insert into payments
           (id, order_id, buyer_id, version, state, amount_minor, currency, captured_minor,
            off_session, saves_method, method_id, submissions, submitted_at, intent_id,
            client_secret, charge_id, failure, observed_at, created_by_run, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
            $20)
        on conflict (order_id) where state not in ('failed', 'canceled') do nothing
"""
_SAVE: Final[LiteralString] = """
    update payments
       set version = $3, state = $4, captured_minor = $5, method_id = $6, submissions = $7,
           submitted_at = $8, intent_id = $9, client_secret = $10, charge_id = $11, failure = $12,
           observed_at = $13
     where id = $1
       and version = $2
"""
_LOCK: Final[LiteralString] = _SELECT + " where id = $1 for update"
_FIND: Final[LiteralString] = _SELECT + " where id = $1"
_BY_INTENT: Final[LiteralString] = _SELECT + " where intent_id = $1"
_BY_CHARGE: Final[LiteralString] = _SELECT + " where charge_id = $1"
_OF_ORDER: Final[LiteralString] = _SELECT + " where order_id = $1 order by id desc limit $2"
_LIVE: Final[LiteralString] = (
    _SELECT + " where order_id = $1 and state not in ('failed', 'canceled')"
)
_UNSETTLED: Final[LiteralString] = (
    _SELECT
    + """
     where state in ('created', 'submitting', 'requires_method', 'requires_action', 'processing',
                     'unknown')
       and state = any($1::text[])
       and submitted_at < $2
       and id > $3
     order by id
     limit $4
"""
)
_CUSTOMER: Final[LiteralString] = "select customer_id from payment_customers where user_id = $1"
_ADD_CUSTOMER: Final[LiteralString] = """
    insert into payment_customers (user_id, customer_id, created_at)
    values ($1, $2, $3)
        on conflict do nothing
"""
_TAKEN_TWICE: Final[LiteralString] = """
    select order_id
      from payments
     where state = 'succeeded'
     group by order_id
    having count(*) > 1
     limit $1
"""


class _OrderIdentity(msgspec.Struct, frozen=True, kw_only=True):
    order_id: OrderId


async def add(tx: Transaction, attempt: Attempt) -> bool:
    """Write a new attempt, unless its order has one that is not over; say whether it was."""
    values = [getattr(attempt, column) for column in _COLUMNS]
    return await tx.execute(_ADD, *values) == 1


async def save(tx: Transaction, before: Attempt, after: Attempt) -> None:
    """Write an attempt that is locked and was changed."""
    done = await tx.execute(
        _SAVE,
        after.id,
        before.version,
        after.version,
        after.state,
        after.captured_minor,
        after.method_id,
        after.submissions,
        after.submitted_at,
        after.intent_id,
        after.client_secret,
        after.charge_id,
        after.failure,
        after.observed_at,
    )
    assert done == 1


async def lock(tx: Transaction, payment: PaymentId) -> Attempt | None:
    """Return an attempt, and hold it until the transaction ends."""
    return await tx.one_or_none(Attempt, _LOCK, payment)


async def find(tx: Transaction, payment: PaymentId) -> Attempt | None:
    """Return an attempt."""
    return await tx.one_or_none(Attempt, _FIND, payment)


async def by_intent(tx: Transaction, intent: str) -> Attempt | None:
    """Return the attempt of one of Stripe's intents."""
    return await tx.one_or_none(Attempt, _BY_INTENT, intent)


async def by_charge(tx: Transaction, charge: str) -> Attempt | None:
    """Return the attempt of one of Stripe's charges."""
    return await tx.one_or_none(Attempt, _BY_CHARGE, charge)


async def live(tx: Transaction, order: OrderId) -> Attempt | None:
    """Return the one attempt of an order that is not over."""
    return await tx.one_or_none(Attempt, _LIVE, order)


async def of_order(tx: Transaction, order: OrderId, *, limit: int) -> list[Attempt]:
    """Return the attempts of an order, the newest first."""
    return await tx.all(Attempt, _OF_ORDER, order, limit)


async def unsettled(
    tx: Transaction,
    states: Iterable[PaymentState],
    *,
    before: datetime,
    after: PaymentId | None,
    limit: int,
) -> list[Attempt]:
    """Return attempts in these states that were submitted before a moment, the oldest first."""
    return await tx.all(Attempt, _UNSETTLED, list(states), before, after or "", limit)


async def customer(tx: Transaction, user: UserId) -> str | None:
    """Return who a user is at Stripe."""
    return await tx.value(str | None, _CUSTOMER, user)  # type: ignore[arg-type]  # a union, which msgspec takes


async def add_customer(tx: Transaction, user: UserId, customer_id: str) -> None:
    """Write down who a user is at Stripe, unless it is known."""
    await tx.execute(_ADD_CUSTOMER, user, customer_id, tx.now)


async def paid_twice(tx: Transaction, *, limit: int) -> Sequence[OrderId]:
    """Return orders that more than one attempt paid for: there must be none."""
    return [row.order_id for row in await tx.all(_OrderIdentity, _TAKEN_TWICE, limit)]
