"""Facts about carts, told on the owner's topic."""

from protocol.events.event import Event
from protocol.views import Cart


class CartChanged(Event, frozen=True, kw_only=True, tag="cart_changed"):
    """The cart is now as given."""

    cart: Cart
