"""What must be true of prices and stock, whatever happened."""

from typing import Final

from commerce.catalog.repository import truths as repository
from commerce.foundation.database import Transaction
from commerce.foundation.invariants import BREACHES_SHOWN_MAX, Invariant


async def _counts(tx: Transaction) -> list[str]:
    return await repository.miscounted(tx, BREACHES_SHOWN_MAX)


async def _prices(tx: Transaction) -> list[str]:
    return await repository.without_price(tx, BREACHES_SHOWN_MAX)


INVARIANTS: Final = (
    Invariant(
        name="catalog.reserved",
        says="What is kept of each variant is what the reservations of orders say.",
        check=_counts,
    ),
    Invariant(
        name="catalog.prices",
        says="What a variant costs is a version of its prices.",
        check=_prices,
    ),
)
