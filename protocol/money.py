"""Money on the wire: integer minor units and a currency, never a float."""

from typing import Annotated

import msgspec

CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
"""An ISO 4217 alphabetic code."""


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in minor units: `Money(amount_minor=1999, currency="EUR")` is 19.99 euro."""

    amount_minor: int
    currency: CurrencyCode
