"""Commands on orders."""

from typing import Final

from commerce.foundation.commands import Caller, Commands
from commerce.foundation.database import Transaction
from commerce.orders import service
from commerce.orders.model import Order
from protocol.commands import CancelOrder, OrderResult, PlaceOrder


async def place_order(tx: Transaction, caller: Caller, command: PlaceOrder) -> OrderResult:
    """Order what is in the cart."""
    return _result(await service.place(tx, caller.user, cart_version=command.cart_version))


async def cancel_order(tx: Transaction, caller: Caller, command: CancelOrder) -> OrderResult:
    """Give up an order that is not paid."""
    return _result(await service.cancel(tx, caller.user, command.order))


COMMANDS: Final[Commands] = {PlaceOrder: place_order, CancelOrder: cancel_order}


def _result(order: Order) -> OrderResult:
    return OrderResult(order=order.id, number=order.number, version=order.version)
