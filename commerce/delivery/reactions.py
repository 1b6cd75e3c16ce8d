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

Followed = OrderPaid | OrderRefunded | OrderDisputed | OrderHeld | OrderReleased


async def follow(tx: Transaction, event: Followed) -> None:
    """Put the grants of an order where it puts them."""
    await service.follow(tx, event.order)


async def follow_the_bank(tx: Transaction, event: OrderDisputeClosed) -> None:
    """Give back what the bank left the shop the money for, and take what it did not."""
    await service.follow(tx, event.order, is_lost=not event.won)


REACTIONS: Final = (
    Reaction(name="delivery.order_paid", event=OrderPaid, run=follow),
    Reaction(name="delivery.order_refunded", event=OrderRefunded, run=follow),
    Reaction(name="delivery.order_disputed", event=OrderDisputed, run=follow),
    Reaction(name="delivery.dispute_closed", event=OrderDisputeClosed, run=follow_the_bank),
    Reaction(name="delivery.order_held", event=OrderHeld, run=follow),
    Reaction(name="delivery.order_released", event=OrderReleased, run=follow),
)
