"""What can go wrong with a cart, on purpose."""

from protocol.views import Cart
from shared.errors import ExpectedError


class CartChangedMeanwhileError(ExpectedError):
    """The cart is not at the version the caller knows. The problem's member `cart` is how it is."""

    code = "cart_changed_meanwhile"
    http_status = 409

    def __init__(self, cart: Cart) -> None:
        super().__init__(f"The cart has changed meanwhile: it is now at version {cart.version}.")
        self.version = cart.version
        self.members = {"cart": cart}


class PricesChangedError(ExpectedError):
    """Something costs more or less than the buyer was last shown."""

    code = "prices_changed"
    http_status = 409

    def __init__(self, titles: list[str]) -> None:
        super().__init__(
            f"The price of {', '.join(titles)} has changed: look at the cart, then order again."
        )


class CartEmptyError(ExpectedError):
    """There is nothing to order."""

    code = "cart_empty"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The cart is empty: put something in first.")


class CartFullError(ExpectedError):
    """The cart has as many lines as it may have."""

    code = "cart_full"
    http_status = 409

    def __init__(self, *, lines_max: int) -> None:
        super().__init__(f"A cart holds at most {lines_max} different things.")


class MixedCurrenciesError(ExpectedError):
    """The cart is in one currency and the variant is sold in another."""

    code = "mixed_currencies"
    http_status = 409

    def __init__(self, *, currency: str) -> None:
        super().__init__(f"Everything in this cart must be sold in {currency}.")


class NotForSaleError(ExpectedError):
    """The product is not published, or not any more."""

    code = "not_for_sale"
    http_status = 409

    def __init__(self, title: str) -> None:
        super().__init__(f"{title} is not for sale: take it out of the cart.")
