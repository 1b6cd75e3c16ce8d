import pytest

from commerce.delivery.reactions import REACTIONS
from commerce.orders import service as orders
from commerce.orders.model import show
from protocol.events import OrderDisputeClosed

TELLING_MORE = {OrderDisputeClosed: {"won": True}}


@pytest.mark.parametrize("reaction", REACTIONS, ids=lambda each: each.name)
async def test_whatever_is_heard_of_an_order_is_followed(shop, reaction):
    order = await shop.bought()
    told = reaction.event(order=order, at_ms=0, **TELLING_MORE.get(reaction.event, {}))

    async with shop.database.transaction() as tx:
        await reaction.run(tx, told)

    assert [grant.state for grant in await shop.grants(order)] == ["granted"]


async def test_what_is_heard_late_is_followed_as_it_stands_now(shop):
    order = await shop.bought()
    reaction = REACTIONS[0]
    async with shop.database.transaction() as tx:
        await orders.dispute_is(tx, order.id, "open")

    async with shop.database.transaction() as tx:
        await reaction.run(tx, reaction.event(order=order, at_ms=0))

    assert [grant.state for grant in await shop.grants(order)] == ["suspended"]
    async with shop.database.transaction() as tx:
        assert show(await orders.of(tx, order.id)).delivery == "suspended"
