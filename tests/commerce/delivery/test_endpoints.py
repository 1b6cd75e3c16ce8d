import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import sign_in
from tests.commerce.shop import ADA, BEN


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def ben(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))


class TestABuyer:
    async def test_sees_what_they_have_by_an_order_and_nobody_else_does(self, shop, ada, ben):
        order = await shop.bought()
        (grant,) = await shop.follow(order)

        seen = await ada.get(f"/v1/orders/{order.id}/grants")
        other = await ben.get(f"/v1/orders/{order.id}/grants")

        assert seen.body["items"] == [
            {
                "id": grant.id,
                "version": 1,
                "order": order.id,
                "line": grant.line_id,
                "product": grant.product_id,
                "benefit": "access",
                "state": "granted",
            }
        ]
        assert other.body["items"] == []

    async def test_lists_everything_page_by_page(self, shop, ada):
        for quantity in (1, 2, 3):
            await shop.follow(await shop.bought(quantity))

        first = await ada.get("/v1/grants", limit=2)
        rest = await ada.get("/v1/grants", limit=2, after=first.body["next"])

        assert [len(page.body["items"]) for page in (first, rest)] == [2, 1]
        assert rest.body["next"] is None
