"""What the rest of commerce may ask of refunds and disputes."""

from commerce.refunds.ports import RefundGateway
from commerce.refunds.service.applying import apply, money_back, refuse
from commerce.refunds.service.disputing import (
    Evidence,
    apply_dispute,
    apply_warning,
    evidence,
    find_dispute,
    search_disputes,
)
from commerce.refunds.service.requesting import (
    Asked,
    Wanted,
    approve,
    ask,
    deny,
    give_back_late,
    refunds_of_order,
    request,
    requests_of_order,
    search_requests,
    sweep_late,
    withdraw,
)
from commerce.refunds.service.submitting import (
    refresh_dispute,
    refresh_refund,
    refresh_warning,
    submit,
    submit_due,
)
from commerce.refunds.service.watching import INVARIANTS, find, search, steps

__all__ = [
    "INVARIANTS",
    "Asked",
    "Evidence",
    "RefundGateway",
    "Wanted",
    "apply",
    "apply_dispute",
    "apply_warning",
    "approve",
    "ask",
    "deny",
    "evidence",
    "find",
    "find_dispute",
    "give_back_late",
    "money_back",
    "refresh_dispute",
    "refresh_refund",
    "refresh_warning",
    "refunds_of_order",
    "refuse",
    "request",
    "requests_of_order",
    "search",
    "search_disputes",
    "search_requests",
    "steps",
    "submit",
    "submit_due",
    "sweep_late",
    "withdraw",
]
