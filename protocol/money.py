"""Money on the wire: integer minor units and a currency, never a float."""

from typing import Annotated, Final

import msgspec

CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
"""An ISO 4217 alphabetic code."""

CURRENCIES_WITHOUT_DECIMALS: Final = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"),
        *("UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
CURRENCIES_OF_THREE_DECIMALS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""ISO 4217's table of minor units; every other currency has two decimals."""


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in minor units: `Money(amount_minor=1999, currency="EUR")` is 19.99 euro."""

    amount_minor: int
    currency: CurrencyCode


def decimals(currency: str) -> int:
    """Return how many digits of an amount in minor units stand behind the point."""
    if currency in CURRENCIES_WITHOUT_DECIMALS:
        return 0
    return 3 if currency in CURRENCIES_OF_THREE_DECIMALS else 2


def written(amount_minor: int, currency: str) -> str:
    """Return an amount as digits with a point, such as `-19.99`, `1900` or `6.400`."""
    places = decimals(currency)
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(places + 1, "0")
    if places == 0:
        return f"{sign}{digits}"
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
