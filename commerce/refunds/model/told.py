"""What the payment processor tells of refunds and disputes, whoever asked and in whatever order."""

from datetime import datetime
from typing import Literal

import msgspec

from commerce.refunds.model.disputes import DisputeStatus
from protocol.ids import OrderId, RefundId

RefundOutcome = Literal["pending", "succeeded", "failed", "canceled"]


class RefundTold(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as the processor has it. Without `refund` it was not made by us.

    Without `order` it is that of the payment that `charge` came of.
    """

    stripe_refund_id: str
    refund: RefundId | None
    order: OrderId | None
    charge: str | None = None
    outcome: RefundOutcome
    amount_minor: int
    currency: str
    failure: str = ""
    reason: str = ""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The processor will not make a refund, ever; `code` says why, such as `charge_disputed`."""

    code: str


class DisputeTold(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute as the processor has it. `withdrawn_minor` is what is gone from us for it now."""

    stripe_dispute_id: str
    order: OrderId | None
    charge: str | None = None
    status: DisputeStatus
    reason: str
    amount_minor: int
    currency: str
    withdrawn_minor: int
    evidence_due_at: datetime | None
    opened_at: datetime


class WarningTold(msgspec.Struct, frozen=True, kw_only=True):
    """An early fraud warning as the processor has it."""

    stripe_warning_id: str
    order: OrderId | None
    charge: str | None = None
    kind: str
    is_actionable: bool
    warned_at: datetime
