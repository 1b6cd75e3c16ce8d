"""Every line of SQL about what Stripe tells."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, LiteralString

from commerce.foundation.database import Transaction
from commerce.settlement.model import State, StripeEvent, Taken

LEASE_SECONDS: Final = 60
"""After so long another worker takes up what one has taken and not finished."""

_ADD: Final[LiteralString] = """
    insert into stripe_events
           (id, type, object_id, livemode, api_version, created_at, payload, received_at, state,
            due_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8)
        on conflict (id) do nothing
"""
_TAKE: Final[LiteralString] = """
    update stripe_events
       set attempts = attempts + 1,
           due_at = $3
     where id in (select id
                    from stripe_events
                   where state = 'pending'
                     and due_at <= $1
                   order by due_at, id
                   limit $2
                     for update skip locked)
    returning id, type, object_id, payload, attempts
"""
_CONCLUDE: Final[LiteralString] = """
    update stripe_events
       set state = $2,
           last_error = $3
     where id = any($1)
       and state = 'pending'
"""
_POSTPONE: Final[LiteralString] = """
    update stripe_events
       set due_at = $2,
           last_error = $3
     where id = $1
       and state = 'pending'
"""
_AGAIN: Final[LiteralString] = """
    update stripe_events
       set state = 'pending',
           attempts = 0,
           due_at = $4
     where state <> 'pending'
       and object_id is not null
       and type = any($5)
       and ($1::text[] is null or id = any($1))
       and ($2::timestamptz is null or received_at >= $2)
       and (not $3 or state = 'dead')
"""
_FORGET: Final[LiteralString] = """
    delete from stripe_events
     where received_at < $1
       and state in ('done', 'ignored')
"""
_WAITING: Final[LiteralString] = "select count(*) from stripe_events where state = $1"


async def add(tx: Transaction, event: StripeEvent, *, state: State) -> bool:
    """Write down an event, unless it is known; say whether it was new."""
    return bool(
        await tx.execute(
            _ADD,
            event.id,
            event.type,
            event.object_id,
            event.livemode,
            event.api_version,
            event.created_at,
            event.payload,
            tx.now,
            state,
        )
    )


async def take(tx: Transaction, *, limit: int) -> list[Taken]:
    """Take up the events that are due and that no other worker has; they are ours for a while."""
    until = tx.now + timedelta(seconds=LEASE_SECONDS)
    return await tx.all(Taken, _TAKE, tx.now, limit, until)


async def conclude(
    tx: Transaction, ids: Sequence[str], state: State, *, why: str | None = None
) -> None:
    """Be done with events."""
    await tx.execute(_CONCLUDE, list(ids), state, why)


async def postpone(tx: Transaction, event: str, *, until: datetime, why: str) -> None:
    """Take up an event again later."""
    await tx.execute(_POSTPONE, event, until, why)


async def again(
    tx: Transaction,
    *,
    ids: Sequence[str] | None,
    since: datetime | None,
    only_dead: bool,
    types: Sequence[str],
) -> int:
    """Have events that were done with taken up again; return how many."""
    named = None if ids is None else list(ids)
    return await tx.execute(_AGAIN, named, since, only_dead, tx.now, list(types))


async def forget(tx: Transaction, *, before: datetime) -> int:
    """Delete what came before a moment and is done with; return how much it was."""
    return await tx.execute(_FORGET, before)


async def count(tx: Transaction, state: State) -> int:
    """Return how many events are in a state."""
    return await tx.value(int, _WAITING, state)
