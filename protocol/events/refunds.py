"""Facts about money that goes back, told on the order's topic and on the buyer's."""

from protocol.events.event import Event
from protocol.views import Refund


class RefundChanged(Event, frozen=True, kw_only=True, tag="refund_changed"):
    """A refund is in another state."""

    refund: Refund
