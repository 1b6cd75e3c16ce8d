"""What is true of orders whatever happened."""

from typing import Final

from commerce.foundation.database import Transaction
from commerce.foundation.invariants import Invariant
from commerce.orders.model import is_legal
from commerce.orders.repository import truths as repository


async def _illegal(tx: Transaction) -> list[str]:
    return [
        f"{step.order_id} went from {step.from_state} to {step.to_state} by {step.type}"
        for step in await repository.steps_taken(tx)
        if not is_legal(step.from_state, step.to_state, step.type)
    ]


INVARIANTS: Final = (
    Invariant(
        name="orders.table",
        says="Orders went only the ways of the table, with its events.",
        check=_illegal,
    ),
    Invariant(
        name="orders.log",
        says="The log of every order has each of its steps, up to its version.",
        check=repository.unwhole,
    ),
    Invariant(
        name="orders.sums",
        says="Every order is the sum of its lines.",
        check=repository.unsummed,
    ),
    Invariant(
        name="orders.folded",
        says="The state of every order is what its money makes of it.",
        check=repository.unfolded,
    ),
)
