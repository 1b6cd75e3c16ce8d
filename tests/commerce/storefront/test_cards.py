import pytest
import pytest_asyncio

from commerce.accounts.model import NewUser
from commerce.accounts.service import import_user
from commerce.app import create_app
from commerce.catalog import service as catalog
from commerce.settings import CommerceSettings
from protocol.money import Money
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in
from tests.commerce.shop import ADA, BEN, Shop

STAFF = "usr_01JD00000000000000000000C1"
NOWHERE = "prd_01JD0000000000000000000009", "ord_01JD0000000000000000000009"


@pytest_asyncio.fixture
async def shop(database):
    shop = Shop(database)
    await shop.open()
    async with database.transaction() as tx:
        for user, roles in ((ADA, ()), (BEN, ()), (STAFF, ("staff",))):
            email = f"{user}@example.org"
            await import_user(tx, NewUser(id=user, email=email, name=user, roles=roles))
    return shop


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest.fixture
def caller(app, redis, clock):
    async def caller(user):
        if user is None:
            return Caller(app)
        return await sign_in(app, redis, clock, Person(id=user, name=user))

    return caller


async def cards(caller, *refs):
    answer = await caller.get("/v1/cards", refs=",".join(refs))
    assert answer.status == 200, answer.body
    return answer.body["items"]


class TestTheCardOfAProduct:
    async def test_has_todays_price_and_stock_for_anyone(self, shop, caller, database):
        variant = await shop.add(price=1900, stock=3)
        product = (await shop.offer(variant)).product
        visitor = await caller(None)
        [before] = await cards(visitor, product)

        async with database.transaction() as tx:
            await catalog.change_price(tx, variant, Money(amount_minor=900, currency="EUR"))
            await catalog.change_stock(tx, variant, 1)
        [after] = await cards(visitor, product)

        assert (before["kind"], before["price"]["amount_minor"], before["stock"]) == (
            "product",
            1900,
            3,
        )
        assert (after["price"]["amount_minor"], after["stock"]) == (900, 1)
        assert after["version"] > before["version"]

    async def test_is_blank_while_the_product_is_not_published(self, shop, caller):
        product = (await shop.offer(await shop.add(published=False))).product

        assert await cards(await caller(ADA), product) == [{"kind": "blank", "ref": product}]


class TestTheCardOfAnOrder:
    async def test_is_for_the_buyer_and_staff(self, shop, caller):
        order = await shop.buy(await shop.add(price=0))

        shown = {user: await cards(await caller(user), order.id) for user in (ADA, STAFF)}

        assert shown[ADA] == shown[STAFF]
        assert (shown[ADA][0]["kind"], shown[ADA][0]["number"]) == ("order", order.number)

    async def test_is_blank_to_anyone_else_like_one_that_is_not_there(self, shop, caller):
        order = await shop.buy(await shop.add(price=0))

        for user in (BEN, None):
            found = await cards(await caller(user), order.id, *NOWHERE)
            assert found == [{"kind": "blank", "ref": ref} for ref in (order.id, *NOWHERE)]


class TestAskingForCards:
    @pytest.mark.parametrize(
        "refs", ["", "usr_01JD00000000000000000000A1", "prd_1", "prd_01JD0000000000000000000009,"]
    )
    async def test_takes_references_only(self, caller, refs):
        answer = await (await caller(None)).get("/v1/cards", refs=refs)

        assert (answer.status, answer.code) == (422, "invalid")

    async def test_takes_fifty_at_once(self, caller):
        visitor = await caller(None)
        refs = [f"prd_{number:026d}" for number in range(51)]

        assert len(await cards(visitor, *refs[:50])) == 50
        assert (await visitor.get("/v1/cards", refs=",".join(refs))).status == 422


class TestTheSupportRoomOfAnOrder:
    async def test_is_one_for_its_buyer_and_staff(self, shop, caller):
        order = await shop.buy(await shop.add(price=0))
        path = f"/v1/orders/{order.id}/support"

        opened = [await (await caller(user)).post(path, {}) for user in (ADA, STAFF, ADA)]
        room = await (await caller(ADA)).get(f"/v1/rooms/{opened[0].body['room']}")

        assert {answer.status for answer in opened} == {200}
        assert len({answer.body["room"] for answer in opened}) == 1
        assert (room.body["kind"], room.body["order"]) == ("support", order.id)
        assert room.body["title"] == f"Order {order.number}"

    async def test_is_hidden_from_everybody_else(self, shop, caller):
        order = await shop.buy(await shop.add(price=0))

        refused = await (await caller(BEN)).post(f"/v1/orders/{order.id}/support", {})

        assert (refused.status, refused.code) == (404, "order_not_found")
