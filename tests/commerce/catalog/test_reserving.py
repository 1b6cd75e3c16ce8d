"""Stock that is kept for orders: never oversold, and each step once by its order."""

from datetime import timedelta

import pytest
import pytest_asyncio

from commerce.catalog import service as catalog
from commerce.catalog.errors import OutOfStockError
from commerce.foundation.invariants import look_at
from commerce.foundation.settings import DatabaseSettings
from protocol.ids import OrderId
from protocol.topics import product_topic
from tests.commerce.outbox import events_told, forget_what_was_told
from tests.commerce.racing import lost, race, won

ORDER, ANOTHER = OrderId("ord_1"), OrderId("ord_2")
BUYERS = 8


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=12, acquire_timeout_ms=30_000)


@pytest_asyncio.fixture(autouse=True)
async def everything_adds_up(database):
    """Whatever a test did, the counts are those of the rows."""
    yield
    verdicts = await look_at(database, catalog.INVARIANTS)
    assert [verdict.breaches for verdict in verdicts] == [[]] * len(verdicts)


@pytest.fixture
def act(shop, clock):
    """Do one thing to the stock, in a transaction of its own."""

    async def act(name, *arguments):
        async with shop.database.transaction() as tx:
            if name in {"reserve", "extend"}:
                arguments = (*arguments, clock.now() + timedelta(hours=1))
            await getattr(catalog, name)(tx, *arguments)

    return act


async def counts(shop, variant):
    """Return what is on hand and what of it is kept."""
    async with shop.database.transaction() as tx:
        row = await tx._connection.fetchrow(
            "select on_hand, reserved from variants where id = $1", variant
        )
    return tuple(row)


class TestKeepingStock:
    async def test_leaves_less_to_sell_and_tells_it(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 2})

        assert await shop.stock(variant) == 3
        assert await counts(shop, variant) == (5, 2)
        product = (await shop.offer(variant)).product
        [told] = await events_told(shop.database, product_topic(product))
        assert (told.product.stock, told.product.version) == (3, 2)

    async def test_of_an_order_is_done_once(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 2})
        await act("reserve", ORDER, {variant: 2})

        assert await shop.stock(variant) == 3

    async def test_of_more_than_is_left_keeps_nothing_of_anything(self, shop, act):
        plenty, scarce = await shop.add("Plenty", stock=5), await shop.add("Scarce", stock=1)
        async with shop.database.transaction() as tx:
            with pytest.raises(OutOfStockError, match="Only 1 of Scarce are left"):
                await catalog.reserve(tx, ORDER, {plenty: 2, scarce: 2}, tx.now)
            # The transaction goes on: late money learns so that it has to go back.
            await catalog.reserve(tx, ANOTHER, {plenty: 1}, tx.now)

        assert (await shop.stock(plenty), await shop.stock(scarce)) == (4, 1)

    async def test_of_what_cannot_run_out_is_counted_and_never_refused(self, shop, act):
        variant = await shop.add()
        await act("reserve", ORDER, {variant: 2})
        await act("consume", ORDER)

        assert await counts(shop, variant) == (None, 0)

    async def test_of_nothing_does_nothing(self, shop, act):
        await act("reserve", ORDER, {})
        await act("consume", ORDER)
        await act("release", [ORDER])

        assert await events_told(shop.database) == []


class TestAPaidOrder:
    async def test_uses_what_was_kept_and_leaves_the_rest_to_sell(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 2})
        await forget_what_was_told(shop.database)
        await act("consume", ORDER)
        await act("consume", ORDER)

        assert await counts(shop, variant) == (3, 0)
        assert await events_told(shop.database) == []

    async def test_keeps_it_from_being_released_or_kept_anew(self, shop, act):
        variant = await shop.add(stock=5)
        for step in (
            ("reserve", ORDER, {variant: 2}),
            ("consume", ORDER),
            ("release", [ORDER]),
            ("reserve", ORDER, {variant: 2}),
        ):
            await act(*step)

        assert await counts(shop, variant) == (3, 0)


class TestAnOrderThatIsGivenUp:
    async def test_gives_back_what_it_kept_once(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 2})
        await act("reserve", ANOTHER, {variant: 1})
        await act("release", [ORDER, ANOTHER])
        await act("release", [ORDER])

        assert await counts(shop, variant) == (5, 0)

    async def test_can_keep_it_anew_as_long_as_there_is_enough(self, shop, act):
        variant = await shop.add(stock=2)
        await act("reserve", ORDER, {variant: 2})
        await act("release", [ORDER])
        await act("reserve", ORDER, {variant: 1})
        assert await shop.stock(variant) == 1

        await act("release", [ORDER])
        await act("reserve", ANOTHER, {variant: 2})
        with pytest.raises(OutOfStockError, match="is sold out"):
            await act("reserve", ORDER, {variant: 2})


class TestARefundThatRestocks:
    async def test_puts_back_so_many_in_all_and_never_more(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 3})
        await act("consume", ORDER)
        seen = []
        for in_all in (1, 1, 2, 9, 9):
            await act("put_back", ORDER, {variant: in_all})
            seen.append(await shop.stock(variant))

        assert seen == [3, 3, 4, 5, 5]

    async def test_does_nothing_for_an_order_that_used_nothing(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 3})
        await act("put_back", ORDER, {variant: 3})
        await act("put_back", ANOTHER, {variant: 3})

        assert await counts(shop, variant) == (5, 3)


class TestStaffWhoSayHowManyAreLeft:
    async def test_leave_alone_what_is_kept(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 2})
        await act("change_stock", variant, 0)

        assert (await shop.stock(variant), await counts(shop, variant)) == (0, (2, 2))
        await act("consume", ORDER)
        assert await counts(shop, variant) == (0, 0)


class TestManyBuyersAtOnce:
    async def test_never_keep_more_than_there_is(self, shop, clock):
        variant = await shop.add(stock=3)
        until = clock.now() + timedelta(hours=1)

        outcomes = await race(
            shop.database,
            *(
                lambda tx, n=n: catalog.reserve(tx, OrderId(f"ord_{n}"), {variant: 1}, until)
                for n in range(BUYERS)
            ),
        )

        assert len(won(outcomes)) == 3
        assert lost(outcomes) == [OutOfStockError] * (BUYERS - 3)
        assert await counts(shop, variant) == (3, 3)

    async def test_of_the_same_things_in_other_orders_never_wait_for_each_other(self, shop, clock):
        variants = [await shop.add(f"No {n}", stock=BUYERS) for n in range(4)]
        until = clock.now() + timedelta(hours=1)

        outcomes = await race(
            shop.database,
            *(
                lambda tx, n=n: catalog.reserve(
                    tx,
                    OrderId(f"ord_{n}"),
                    dict.fromkeys(variants[n % 4 :] + variants[: n % 4], 1),
                    until,
                )
                for n in range(BUYERS)
            ),
        )

        assert lost(outcomes) == []
        assert [await shop.stock(variant) for variant in variants] == [0] * 4


class TestAnOrderThatIsPaidAndGivenUpAtOnce:
    async def test_does_one_of_the_two(self, shop, act):
        variant = await shop.add(stock=5)
        await act("reserve", ORDER, {variant: 2})

        await race(
            shop.database,
            *[lambda tx: catalog.consume(tx, ORDER)] * 3,
            *[lambda tx: catalog.release(tx, [ORDER])] * 3,
        )

        assert await counts(shop, variant) in {(3, 0), (5, 0)}

    async def test_is_kept_once_however_often_it_is_asked_for(self, shop, clock):
        variant = await shop.add(stock=5)

        outcomes = await race(
            shop.database,
            *[lambda tx: catalog.reserve(tx, ORDER, {variant: 2}, clock.now())] * BUYERS,
        )

        assert lost(outcomes) == []
        assert await counts(shop, variant) == (5, 2)


class TestACountThatIsWrong:
    async def test_is_found(self, shop):
        variant = await shop.add(stock=5)
        for sql, verdict in (
            ("update variants set reserved = 1", f"{variant} keeps 1 for orders"),
            ("update variants set price_minor = 7", f"{variant} says it costs 7 EUR"),
        ):
            async with shop.database.transaction() as tx:
                await tx.execute(sql)
            found = [
                breach
                for each in await look_at(shop.database, catalog.INVARIANTS)
                for breach in each.breaches
            ]
            assert found[-1].startswith(verdict)
        async with shop.database.transaction() as tx:
            await tx.execute("update variants set reserved = 0, price_minor = 1900")
