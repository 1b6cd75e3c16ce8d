"""Licence tests: a shop that sells one product with licences."""

import pytest
import pytest_asyncio

from commerce.delivery import service as delivery
from commerce.licenses import service
from commerce.licenses.adapters.derived_keys import DerivedKeys
from commerce.licenses.model import Policy
from commerce.orders.model import show
from tests.commerce.shop import ADA, Shop

SECRET = "a secret that only these tests know, and nobody else"


class LicenseShop(Shop):
    """Sells things that come with a licence; each act is a transaction of its own."""

    keys = DerivedKeys(SECRET)

    async def sell(self, quantity=1, *, user=ADA, **policy):
        """Have a product with a policy, and a fulfilled order of it; return its licences."""
        order = await self.order(quantity, user=user, **policy)
        return await self.issue(order)

    async def order(self, quantity=1, *, user=ADA, **policy):
        variant = await self.add(f"Inkwell {len(policy)} {quantity} {user[-3:]}", price=0)
        product = (await self.offer(variant)).product
        async with self.database.transaction() as tx:
            await service.set_policies(tx, [Policy(product_id=product, prefix="1NK", **policy)])
        return show(await self.buy(variant, quantity, user=user))

    async def issue(self, order):
        return await self.follow(await self.grants(order))

    async def grants(self, order, *, is_lost=False):
        """Have the grants of licences follow their order."""
        async with self.database.transaction() as tx:
            grants = await delivery.put(tx, order, is_lost=is_lost)
        return [grant for grant in grants if grant.benefit == "license"]

    async def follow(self, grants):
        """Have the licences follow their grants; return those that were issued."""
        async with self.database.transaction() as tx:
            issued = [await service.follow(tx, each.id, keys=self.keys) for each in grants]
        return [held for each in issued for held in each]

    def key(self, held):
        return service.key_of(held, self.keys)

    async def activate(self, key, fingerprint, name=""):
        async with self.database.transaction() as tx:
            return await service.activate(tx, key, fingerprint, name, keys=self.keys)

    async def deactivate(self, key, fingerprint):
        async with self.database.transaction() as tx:
            return await service.deactivate(tx, key, fingerprint, keys=self.keys)

    async def validate(self, key, fingerprint=None):
        async with self.database.transaction() as tx:
            code, _ = await service.validate(tx, key, fingerprint, keys=self.keys)
        return code

    async def view(self, held, *, user=ADA):
        async with self.database.transaction() as tx:
            return await service.view(tx, user, held.id)

    async def set_state(self, held, state):
        async with self.database.transaction() as tx:
            return await service.set_state(tx, ADA, held.id, state, reason="because")


@pytest_asyncio.fixture
async def shop(database):
    shop = LicenseShop(database)
    await shop.open()
    return shop


@pytest.fixture
def keys():
    return DerivedKeys(SECRET)
