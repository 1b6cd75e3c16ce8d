"""The shop's terms of refunds."""

from typing import Annotated

import msgspec

from shared.environment import variable


class RefundSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How readily money is given back."""

    auto_days: Annotated[
        int,
        msgspec.Meta(ge=0, le=366),
        variable(
            "RIALTO_REFUND_AUTO_DAYS",
            "Days after the payment in which a buyer's request for a refund is approved by itself;"
            " 0: the staff answers each.",
        ),
    ] = 0
