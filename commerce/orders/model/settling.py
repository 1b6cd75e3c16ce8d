"""What an order makes of what it is told of its money. Pure.

The same thing may be told by the answer to a call, by a webhook and by the reconciler, any number
of times and in any order; what comes of it is the same.
"""

from typing import Final, Literal

from commerce.orders.model.machine import GIVEN_UP, OPEN_STATES
from commerce.orders.model.order import Order, PaymentTold
from protocol.views import PaymentState

Outcome = Literal["nothing", "process", "fail", "pay", "keep_or_return", "mismatch", "surplus"]
"""What comes of it.

`keep_or_return`: money for an order that was given up. `mismatch`: it is not the sum or not the
currency of the order. `surplus`: the order is paid already, by another attempt.
"""

_GIVEN_AWAY: Final[frozenset[PaymentState]] = frozenset({"failed", "canceled"})


def outcome(order: Order, told: PaymentTold) -> Outcome:
    """Return what comes of what is told of an order's money."""
    if told.state == "succeeded":
        return _succeeded(order, told)
    is_known = told.payment == order.payment_id and told.version <= order.payment_version
    if is_known or order.state not in OPEN_STATES:
        return "nothing"
    if told.state == "processing":
        return "process" if order.state == "awaiting_payment" else "nothing"
    if order.state == "processing":
        is_same = told.payment == order.payment_id
        is_off = told.state in _GIVEN_AWAY or told.state == "requires_method"
        return "fail" if is_same and is_off else "nothing"
    has_failed = told.state in {"failed", "requires_method"} and told.failure is not None
    return "fail" if has_failed else "nothing"


def _succeeded(order: Order, told: PaymentTold) -> Outcome:
    if order.paid_at is not None:
        return "nothing" if told.payment == order.payment_id else "surplus"
    if (told.amount_minor, told.currency) != (order.total_minor, order.currency):
        return "mismatch"
    if order.state in OPEN_STATES:
        return "pay"
    assert order.state in GIVEN_UP
    return "keep_or_return"
