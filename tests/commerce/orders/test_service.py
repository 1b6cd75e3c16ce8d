from datetime import timedelta

import asyncpg
import pytest

from commerce.cart.errors import CartChangedMeanwhileError, CartEmptyError, PricesChangedError
from commerce.catalog import service as catalog
from commerce.catalog.errors import OutOfStockError
from commerce.orders import service as orders
from commerce.orders.errors import IllegalTransitionError, OrderNotFoundError
from commerce.orders.model import PAYMENT_HOURS_MAX
from protocol.events import (
    CartChanged,
    OrderCanceled,
    OrderExpired,
    OrderPaid,
    OrderPlaced,
)
from protocol.ids import OrderId
from protocol.money import Money
from protocol.topics import order_topic, user_topic
from tests.commerce.orders.gateways import NoGateway
from tests.commerce.outbox import events_told, everything_told, forget_what_was_told
from tests.commerce.shop import ADA, BEN


class TestPlacingAnOrder:
    async def test_waits_for_its_payment_when_something_costs_money(self, shop):
        variant = await shop.add(price=1900)

        order = await shop.buy(variant, 2)

        assert order.state == "awaiting_payment"
        assert order.total_minor == 3800
        _, events = await shop.history(order.id)
        assert [event.type for event in events] == ["order_placed"]

    async def test_is_paid_at_once_when_it_is_free(self, shop):
        order = await shop.buy(await shop.add(price=0))

        assert order.state == "paid"
        assert [type(told) for told in await events_told(shop.database, order_topic(order.id))] == [
            OrderPlaced,
            OrderPaid,
        ]
        _, events = await shop.history(order.id)
        assert [(event.seq, event.from_state, event.to_state) for event in events] == [
            (1, "draft", "awaiting_payment"),
            (2, "awaiting_payment", "paid"),
        ]

    async def test_tells_the_same_facts_to_the_order_and_its_buyer(self, shop):
        order = await shop.buy(await shop.add(price=0))

        told = [each for each in await everything_told(shop.database) if each.kind == "event"]
        on_order = [each.event_id for each in told if each.topic == order_topic(order.id)]
        on_buyer = [
            each.event_id
            for each in told
            if each.topic == user_topic(ADA) and not isinstance(each.event, CartChanged)
        ]
        assert on_order == on_buyer
        assert len(set(on_order)) == 2
        _, events = await shop.history(order.id)
        assert [event.event_id for event in events] == on_order

    async def test_lets_the_buyer_hear_of_the_order_before_anything_is_told(self, shop):
        order = await shop.buy(await shop.add())

        first, *_ = await everything_told(shop.database, order_topic(order.id))
        assert (first.kind, first.member, first.role) == ("grant", ADA, "buyer")

    async def test_uses_the_cart_up_and_opens_an_empty_one_with_a_higher_version(self, shop):
        variant = await shop.add()
        before = await shop.put(variant)

        await shop.place(before.version)

        after = await shop.cart()
        assert after.lines == []
        assert after.id != before.id
        assert after.version > before.version

    async def test_keeps_the_price_it_was_placed_at(self, shop):
        variant = await shop.add(price=1900)
        order = await shop.buy(variant)
        async with shop.database.transaction() as tx:
            await catalog.change_price(tx, variant, Money(amount_minor=1, currency="EUR"))

        found, _ = await shop.history(order.id)
        assert found.total_minor == 1900

    async def test_is_refused_for_a_cart_that_changed_meanwhile(self, shop):
        variant = await shop.add()
        cart = await shop.put(variant)
        await shop.put(variant, 2)

        with pytest.raises(CartChangedMeanwhileError, match="now at version 2"):
            await shop.place(cart.version)

    async def test_is_refused_a_second_time_for_the_same_cart(self, shop):
        cart = await shop.put(await shop.add())
        await shop.place(cart.version)

        with pytest.raises(CartChangedMeanwhileError):
            await shop.place(cart.version)

    async def test_is_refused_for_an_empty_cart(self, shop):
        cart = await shop.cart()

        with pytest.raises(CartEmptyError):
            await shop.place(cart.version)

    async def test_is_refused_at_a_price_the_buyer_has_not_seen(self, shop):
        variant = await shop.add(price=1900)
        cart = await shop.put(variant)
        async with shop.database.transaction() as tx:
            await catalog.change_price(tx, variant, Money(amount_minor=9900, currency="EUR"))

        with pytest.raises(PricesChangedError, match="Halden Grotesk"):
            await shop.place(cart.version)

        seen = await shop.cart()
        assert seen.version > cart.version
        assert (await shop.place(seen.version)).total_minor == 9900

    async def test_takes_limited_stock_with_it(self, shop):
        variant = await shop.add(stock=5)

        await shop.buy(variant, 2)

        assert await shop.stock(variant) == 3

    async def test_leaves_everything_as_it_was_when_stock_ran_out_meanwhile(self, shop):
        variant = await shop.add(stock=1)
        mine, theirs = await shop.put(variant, user=ADA), await shop.put(variant, user=BEN)
        await shop.place(theirs.version, user=BEN)
        await forget_what_was_told(shop.database)

        with pytest.raises(OutOfStockError):
            await shop.place(mine.version, user=ADA)

        assert (await shop.cart()).version == mine.version
        assert await everything_told(shop.database) == []

    async def test_gives_each_order_a_number_of_its_own(self, shop):
        variant = await shop.add()

        numbers = [(await shop.buy(variant)).number for _ in range(3)]

        assert numbers == ["R-2026-000001", "R-2026-000002", "R-2026-000003"]


class TestCancelingAnOrder:
    async def test_gives_the_stock_back_and_says_so(self, shop):
        variant = await shop.add(stock=5)
        order = await shop.buy(variant, 2)
        await forget_what_was_told(shop.database)

        canceled = await shop.cancel(order.id)

        assert (canceled.state, canceled.version) == ("canceled", 2)
        assert await shop.stock(variant) == 5
        [told] = await events_told(shop.database, order_topic(order.id))
        assert isinstance(told, OrderCanceled)

    async def test_gives_nothing_back_that_was_not_taken(self, shop):
        variant = await shop.add(stock=None)
        order = await shop.buy(variant, 2)
        async with shop.database.transaction() as tx:
            await catalog.change_stock(tx, variant, 10)

        await shop.cancel(order.id)

        assert await shop.stock(variant) == 10

    @pytest.mark.parametrize("price", [0, 1900])
    async def test_is_refused_once_there_is_nothing_to_cancel(self, shop, price):
        order = await shop.buy(await shop.add(price=price))
        if price:
            await shop.cancel(order.id)

        with pytest.raises(IllegalTransitionError):
            await shop.cancel(order.id)

    async def test_is_not_for_others(self, shop):
        order = await shop.buy(await shop.add())

        with pytest.raises(OrderNotFoundError):
            await shop.cancel(order.id, user=BEN)


class TestAnOrderThatIsNotPaid:
    async def expire(self, shop):
        return await orders.expire_due(shop.database, NoGateway())

    async def test_expires_after_a_day_and_gives_its_stock_back(self, shop, clock):
        variant = await shop.add(stock=5)
        order = await shop.buy(variant, 2)
        clock.advance(hours=PAYMENT_HOURS_MAX, seconds=1)

        assert await self.expire(shop) == 1

        found, events = await shop.history(order.id)
        assert found.state == "expired"
        assert events[-1].type == "order_expired"
        assert await shop.stock(variant) == 5
        assert isinstance((await events_told(shop.database, user_topic(ADA)))[-1], OrderExpired)

    async def test_is_left_alone_before(self, shop, clock):
        await shop.buy(await shop.add())
        clock.advance(hours=PAYMENT_HOURS_MAX)

        assert await self.expire(shop) == 0

    async def test_expires_once(self, shop, clock):
        variant = await shop.add(stock=5)
        await shop.buy(variant)
        clock.advance(hours=PAYMENT_HOURS_MAX, seconds=1)
        await self.expire(shop)

        assert await self.expire(shop) == 0
        assert await shop.stock(variant) == 5


class TestTheHistoryOfAnOrder:
    @pytest.mark.parametrize(
        "rewrite",
        [
            "update order_events set type = 'order_paid'",
            "delete from order_events",
            "truncate order_events",
        ],
    )
    async def test_cannot_be_rewritten(self, shop, rewrite):
        await shop.buy(await shop.add())

        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            async with shop.database.transaction() as tx:
                await tx.execute(rewrite)

    async def test_is_not_for_others(self, shop):
        order = await shop.buy(await shop.add())

        with pytest.raises(OrderNotFoundError):
            await shop.history(order.id, user=BEN)


class TestTheListOfOnesOrders:
    async def test_is_read_page_by_page_the_newest_first(self, shop, clock):
        variant = await shop.add()
        placed = []
        for _ in range(5):
            clock.advance(seconds=1)
            placed.append((await shop.buy(variant)).id)
        await shop.buy(variant, user=BEN)

        async with shop.database.transaction() as tx:
            first = await orders.of_buyer(tx, ADA, limit=2)
            rest = await orders.of_buyer(tx, ADA, after=first[-1].id, limit=10)

        assert [order.id for order in first + rest] == placed[::-1]
        assert all(len(order.lines) == 1 for order in first + rest)


class TestTheRightsToOrders:
    async def test_are_each_buyers_own(self, shop):
        mine = await shop.buy(await shop.add())
        async with shop.database.transaction() as tx:
            rights = [right async for right in orders.access(tx)]

        assert rights == [(order_topic(mine.id), ADA, "buyer")]


async def test_an_order_nobody_placed_is_not_found(shop):
    with pytest.raises(OrderNotFoundError):
        await shop.history(OrderId("ord_01JD0000000000000000000000"))


def test_a_day_is_what_an_order_waits():
    assert timedelta(hours=PAYMENT_HOURS_MAX) == timedelta(days=1)
