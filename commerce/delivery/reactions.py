"""What delivery hears: everything that happens to an order once it is paid."""

from typing import Final

from commerce.delivery import service
from commerce.foundation.database import Transaction
from commerce.foundation.reactions import Reaction
from protocol.events import (
    OrderDisputeClosed,
    OrderDisputed,
    OrderHeld,
    OrderPaid,
    OrderRefunded,
    OrderReleased,
)

Followed = (
    OrderPaid | OrderRefunded | OrderDisputed | OrderDisputeClosed | OrderHeld | OrderReleased
)


async def follow(tx: Transaction, event: Followed) -> None:
    """Put the grants of an order where it puts them now."""
    await service.follow(tx, event.order.id)


REACTIONS: Final = (
    Reaction(name="delivery.order_paid", event=OrderPaid, run=follow),
    Reaction(name="delivery.order_refunded", event=OrderRefunded, run=follow),
    Reaction(name="delivery.order_disputed", event=OrderDisputed, run=follow),
    Reaction(name="delivery.dispute_closed", event=OrderDisputeClosed, run=follow),
    Reaction(name="delivery.order_held", event=OrderHeld, run=follow),
    Reaction(name="delivery.order_released", event=OrderReleased, run=follow),
)
