"""The HTTP door of carts."""

from typing import Final

from commerce.cart import service
from commerce.cart.errors import (
    CartChangedMeanwhileError,
    CartFullError,
    MixedCurrenciesError,
    NotForSaleError,
)
from commerce.cart.schemas import SetLine
from commerce.catalog.errors import OutOfStockError, VariantNotFoundError
from commerce.foundation.http import Call, Door
from protocol.ids import VariantId
from protocol.views import Cart

door: Final = Door("cart")


@door.api("GET", "/v1/cart", out=Cart)
async def read(call: Call[None, None]) -> Cart:
    """Show one's cart at today's prices."""
    async with call.database.transaction() as tx:
        return await service.read(tx, call.principal.user)


@door.api(
    "PUT",
    "/v1/cart/lines/{variant}",
    body=SetLine,
    out=Cart,
    errors=(
        CartChangedMeanwhileError,
        CartFullError,
        MixedCurrenciesError,
        NotForSaleError,
        OutOfStockError,
        VariantNotFoundError,
    ),
)
async def set_line(call: Call[SetLine, None]) -> Cart:
    """Have exactly so many of a variant in the cart; 0 takes it out."""
    async with call.database.transaction() as tx:
        return await service.set_line(
            tx,
            call.principal.user,
            VariantId(call.path["variant"]),
            quantity=call.body.quantity,
            version=call.body.version,
        )
