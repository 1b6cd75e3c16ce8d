"""What an order is, and the ways it may go. Pure: no clock, no database."""

from commerce.orders.model.machine import (
    GIVEN_UP,
    OPEN_STATES,
    PAYMENT_HOURS_MAX,
    PROCESSING_DAYS_MAX,
    STATES,
    STAYS,
    TRANSITIONS,
    FactName,
    Step,
    record,
)
from commerce.orders.model.order import (
    DisputeState,
    Order,
    OrderEvent,
    OrderFilter,
    OrderLine,
    PastOrder,
    PaymentTold,
    order_number,
)
from commerce.orders.model.quote import (
    CODES_MAX,
    QUOTE_KEPT_DAYS,
    QUOTE_MINUTES_MAX,
    Offered,
    Quote,
    quote_ends,
)
from commerce.orders.model.settling import Outcome, outcome
from commerce.orders.model.showing import FACTS, fact_of, show

__all__ = [
    "CODES_MAX",
    "FACTS",
    "GIVEN_UP",
    "OPEN_STATES",
    "PAYMENT_HOURS_MAX",
    "PROCESSING_DAYS_MAX",
    "QUOTE_KEPT_DAYS",
    "QUOTE_MINUTES_MAX",
    "STATES",
    "STAYS",
    "TRANSITIONS",
    "DisputeState",
    "FactName",
    "Offered",
    "Order",
    "OrderEvent",
    "OrderFilter",
    "OrderLine",
    "Outcome",
    "PastOrder",
    "PaymentTold",
    "Quote",
    "Step",
    "fact_of",
    "order_number",
    "outcome",
    "quote_ends",
    "record",
    "show",
]
