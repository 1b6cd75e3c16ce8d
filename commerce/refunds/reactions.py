"""What refunds hear: money that came for an order that had been given up."""

from typing import Final

from commerce.foundation.database import Transaction
from commerce.foundation.reactions import Reaction
from commerce.refunds import service
from protocol.events import OrderPaidLate


async def give_back(tx: Transaction, event: OrderPaidLate) -> None:
    """Reserve the refund of money that came too late."""
    await service.give_back_late(tx, event.order.id)


REACTIONS: Final = (Reaction(name="refunds.order_paid_late", event=OrderPaidLate, run=give_back),)
