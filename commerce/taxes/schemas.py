"""Taxes over HTTP."""

from datetime import date
from typing import Annotated

import msgspec

from commerce.catalog.model import TAX_CLASS_PATTERN
from commerce.taxes.model import COUNTRY_PATTERN, TaxRate

CountryCode = Annotated[str, msgspec.Meta(pattern=COUNTRY_PATTERN)]


class Countries(msgspec.Struct, frozen=True, kw_only=True):
    """Where buyers may say they are."""

    items: list[str]


class TaxRates(msgspec.Struct, frozen=True, kw_only=True):
    """Every rate there is or was."""

    items: list[TaxRate]


class TaxRatesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which country; all where none is given."""

    country: CountryCode | None = None


class NewTaxRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rate from its first day on: 19 % is 190 000 ppm."""

    country: CountryCode
    tax_class: Annotated[str, msgspec.Meta(pattern=TAX_CLASS_PATTERN)]
    valid_from: date
    valid_until: date | None = None
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    rate_ppm: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    is_inclusive: bool

    def rate(self) -> TaxRate:
        """Return it as the tables hold it."""
        return TaxRate(**msgspec.structs.asdict(self))
