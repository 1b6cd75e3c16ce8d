"""Commands on carts."""

from typing import Final

from commerce.cart import service
from commerce.foundation.commands import Caller, Commands
from commerce.foundation.database import Transaction
from protocol.commands import CartResult, SetCartLine


async def set_cart_line(tx: Transaction, caller: Caller, command: SetCartLine) -> CartResult:
    """Have exactly so many of a variant in the cart."""
    cart = await service.set_line(
        tx, caller.user, command.variant, quantity=command.quantity, version=command.version
    )
    return CartResult(version=cart.version)


COMMANDS: Final[Commands] = {SetCartLine: set_cart_line}
