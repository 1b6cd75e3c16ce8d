"""Facts about orders, told on the order's topic and on the buyer's."""

from protocol.events.event import Event
from protocol.views import Order


class OrderPlaced(Event, frozen=True, kw_only=True, tag="order_placed"):
    """An order was placed."""

    order: Order
    at_ms: int


class OrderPaid(Event, frozen=True, kw_only=True, tag="order_paid"):
    """The order is paid; a free one at once."""

    order: Order
    at_ms: int


class OrderFulfilled(Event, frozen=True, kw_only=True, tag="order_fulfilled"):
    """Everything in the order was handed over."""

    order: Order
    at_ms: int


class OrderCanceled(Event, frozen=True, kw_only=True, tag="order_canceled"):
    """The order was given up before it was paid."""

    order: Order
    at_ms: int


class OrderExpired(Event, frozen=True, kw_only=True, tag="order_expired"):
    """The order was not paid in time."""

    order: Order
    at_ms: int
