"""The inbox: events written down as they come, each once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter

from commerce.foundation.database import Transaction
from commerce.settlement import repository
from commerce.settlement.model import SUBJECT_OF, State, read_event
from shared.logging import get_logger

KEPT_DAYS: Final = 90
"""Longer than Stripe itself keeps them (30 days)."""

_SETTLED_TYPES: Final = [name for name, subject in SUBJECT_OF.items() if subject != "nothing"]

_accepted = Counter("rialto_stripe_events", "Events taken in, by name.", ("type", "outcome"))

_log = get_logger("commerce.settlement")


async def accept(tx: Transaction, raw: bytes, *, is_live: bool) -> bool:
    """Write down an event, to be settled by a worker; say whether it was new.

    One that is of no concern to us is written down as ignored.

    Raises:
        NotOurEventError: if it is no event, or not of this account.
    """
    event = read_event(raw, is_live=is_live)
    state: State = "ignored" if event.subject == "nothing" else "pending"
    is_new = await repository.add(tx, event, state=state)
    if event.type not in SUBJECT_OF:
        _log.warning("stripe.unknown_event", type=event.type, id=event.id)
    name = event.type if event.type in SUBJECT_OF else "unknown"
    _accepted.labels(name, state if is_new else "known").inc()
    return is_new


async def replay(
    tx: Transaction,
    *,
    ids: Sequence[str] | None = None,
    since: datetime | None = None,
    only_dead: bool = False,
) -> int:
    """Have events settled again: some, or those since a moment; return how many."""
    return await repository.again(
        tx, ids=ids, since=since, only_dead=only_dead, types=_SETTLED_TYPES
    )


async def count_waiting(tx: Transaction, state: State) -> int:
    """Return how many events are in a state."""
    return await repository.count(tx, state)


async def forget_old(tx: Transaction) -> int:
    """Delete what came more than `KEPT_DAYS` ago and is done with."""
    return await repository.forget(tx, before=tx.now - timedelta(days=KEPT_DAYS))
