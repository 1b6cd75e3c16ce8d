"""What a rate of tax is, and which one goods have. Pure: no clock, no database."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

COUNTRY_PATTERN: Final = r"^[A-Z]{2}$(?!\n)"
"""An ISO 3166 code of two letters."""

HOME_COUNTRY: Final = "DE"
"""Where somebody is taken to be who has not said so."""

STANDARD_CLASS: Final = "digital"
"""The class whose rate goods have where their own class has none."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """So many millionths of the price, on top of it or within it."""

    name: str
    rate_ppm: int
    is_inclusive: bool


NO_TAX: Final = Rate(name="", rate_ppm=0, is_inclusive=True)
"""Where no table says anything."""


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the tables: a rate, whose it is, and its days (`valid_until` is the day after)."""

    country: str
    tax_class: str
    valid_from: date
    valid_until: date | None
    name: str
    rate_ppm: int
    is_inclusive: bool


class TaxTable(msgspec.Struct, frozen=True, kw_only=True):
    """The rates of one country on one day, by class of goods."""

    country: str
    rates: Mapping[str, Rate]

    def rate(self, tax_class: str) -> Rate:
        """Return the rate that goods of a class have."""
        return self.rates.get(tax_class) or self.rates.get(STANDARD_CLASS) or NO_TAX
