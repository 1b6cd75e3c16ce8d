"""What refunds ask of the payment processor."""

from typing import Protocol

import msgspec

from commerce.refunds.model.told import RefundTold, Refused
from protocol.ids import OrderId, PaymentId, RefundId


class WantedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund to make, its own id being the key; `intent` is the processor's id of the payment."""

    refund: RefundId
    order: OrderId
    payment: PaymentId
    intent: str
    amount_minor: int
    currency: str


class RefundGateway(Protocol):
    """Makes refunds at the processor. Both may be called any number of times for one refund."""

    async def refund(self, wanted: WantedRefund) -> RefundTold | Refused | None:
        """Make the refund, once; None if nobody knows whether it was made."""
        ...

    async def look_up(self, wanted: WantedRefund) -> RefundTold | None:
        """Find the refund if it was made."""
        ...
