"""Facts about being paid, told on the order's topic and on the buyer's."""

from protocol.events.event import Event
from protocol.views import Payment


class PaymentChanged(Event, frozen=True, kw_only=True, tag="payment_changed"):
    """An attempt to be paid is in another state."""

    payment: Payment
