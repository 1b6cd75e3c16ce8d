"""The HTTP door of carts, for users and for guests.

A guest's cart is known by a cookie, given with the first thing that is put in. When they sign in,
the next request on a cart takes what is in it over into the user's, and takes the cookie back.
"""

from typing import Any, Final

from commerce.cart import service
from commerce.cart.errors import (
    CartChangedMeanwhileError,
    CartFullError,
    MixedCurrenciesError,
    NotForSaleError,
)
from commerce.cart.model import Guest, Owner, guest_of, new_guest_token
from commerce.cart.schemas import ChooseCurrency, SetLine
from commerce.catalog.errors import OutOfStockError, VariantNotFoundError
from commerce.foundation.database import Transaction
from commerce.foundation.http import Call, Door
from commerce.foundation.security import guest_cart_cookie
from protocol.ids import VariantId
from protocol.views import Cart

door: Final = Door("cart")


@door.api("GET", "/v1/cart", out=Cart, auth="optional")
async def read(call: Call[None, None]) -> Cart:
    """Show one's cart at today's prices."""
    async with call.database.transaction() as tx:
        owner = await _owner(call, tx)
        return service.NO_CART if owner is None else await service.read(tx, owner)


@door.api(
    "PUT",
    "/v1/cart/lines/{variant}",
    body=SetLine,
    out=Cart,
    auth="optional",
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
            await _owner(call, tx) or _new_guest(call),
            VariantId(call.path["variant"]),
            quantity=call.body.quantity,
            version=call.body.version,
        )


@door.api(
    "PUT",
    "/v1/cart/currency",
    body=ChooseCurrency,
    out=Cart,
    auth="optional",
    errors=(CartChangedMeanwhileError, MixedCurrenciesError),
)
async def choose_currency(call: Call[ChooseCurrency, None]) -> Cart:
    """Have the cart in a currency."""
    async with call.database.transaction() as tx:
        return await service.choose_currency(
            tx,
            await _owner(call, tx) or _new_guest(call),
            call.body.currency,
            version=call.body.version,
        )


async def _owner(call: Call[Any, Any], tx: Transaction) -> Owner | None:
    """Return whose cart it is; nobody's as long as a guest has put nothing in."""
    cookie = guest_cart_cookie(call.cookie)
    token = call.asked_cookie(cookie.name)
    guest = guest_of(token) if token else None
    if call.principal_or_none is None:
        return guest
    user = call.principal.user
    if guest is not None:
        await service.merge(tx, guest, user)
        call.headers.append(("set-cookie", cookie.take_back()))
    return user


def _new_guest(call: Call[Any, Any]) -> Guest:
    token = new_guest_token()
    call.headers.append(("set-cookie", guest_cart_cookie(call.cookie).give(token)))
    return guest_of(token)
