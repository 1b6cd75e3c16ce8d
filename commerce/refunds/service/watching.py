"""Refunds as buyers and staff see them, and what must be true of them."""

from typing import Final

from commerce.foundation.database import Transaction
from commerce.foundation.invariants import Invariant
from commerce.refunds.errors import RefundNotFoundError
from commerce.refunds.model import Refund, RefundStep
from commerce.refunds.repository import refunds as repository
from protocol.ids import RefundId
from protocol.views import RefundState


async def find(tx: Transaction, refund: RefundId) -> Refund:
    """Return a refund: for staff, who have been asked for.

    Raises:
        RefundNotFoundError: if there is none.
    """
    found = await repository.find(tx, refund)
    if found is None:
        raise RefundNotFoundError(refund)
    return found


async def search(
    tx: Transaction, *, state: RefundState | None = None, after: RefundId | None = None, limit: int
) -> list[Refund]:
    """Return refunds, the newest first: for staff, who have been asked for."""
    return await repository.search(tx, state=state, after=after, limit=limit)


async def steps(tx: Transaction, refund: RefundId) -> list[RefundStep]:
    """Return what happened to a refund, in order."""
    return await repository.steps(tx, refund)


async def _exceeding(tx: Transaction) -> list[str]:
    return [
        f"Of order {each} more is given back than was paid."
        for each in await repository.exceeding(tx)
    ]


async def _unlike_lines(tx: Transaction) -> list[str]:
    return [
        f"Refund {each} is not the sum of its lines." for each in await repository.unlike_lines(tx)
    ]


async def _unlike_orders(tx: Transaction) -> list[str]:
    return [
        f"Order {each} says that another sum was given back than its refunds say."
        for each in await repository.unlike_orders(tx)
    ]


INVARIANTS: Final = (
    Invariant(
        name="refunds.within_what_was_paid",
        says="No order has more given back, or reserved for that, than was paid.",
        check=_exceeding,
    ),
    Invariant(
        name="refunds.sum_of_their_lines",
        says="Every refund is the sum of what it gives back by line.",
        check=_unlike_lines,
    ),
    Invariant(
        name="refunds.told_to_their_orders",
        says="Every order says that as much was given back as its refunds that succeeded.",
        check=_unlike_orders,
    ),
)
