"""The cart over HTTP; a cart itself looks as `protocol.views.Cart` says."""

from typing import Annotated

import msgspec

from protocol.commands import CART_LINE_QUANTITY_MAX
from protocol.money import CurrencyCode

Version = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class SetLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have exactly `quantity` in the cart, if it is still at `version` where that is given."""

    quantity: Annotated[int, msgspec.Meta(ge=0, le=CART_LINE_QUANTITY_MAX)]
    version: Version | None = None


class ChooseCurrency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have the cart in `currency`, if it is still at `version` where that is given."""

    currency: CurrencyCode
    version: Version | None = None
