"""What must be true of subscriptions."""

from typing import Final

from commerce.foundation.database import Transaction
from commerce.foundation.invariants import Invariant
from commerce.subscriptions.repository import subscriptions as repository


async def _in_order(tx: Transaction) -> list[str]:
    return [f"{each.id}: {each.why}" for each in await repository.astray(tx)]


INVARIANTS: Final = (
    Invariant(
        name="subscriptions.in_order",
        says="Charges are paid by their own order, and nothing is charged that is over or paused.",
        check=_in_order,
    ),
)
