"""What the rest of commerce may ask of the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from commerce.foundation.database import Transaction
from commerce.foundation.invariants import Invariant
from commerce.ledger import repository
from commerce.ledger.errors import PostingDiffersError
from commerce.ledger.model import Balance, Posting, Written
from protocol.ids import OrderId


async def post(tx: Transaction, posting: Posting) -> bool:
    """Write a posting; say whether it was written now. The same again changes nothing.

    A posting of nothing (a free order's) is not written.

    Raises:
        UnbalancedPostingError: if it does not come to nothing in each currency.
        PostingDiffersError: if something else is posted under its key.
    """
    balanced = posting.balanced()
    if not balanced.entries or await repository.add(tx, balanced):
        return bool(balanced.entries)
    written = await repository.find(tx, posting.key)
    if written is None or written.entries != balanced.entries:
        raise PostingDiffersError(posting.key)
    return False


async def of_order(tx: Transaction, order: OrderId) -> list[Written]:
    """Return what was posted for an order, in order."""
    return await repository.of_order(tx, order)


async def balances(
    tx: Transaction, *, since: datetime | None = None, until: datetime | None = None
) -> list[Balance]:
    """Return what each account comes to in each currency: ever, or from `since` up to `until`."""
    return await repository.balances(tx, since=since, until=until)


async def import_past(tx: Transaction, postings: Sequence[Posting]) -> int:
    """Write many postings of the past at once, each with its time; return how many were missing."""
    known = await repository.known(tx, [each.key for each in postings])
    missing = [each.balanced() for each in postings if each.key not in known]
    missing = [each for each in missing if each.entries]
    if missing:
        await repository.add_many(tx, missing)
    return len(missing)


async def _balance(tx: Transaction) -> list[str]:
    return [
        f"{left.key} leaves {left.amount_minor} {left.currency}"
        for left in await repository.remainders(tx)
    ]


async def _whole(tx: Transaction) -> list[str]:
    return [f"{key} has not the entries it was written with" for key in await repository.broken(tx)]


INVARIANTS: Final = (
    Invariant(
        name="ledger.balance",
        says="Every posting comes to nothing in each currency.",
        check=_balance,
    ),
    Invariant(name="ledger.whole", says="No posting has lost an entry.", check=_whole),
)
