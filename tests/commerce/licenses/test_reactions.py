from commerce.licenses import service
from commerce.licenses.reactions import reactions
from protocol.events import OrderFulfilled
from tests.commerce.shop import ADA


class TestAnOrderThatIsFulfilled:
    async def test_brings_its_licences_once_however_often_it_is_heard(self, shop, keys):
        order = await shop.order(2)
        (reaction,) = reactions(keys)

        assert reaction.event is OrderFulfilled
        for _ in range(2):
            async with shop.database.transaction() as tx:
                await reaction.run(tx, OrderFulfilled(order=order, at_ms=0))

        async with shop.database.transaction() as tx:
            assert len(await service.of_order(tx, order.id, ADA)) == 2
