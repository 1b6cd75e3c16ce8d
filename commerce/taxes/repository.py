"""Every line of SQL about taxes."""

from datetime import date
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.taxes.model import TaxRate

_ON: Final[LiteralString] = """
    select distinct on (tax_class)
           country, tax_class, valid_from, valid_until, name, rate_ppm, is_inclusive
      from tax_rates
     where country = $1
       and valid_from <= $2
       and (valid_until is null or valid_until > $2)
     order by tax_class, valid_from desc
"""

_ALL: Final[LiteralString] = """
    select country, tax_class, valid_from, valid_until, name, rate_ppm, is_inclusive
      from tax_rates
     where $1::text is null or country = $1
     order by country, tax_class, valid_from desc
"""

_COUNTRIES: Final[LiteralString] = "select distinct country from tax_rates order by country"

_ADD: Final[LiteralString] = """
    insert into tax_rates
           (country, tax_class, valid_from, valid_until, name, rate_ppm, is_inclusive)
    values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (country, tax_class, valid_from) do nothing
"""


class _CountryRow(msgspec.Struct, frozen=True, kw_only=True):
    country: str


async def on(tx: Transaction, country: str, day: date) -> list[TaxRate]:
    """Return the rates of a country on a day, one for each class."""
    return await tx.all(TaxRate, _ON, country, day)


async def all_rates(tx: Transaction, country: str | None) -> list[TaxRate]:
    """Return every rate there is or was."""
    return await tx.all(TaxRate, _ALL, country)


async def countries(tx: Transaction) -> list[str]:
    """Return the countries that have rates."""
    return [row.country for row in await tx.all(_CountryRow, _COUNTRIES)]


async def add(tx: Transaction, rate: TaxRate) -> bool:
    """Write a rate; False if one begins on that day already."""
    return await tx.execute(_ADD, *msgspec.structs.astuple(rate)) == 1
