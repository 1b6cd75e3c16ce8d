"""What refunds, requests for them and disputes are. Pure: no clock, no database."""

from commerce.refunds.model.disputes import (
    CLOSED_STATUSES,
    Dispute,
    DisputeStatus,
    Warned,
    dispute_state,
    is_open,
)
from commerce.refunds.model.refunds import (
    LIVE,
    OVER,
    RETRY_SECONDS,
    TRANSITIONS,
    Origin,
    Part,
    Refund,
    RefundLine,
    RefundStep,
    Request,
    RequestState,
    show,
)
from commerce.refunds.model.splitting import LineLeft, left_of, split
from commerce.refunds.model.told import (
    DisputeTold,
    RefundOutcome,
    RefundTold,
    Refused,
    WarningTold,
)

__all__ = [
    "CLOSED_STATUSES",
    "LIVE",
    "OVER",
    "RETRY_SECONDS",
    "TRANSITIONS",
    "Dispute",
    "DisputeStatus",
    "DisputeTold",
    "LineLeft",
    "Origin",
    "Part",
    "Refund",
    "RefundLine",
    "RefundOutcome",
    "RefundStep",
    "RefundTold",
    "Refused",
    "Request",
    "RequestState",
    "Warned",
    "WarningTold",
    "dispute_state",
    "is_open",
    "left_of",
    "show",
    "split",
]
