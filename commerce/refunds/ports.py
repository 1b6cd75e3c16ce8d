"""What refunds ask of the payment processor."""

from typing import Protocol

import msgspec

from commerce.refunds.model import DisputeTold, RefundTold, Refused, WarningTold
from protocol.ids import OrderId, RefundId


class WantedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund to make, its own id being the key; `intent` is the processor's id of the payment."""

    refund: RefundId
    order: OrderId
    intent: str
    amount_minor: int
    currency: str


class RefundGateway(Protocol):
    """Gives money back. None is called within a transaction, and each may be called again.

    All but `refund` raise `StripeUnheardError` if nobody answers.
    """

    @property
    def is_open(self) -> bool:
        """Whether the shop has an account."""
        ...

    async def refund(self, wanted: WantedRefund) -> RefundTold | Refused | None:
        """Make the refund, once; None if nobody knows whether it was made."""
        ...

    async def look_up(self, wanted: WantedRefund) -> RefundTold | None:
        """Find the refund if it was made."""
        ...

    async def told_refund(self, stripe_refund_id: str) -> RefundTold:
        """Return a refund as it is now."""
        ...

    async def told_dispute(self, stripe_dispute_id: str) -> DisputeTold:
        """Return a dispute as it is now."""
        ...

    async def told_warning(self, stripe_warning_id: str) -> WarningTold:
        """Return an early fraud warning as it is now."""
        ...
