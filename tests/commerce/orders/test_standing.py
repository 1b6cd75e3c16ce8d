"""What becomes of paid orders; each act is a transaction, each step one row and one event."""

import pytest
import pytest_asyncio

from commerce.orders import service as orders
from commerce.orders.errors import NotForThisStateError, OrderNotFoundError
from commerce.orders.model import OrderFilter
from protocol.events import OrderDeliveryChanged, OrderHeld, OrderRefunded, OrderReleased
from protocol.ids import OrderId
from protocol.topics import order_topic, user_topic
from tests.commerce.outbox import events_told, forget_what_was_told
from tests.commerce.shop import ADA, BEN


async def said(shop, act, *told, **more):
    async with shop.database.transaction() as tx:
        return await act(tx, *told, **more)


async def pay(shop, order):
    """Have an order's money: until payments are wired it is written down by hand."""
    async with shop.database.transaction() as tx:
        await tx.execute(
            "update orders set state = 'paid', captured_minor = total_minor, paid_at = $2,"
            " delivery = 'pending', pay_until = null where id = $1",
            order.id,
            tx.now,
        )
        return await orders.of(tx, order.id)


@pytest_asyncio.fixture
async def paid(shop):
    order = await pay(shop, await shop.buy(await shop.add(price=1900), 2))
    await forget_what_was_told(shop.database)
    return order


class TestAPaidOrder:
    async def test_is_fulfilled_once(self, shop, paid):
        first = await said(shop, orders.fulfil, paid.id)
        again = await said(shop, orders.fulfil, paid.id)

        assert (first.state, first.delivery, first.version) == ("fulfilled", "delivered", 2)
        assert again == first

    async def test_is_given_back_line_by_line_and_folds_back(self, shop, paid):
        [line] = paid.lines

        await said(shop, orders.refunds_are, paid.id, {line.id: 900})
        partly, _ = await shop.history(paid.id)
        await said(shop, orders.refunds_are, paid.id, {})
        back, events = await shop.history(paid.id)

        assert (partly.state, partly.refunded_minor) == ("partially_refunded", 900)
        assert (back.state, back.refunded_minor) == ("paid", 0)
        assert [(event.from_state, event.to_state) for event in events[1:]] == [
            ("paid", "partially_refunded"),
            ("partially_refunded", "paid"),
        ]
        told = await events_told(shop.database, order_topic(paid.id))
        assert [type(event) for event in told] == [OrderRefunded] * 2

    async def test_is_held_and_released_with_a_reason_buyers_do_not_read(self, shop, paid):
        await said(shop, orders.set_held, paid.id, held=True, reason="four cards in an hour")
        await said(shop, orders.set_held, paid.id, held=True, reason="again")
        held, _ = await shop.history(paid.id)
        await said(shop, orders.set_held, paid.id, held=False, reason="it is a library")

        assert (held.held, held.held_reason) == (True, "four cards in an hour")
        told = await events_told(shop.database, user_topic(ADA))
        assert [type(event) for event in told] == [OrderHeld, OrderReleased]
        assert "cards" not in repr(told)

    async def test_is_disputed_and_the_bank_decides(self, shop, paid):
        opened = await said(shop, orders.dispute_is, paid.id, "open")
        lost = await said(shop, orders.dispute_is, paid.id, "lost")

        assert (opened.is_disputed, lost.is_disputed, lost.dispute) == (True, False, "lost")
        closed = (await events_told(shop.database, order_topic(paid.id)))[-1]
        assert not closed.won

    async def test_tells_what_becomes_of_its_goods_once(self, shop, paid):
        await said(shop, orders.delivery_is, paid.id, "suspended")
        again = await said(shop, orders.delivery_is, paid.id, "suspended")

        assert (again.delivery, again.version) == ("suspended", 2)
        [told] = await events_told(shop.database, order_topic(paid.id))
        assert isinstance(told, OrderDeliveryChanged)
        assert told.order.delivery == "suspended"


class TestAnUnpaidOrder:
    async def test_cannot_be_disputed_or_delivered(self, shop):
        order = await shop.buy(await shop.add())

        with pytest.raises(NotForThisStateError):
            await said(shop, orders.dispute_is, order.id, "open")
        with pytest.raises(NotForThisStateError):
            await said(shop, orders.delivery_is, order.id, "delivered")


async def test_an_order_that_is_not_there_is_not_held(shop):
    with pytest.raises(OrderNotFoundError):
        await said(shop, orders.hold_row, OrderId("ord_01JD0000000000000000000000"))


class TestStaff:
    async def test_find_orders_by_whatever_they_know(self, shop, clock):
        variant, other = await shop.add("One"), await shop.add("Two")
        first = await shop.buy(variant)
        clock.advance(hours=1)
        second = await shop.buy(other, user=BEN)
        await said(shop, orders.set_held, second.id, held=True, reason="odd")
        product = first.lines[0].product_id

        async def found(**wanted):
            async with shop.database.transaction() as tx:
                listed = await orders.search(tx, OrderFilter(**wanted), limit=10)
            return [order.id for order in listed]

        assert await found() == [second.id, first.id]
        assert await found(state="awaiting_payment") == [second.id, first.id]
        assert await found(state="paid") == []
        assert await found(buyer=BEN) == [second.id]
        assert await found(number=first.number) == [first.id]
        assert await found(product=product) == [first.id]
        assert await found(held=True) == [second.id]
        assert await found(held=False) == [first.id]
        assert await found(disputed=True) == []
        assert await found(placed_from=second.placed_at) == [second.id]
        assert await found(placed_until=second.placed_at) == [first.id]

    async def test_turn_the_pages_of_what_they_find(self, shop, clock):
        variant = await shop.add()
        for _ in range(3):
            clock.advance(seconds=1)
            await shop.buy(variant)

        async with shop.database.transaction() as tx:
            first = await orders.search(tx, OrderFilter(), limit=2)
            rest = await orders.search(tx, OrderFilter(), after=first[-1].id, limit=2)

        assert len({order.id for order in first + rest}) == 3
