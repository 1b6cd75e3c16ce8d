"""What a dispute is: a buyer's bank asks for the money back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from commerce.orders.model import DisputeState
from protocol.ids import DisputeId, OrderId

DisputeStatus = Literal[
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "prevented",
]
"""In the processor's words. A `warning` is an inquiry: the bank asks, but takes no money yet."""

CLOSED_STATUSES: Final[frozenset[DisputeStatus]] = frozenset(
    {"warning_closed", "won", "lost", "prevented"}
)

_MONEY_AT_STAKE: Final[frozenset[DisputeStatus]] = frozenset({"needs_response", "under_review"})

_RANK: Final[Mapping[DisputeStatus, int]] = {
    "warning_needs_response": 0,
    "warning_under_review": 1,
    "warning_closed": 2,
    "needs_response": 3,
    "under_review": 4,
    "prevented": 5,
    "won": 6,
    "lost": 6,
}
"""A dispute only goes on; a closed inquiry may still become one."""


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """One dispute. `amount_minor` may be more than was paid; `withdrawn_minor` is gone by now."""

    id: DisputeId
    stripe_dispute_id: str
    order_id: OrderId
    status: DisputeStatus
    reason: str
    is_inquiry: bool
    amount_minor: int
    currency: str
    withdrawn_minor: int
    evidence_due_at: datetime | None
    seen_at: datetime
    opened_at: datetime
    closed_at: datetime | None

    def is_older_than(self, status: DisputeStatus) -> bool:
        """Say whether `status` is where a dispute gets to from here, or the same."""
        return _RANK[status] >= _RANK[self.status]


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """A bank thinks that a payment was a fraud; nothing is asked back yet."""

    stripe_warning_id: str
    order_id: OrderId
    kind: str
    warned_at: datetime


def is_open(status: DisputeStatus) -> bool:
    """Say whether the bank has taken the money and not decided yet.

    An inquiry takes nothing: the buyer keeps the goods meanwhile, and may be refunded.
    """
    return status in _MONEY_AT_STAKE


def dispute_state(statuses: Sequence[DisputeStatus]) -> DisputeState:
    """Return where an order stands with all its disputes: open, else lost, else won.

    Inquiries leave no trace.
    """
    if any(is_open(status) for status in statuses):
        return "open"
    if "lost" in statuses:
        return "lost"
    return "won" if {"won", "prevented"} & set(statuses) else "none"
