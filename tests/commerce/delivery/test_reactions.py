import pytest

from commerce.delivery.reactions import REACTIONS
from protocol.events import (
    OrderDisputeClosed,
    OrderDisputed,
    OrderHeld,
    OrderPaid,
    OrderRefunded,
    OrderReleased,
)
from tests.commerce.delivery.conftest import later

FACTS = {
    OrderPaid: {},
    OrderRefunded: {},
    OrderDisputed: {},
    OrderDisputeClosed: {"won": True},
    OrderHeld: {},
    OrderReleased: {},
}


@pytest.mark.parametrize("reaction", REACTIONS, ids=lambda each: each.name)
async def test_whatever_is_heard_of_an_order_is_followed(shop, reaction):
    order = await shop.bought()

    async with shop.database.transaction() as tx:
        await reaction.run(tx, reaction.event(order=order, at_ms=0, **FACTS[reaction.event]))

    assert [grant.state for grant in await shop.grants(order)] == ["granted"]


async def test_a_dispute_that_is_lost_takes_everything(shop):
    order = await shop.bought()
    await shop.follow(order)
    (reaction,) = [each for each in REACTIONS if each.event is OrderDisputeClosed]

    async with shop.database.transaction() as tx:
        await reaction.run(tx, OrderDisputeClosed(order=later(order), won=False, at_ms=0))

    assert [grant.state for grant in await shop.grants(order)] == ["revoked"]
