"""The cart over HTTP; a cart itself looks as `protocol.views.Cart` says."""

from typing import Annotated

import msgspec

from protocol.commands import CART_LINE_QUANTITY_MAX


class SetLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have exactly `quantity` in the cart, if it is still at `version` where that is given."""

    quantity: Annotated[int, msgspec.Meta(ge=0, le=CART_LINE_QUANTITY_MAX)]
    version: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] | None = None
