"""Real connections that start together; whichever wins, the shop must be right."""

import asyncio

import pytest
import pytest_asyncio

from commerce.cart import service as carts
from commerce.cart.errors import CartChangedMeanwhileError
from commerce.catalog.errors import OutOfStockError
from commerce.foundation.settings import DatabaseSettings
from commerce.orders import service as orders
from commerce.orders.errors import IllegalTransitionError
from protocol.ids import UserId
from tests.commerce.orders.gateways import NoGateway
from tests.commerce.racing import lost, race, won
from tests.commerce.shop import ADA, Shop

TABS = 6


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=12, acquire_timeout_ms=30_000)


@pytest_asyncio.fixture
async def shop(database):
    shop = Shop(database)
    await shop.open()
    return shop


class TestManyTabsThatPlaceTheSameCart:
    async def test_make_one_order(self, shop):
        variant = await shop.add(stock=50)
        cart = await shop.put(variant, 2)

        outcomes = await race(
            shop.database,
            *[lambda tx: orders.place(tx, ADA, cart_version=cart.version)] * TABS,
        )

        assert len(won(outcomes)) == 1
        assert lost(outcomes) == [CartChangedMeanwhileError] * (TABS - 1)
        assert await shop.stock(variant) == 48
        async with shop.database.transaction() as tx:
            assert len(await orders.of_buyer(tx, ADA, limit=10)) == 1


class TestManyBuyersOfTheLastOne:
    async def test_leave_one_with_it_and_the_others_with_their_carts(self, shop):
        variant = await shop.add(stock=1)
        buyers = [UserId(f"usr_01JD0000000000000000000{number:03}") for number in range(TABS)]
        carts_of = {buyer: await shop.put(variant, user=buyer) for buyer in buyers}

        outcomes = await race(
            shop.database,
            *[
                lambda tx, buyer=buyer: orders.place(
                    tx, buyer, cart_version=carts_of[buyer].version
                )
                for buyer in buyers
            ],
        )

        assert len(won(outcomes)) == 1
        assert lost(outcomes) == [OutOfStockError] * (TABS - 1)
        assert await shop.stock(variant) == 0
        winner = won(outcomes)[0].buyer_id
        for buyer in set(buyers) - {winner}:
            assert (await shop.cart(buyer)).version == carts_of[buyer].version


class TestATabThatOrdersWhileAnotherFillsTheCart:
    async def test_orders_what_it_saw_or_nothing(self, shop):
        first, second = await shop.add("One"), await shop.add("Two")
        cart = await shop.put(first)

        placed, filled = await race(
            shop.database,
            lambda tx: orders.place(tx, ADA, cart_version=cart.version),
            lambda tx: carts.set_line(tx, ADA, second, quantity=1),
        )

        assert not isinstance(filled, BaseException)
        if isinstance(placed, CartChangedMeanwhileError):
            assert [line.variant for line in filled.lines] == [first, second]
        else:
            assert [line.variant_id for line in placed.lines] == [first]
            assert [line.variant for line in filled.lines] == [second]


class TestTwoTabsThatCancelTheSameOrder:
    async def test_give_its_stock_back_once(self, shop):
        variant = await shop.add(stock=5)
        order = await shop.buy(variant, 2)

        outcomes = await race(shop.database, *[lambda tx: orders.cancel(tx, ADA, order.id)] * TABS)

        assert len(won(outcomes)) == 1
        assert lost(outcomes) == [IllegalTransitionError] * (TABS - 1)
        assert await shop.stock(variant) == 5


class TestAnOrderThatIsCanceledWhileItExpires:
    async def test_ends_in_one_state_and_gives_its_stock_back_once(self, shop, clock):
        variant = await shop.add(stock=5)
        order = await shop.buy(variant, 2)
        clock.advance(hours=25)

        await asyncio.gather(
            orders.call_off(shop.database, NoGateway(), order.id, buyer=ADA),
            orders.expire_due(shop.database, NoGateway()),
            return_exceptions=True,
        )

        found, events = await shop.history(order.id)
        assert found.state in {"canceled", "expired"}
        assert [event.seq for event in events] == [1, 2]
        assert await shop.stock(variant) == 5


class TestManyTabsThatFillAnEmptyCart:
    async def test_share_one_cart_and_lose_no_change(self, shop):
        variants = [await shop.add(f"No {number}") for number in range(TABS)]

        outcomes = await race(
            shop.database,
            *[
                lambda tx, variant=variant: carts.set_line(tx, ADA, variant, quantity=1)
                for variant in variants
            ],
        )

        assert lost(outcomes) == []
        cart = await shop.cart()
        assert {line.variant for line in cart.lines} == set(variants)
        assert cart.version == TABS
