"""What the staff looks at as one thing."""

import msgspec

from commerce.delivery.model import Grant
from commerce.foundation.acts import Entry
from commerce.licenses.model import License
from commerce.orders.model import Order, OrderEvent
from commerce.refunds.model import Refund, Request


class OrderFile(msgspec.Struct, frozen=True, kw_only=True):
    """All there is about one order."""

    order: Order
    buyer_name: str
    steps: list[OrderEvent]
    grants: list[Grant]
    licenses: list[License]
    requests: list[Request]
    refunds: list[Refund]
    audit: list[Entry]
