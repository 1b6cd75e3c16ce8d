"""What subscriptions hear: what becomes of the money of orders, some of which are theirs."""

from typing import Final

from commerce.foundation.database import Transaction
from commerce.foundation.reactions import Reaction
from commerce.subscriptions import service
from protocol.events import OrderCanceled, OrderExpired, OrderPaid, OrderPaymentFailed

Followed = OrderPaid | OrderPaymentFailed | OrderCanceled | OrderExpired


async def follow(tx: Transaction, event: Followed) -> None:
    """Look at what became of an order, if it is one of a subscription."""
    if event.order.subscription is not None:
        await service.follow(tx, event.order.id)


REACTIONS: Final = (
    Reaction(name="subscriptions.order_paid", event=OrderPaid, run=follow),
    Reaction(name="subscriptions.payment_failed", event=OrderPaymentFailed, run=follow),
    Reaction(name="subscriptions.order_canceled", event=OrderCanceled, run=follow),
    Reaction(name="subscriptions.order_expired", event=OrderExpired, run=follow),
)
