"""Delivery and the orders it follows, together."""

from commerce.delivery import service
from commerce.delivery.model import RETRY_SECONDS
from commerce.orders import service as orders


async def follow(shop, order, **given):
    async with shop.database.transaction() as tx:
        await service.follow(tx, order.id, **given)
        return await orders.of(tx, order.id)


async def sweep(shop, **given):
    async with shop.database.transaction() as tx:
        return await service.sweep(tx, **given)


async def as_if_just_paid(shop, order):
    """Take an order back to where it is paid and nothing is handed over yet."""
    async with shop.database.transaction() as tx:
        await tx.execute(
            "update orders set state = 'paid', fulfilled_at = null, delivery = 'pending'"
            " where id = $1",
            order.id,
        )


async def fail(_tx, _grant):
    raise RuntimeError("no room on the disk")


class TestAnOrder:
    async def test_is_fulfilled_once_everything_is_handed_over(self, shop):
        order = await shop.bought()
        await as_if_just_paid(shop, order)

        after = await follow(shop, order)

        assert (after.state, after.delivery) == ("fulfilled", "delivered")

    async def test_waits_while_something_cannot_be_made_ready_and_is_held_in_the_end(
        self, shop, clock
    ):
        order = await shop.bought(on_refund="revoke", benefit="files")
        await as_if_just_paid(shop, order)

        after = await follow(shop, order, preparations={"files": fail})
        assert (after.state, after.delivery, after.held) == ("paid", "pending", False)
        for seconds in RETRY_SECONDS:
            assert await sweep(shop, preparations={"files": fail}) == 0
            clock.advance(seconds=seconds)
            assert await sweep(shop, preparations={"files": fail}) == 1
        clock.advance(days=1)
        assert await sweep(shop, preparations={"files": fail}) == 0

        async with shop.database.transaction() as tx:
            stuck = await orders.of(tx, order.id)
            assert (stuck.held, stuck.held_reason) == (
                True,
                "could not hand over: no room on the disk",
            )
            await orders.set_held(tx, order.id, held=False, reason="room again")
        assert (await follow(shop, order)).state == "fulfilled"

    async def test_of_which_nobody_has_told_is_found_and_handed_over(self, shop, clock):
        order = await shop.bought()
        await as_if_just_paid(shop, order)

        assert await sweep(shop) == 0
        clock.advance(minutes=2)
        assert await sweep(shop) == 1
        assert await sweep(shop) == 0

        async with shop.database.transaction() as tx:
            assert (await orders.of(tx, order.id)).state == "fulfilled"

    async def test_whose_dispute_is_lost_has_everything_revoked(self, shop):
        order = await shop.bought()
        await follow(shop, order)
        for state, delivery in (("open", "suspended"), ("won", "delivered"), ("lost", "revoked")):
            async with shop.database.transaction() as tx:
                await orders.dispute_is(tx, order.id, state)

            assert (await follow(shop, order)).delivery == delivery
