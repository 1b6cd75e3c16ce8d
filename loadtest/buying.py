"""What one user does in a flash sale, and what the users of one process see of it."""

from loadtest.clients import Client
from loadtest.outstanding import GivenCommand
from loadtest.rest import RestError, Shop
from loadtest.sale import SOLD_OUT_CODES, Purchase, Sale, SaleCounts
from protocol.commands import OrderResult, PlaceOrder
from protocol.events import CommandCommitted, CommandRejected, ProductChanged
from protocol.topics import product_topic


class SaleLedger:
    """Everything the buyers of one process were told."""

    def __init__(self, sale: Sale) -> None:
        self.sale = sale
        self._buyers = 0
        self._purchases: list[Purchase] = []
        self._sold_out = 0
        self._least: int | None = None

    def counts(self) -> SaleCounts:
        """Return everything, to be sent elsewhere."""
        return SaleCounts(
            buyers=self._buyers,
            purchases=self._purchases,
            sold_out=self._sold_out,
            least_stock_seen=self._least,
        )

    def wants(self) -> None:
        """Take note that somebody orders."""
        self._buyers += 1

    def sees(self, changed: ProductChanged) -> None:
        """Take note of the stock that pages show now."""
        stock = changed.product.stock
        if changed.product.id == self.sale.product and stock is not None:
            self._least = stock if self._least is None else min(self._least, stock)

    def finishes(self, user_number: int, command: GivenCommand) -> bool:
        """Take note of an order's outcome; False if it is none that a buyer has to expect."""
        match command.outcome:
            case CommandCommitted(result=OrderResult(order=order)):
                self._purchases.append(Purchase(user_number=user_number, order=order))
                return True
            case CommandRejected(code=code) if code in SOLD_OUT_CODES:
                self._sold_out += 1
                return True
        return False


class Basket:
    """One user's cart with the scarce thing in it."""

    def __init__(self, ledger: SaleLedger, shop: Shop, token: str) -> None:
        self._ledger = ledger
        self._shop = shop
        self._token = token
        self._version: int | None = None

    async def fill(self, client: Client) -> None:
        """Put the thing into the cart, and watch its product.

        Raises:
            RestError: if the shop does not take it.
        """
        sale = self._ledger.sale
        await client.subscribe(product_topic(sale.product))
        self._version = await self._shop.set_cart_line(sale.variant, 1, token=self._token)

    def order(self) -> PlaceOrder | None:
        """Return the command that orders; None if there is nothing in the cart."""
        if self._version is None:
            return None
        self._ledger.wants()
        return PlaceOrder(cart_version=self._version)

    async def empty(self) -> None:
        """Take the thing out again; what has been ordered is not in the cart any more."""
        try:
            await self._shop.set_cart_line(self._ledger.sale.variant, 0, token=self._token)
        except RestError:
            return
