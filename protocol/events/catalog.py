"""Facts about products, told on the product's topic."""

from protocol.events.event import Event
from protocol.views import Product


class ProductChanged(Event, frozen=True, kw_only=True, tag="product_changed"):
    """A product's price, stock or title is now as given."""

    product: Product
