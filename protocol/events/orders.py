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


class OrderProcessing(Event, frozen=True, kw_only=True, tag="order_processing"):
    """The money is on its way; it may take days."""

    order: Order
    at_ms: int


class OrderPaymentFailed(Event, frozen=True, kw_only=True, tag="order_payment_failed"):
    """The money did not come; the order waits for another try."""

    order: Order
    at_ms: int


class OrderPaidLate(Event, frozen=True, kw_only=True, tag="order_paid_late"):
    """Money came for an order that had been given up."""

    order: Order
    at_ms: int


class OrderRefunded(Event, frozen=True, kw_only=True, tag="order_refunded"):
    """What was given back of the order is another sum than before; lower, if a refund failed."""

    order: Order
    at_ms: int


class OrderDisputed(Event, frozen=True, kw_only=True, tag="order_disputed"):
    """The buyer's bank asks for the money back."""

    order: Order
    at_ms: int


class OrderDisputeClosed(Event, frozen=True, kw_only=True, tag="order_dispute_closed"):
    """The bank has decided."""

    order: Order
    won: bool
    at_ms: int


class OrderHeld(Event, frozen=True, kw_only=True, tag="order_held"):
    """The shop looks at the order by hand before it goes on."""

    order: Order
    at_ms: int


class OrderReleased(Event, frozen=True, kw_only=True, tag="order_released"):
    """The order goes on."""

    order: Order
    at_ms: int


class OrderDeliveryChanged(Event, frozen=True, kw_only=True, tag="order_delivery_changed"):
    """Something else has become of the goods: they are suspended, given again, or taken back."""

    order: Order
    at_ms: int
