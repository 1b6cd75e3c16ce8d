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
    order_number,
)
from commerce.orders.model.showing import FACTS, fact_of, show

__all__ = [
    "FACTS",
    "GIVEN_UP",
    "OPEN_STATES",
    "PAYMENT_HOURS_MAX",
    "PROCESSING_DAYS_MAX",
    "STATES",
    "STAYS",
    "TRANSITIONS",
    "DisputeState",
    "FactName",
    "Order",
    "OrderEvent",
    "OrderFilter",
    "OrderLine",
    "PastOrder",
    "Step",
    "fact_of",
    "order_number",
    "record",
    "show",
]
