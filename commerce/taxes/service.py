"""What the rest of commerce may ask of taxes."""

from datetime import date

from commerce.foundation.database import Transaction
from commerce.taxes import repository
from commerce.taxes.errors import TaxRateExistsError
from commerce.taxes.model import Rate, TaxRate, TaxTable


async def rates(tx: Transaction, country: str, on: date) -> TaxTable:
    """Return the rates of a country on a day; empty where no tax is taken."""
    found = await repository.on(tx, country, on)
    return TaxTable(
        country=country,
        rates={
            row.tax_class: Rate(name=row.name, rate_ppm=row.rate_ppm, is_inclusive=row.is_inclusive)
            for row in found
        },
    )


async def countries(tx: Transaction) -> list[str]:
    """Return the countries that have rates, in the order of the alphabet."""
    return await repository.countries(tx)


async def all_rates(tx: Transaction, country: str | None = None) -> list[TaxRate]:
    """Return every rate there is or was, the newest of each class first."""
    return await repository.all_rates(tx, country)


async def add(tx: Transaction, rate: TaxRate) -> None:
    """Let a rate hold from a day on; the one before ends there by itself.

    Raises:
        TaxRateExistsError: if one begins on that day already.
    """
    if not await repository.add(tx, rate):
        raise TaxRateExistsError(rate.country, rate.tax_class, rate.valid_from)
