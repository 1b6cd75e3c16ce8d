"""Delivery tests: orders as they are told of, and the grants that follow them."""

import msgspec
import pytest_asyncio

from commerce.delivery import service
from commerce.delivery.model import ProductBenefit
from commerce.orders.model import show
from protocol.money import Money
from tests.commerce.shop import ADA, Shop


class DeliveryShop(Shop):
    """Sells free things and tells delivery what is said to have become of the orders."""

    async def bought(self, quantity=1, *, user=ADA, on_refund=None, benefit="license"):
        """Return an order of one line, of a product that comes with a benefit if so said."""
        variant = await self.add(f"Inkwell {quantity} {on_refund} {benefit}", price=0)
        if on_refund is not None:
            product = (await self.offer(variant)).product
            await self.promise(product, benefit, on_refund)
        return show(await self.buy(variant, quantity, user=user))

    async def promise(self, product, benefit, on_refund="revoke"):
        told = ProductBenefit(product_id=product, benefit=benefit, on_refund=on_refund)
        async with self.database.transaction() as tx:
            await service.set_benefits(tx, [told])

    async def follow(self, order, **given):
        async with self.database.transaction() as tx:
            return await service.put(tx, order, **given)

    async def grants(self, order):
        async with self.database.transaction() as tx:
            return await service.of_order(tx, order.id)


def later(order, **facts):
    """Return an order in its next version."""
    return msgspec.structs.replace(order, version=order.version + 1, **facts)


def refunded(order, amount_minor, *, of=300, state="partially_refunded"):
    """Return an order of one line in its next version, of which so much was given back."""
    (line,) = order.lines
    line = msgspec.structs.replace(
        line,
        refunded=Money(amount_minor=amount_minor, currency="EUR"),
        total=Money(amount_minor=of, currency="EUR"),
    )
    return later(order, lines=[line], state=state)


@pytest_asyncio.fixture
async def shop(database):
    shop = DeliveryShop(database)
    await shop.open()
    return shop
