import asyncio

import pytest

from commerce.catalog import service as catalog
from commerce.catalog.errors import (
    CategoryNotFoundError,
    ProductNotFoundError,
    VariantNotFoundError,
)
from commerce.catalog.model import ListedAfter, ProductChange, VariantChange
from protocol.events import ProductChanged
from protocol.ids import OrderId, VariantId
from protocol.money import Money
from protocol.topics import product_topic
from tests.commerce.outbox import events_told

NOBODY = VariantId("var_01JD0000000000000000000000")


async def browse(shop, text="", **asked):
    async with shop.database.transaction() as tx:
        cards = await catalog.browse(tx, text=text, **{"limit": 10, **asked})
    return [card.title for card in cards]


class TestBrowsing:
    async def test_shows_the_newest_first(self, shop, clock):
        await shop.add("First")
        clock.advance(seconds=1)
        await shop.add("Second")

        assert await browse(shop) == ["Second", "First"]

    async def test_keeps_to_a_category(self, shop):
        await shop.add("Halden")
        await shop.add("Attic Piano", category="sounds")

        assert await browse(shop, category="sounds") == ["Attic Piano"]

    async def test_leaves_out_what_is_not_published(self, shop):
        await shop.add("Secret", published=False)

        assert await browse(shop) == []
        assert await browse(shop, "secret") == []

    async def test_refuses_a_category_that_is_not_there(self, shop):
        with pytest.raises(CategoryNotFoundError):
            await browse(shop, category="cheese")

    async def test_goes_on_where_a_page_ended(self, shop, clock):
        for number in range(5):
            clock.advance(seconds=1)
            await shop.add(f"No {number}")
        async with shop.database.transaction() as tx:
            page = await catalog.browse(tx, limit=2)
            rest = await catalog.browse(tx, after=ListedAfter(rank=0, id=page[-1].id), limit=10)

        assert [card.title for card in page + rest] == ["No 4", "No 3", "No 2", "No 1", "No 0"]


class TestSearching:
    @pytest.mark.parametrize(
        "text", ["hal", "halden gro", "GROTESK", "calm weights", '"nine weights"', "weight"]
    )
    async def test_finds_words_their_stems_and_their_beginnings(self, shop, text):
        await shop.add("Halden Grotesk", summary="A calm grotesque with nine weights.")
        await shop.add("Marrow Serif", summary="A warm text serif.")

        assert await browse(shop, text) == ["Halden Grotesk"]

    async def test_puts_a_word_of_the_title_before_one_of_the_summary(self, shop):
        await shop.add("Piano of the attic", summary="An upright.")
        await shop.add("Attic Hum", summary="No piano at all.")

        assert await browse(shop, "piano") == ["Piano of the attic", "Attic Hum"]

    async def test_understands_words_to_leave_out(self, shop):
        await shop.add("Kestrel Mono")
        await shop.add("Kestrel Sans")

        assert await browse(shop, "kestrel -mono") == ["Kestrel Sans"]

    @pytest.mark.parametrize("text", ["'", "a:b", "((", '"', "\\", "&|!", "<->", "x'y", "²"])
    async def test_bears_whatever_is_typed(self, shop, text):
        assert await browse(shop, text) == []

    async def test_pages_through_equal_ranks_without_losing_any(self, shop):
        for number in range(7):
            await shop.add(f"Loop {number}")
        seen, after = [], None
        async with shop.database.transaction() as tx:
            while page := await catalog.browse(tx, text="loop", after=after, limit=2):
                seen += [card.title for card in page]
                after = ListedAfter(rank=page[-1].rank, id=page[-1].id)

        assert sorted(seen) == [f"Loop {number}" for number in range(7)]


class TestAProductPage:
    async def test_shows_the_lowest_price_and_all_ways_to_buy(self, shop):
        await shop.add("Halden", price=1000, variants=("One", "Two"))
        async with shop.database.transaction() as tx:
            product = await catalog.show(tx, "halden")

        assert product.card.price == Money(amount_minor=1000, currency="EUR")
        assert [variant.price.amount_minor for variant in product.variants] == [1000, 2000]

    async def test_is_not_there_for_what_is_not_published(self, shop):
        await shop.add("Secret", published=False)
        async with shop.database.transaction() as tx:
            with pytest.raises(ProductNotFoundError):
                await catalog.show(tx, "secret")


class TestChangingAProduct:
    @pytest.mark.parametrize("change", ["price", "stock", "title"])
    async def test_makes_its_version_grow_and_tells_the_product_page(self, shop, change):
        variant = await shop.add("Halden", stock=3)
        product = (await shop.offer(variant)).product
        async with shop.database.transaction() as tx:
            match change:
                case "price":
                    await catalog.change_price(tx, variant, Money(amount_minor=700, currency="EUR"))
                case "stock":
                    await catalog.change_stock(tx, variant, 9)
                case _:
                    await catalog.change_title(tx, product, "Halden Two")

        [told] = await events_told(shop.database, product_topic(product))
        assert isinstance(told, ProductChanged)
        assert told.product.version == 2
        expected = {"price": (700, 3, "Halden"), "stock": (1900, 9, "Halden")}
        assert (told.product.price.amount_minor, told.product.stock, told.product.title) == (
            expected.get(change, (1900, 3, "Halden Two"))
        )

    async def test_is_refused_for_a_variant_that_is_not_there(self, shop):
        async with shop.database.transaction() as tx:
            with pytest.raises(VariantNotFoundError):
                await catalog.change_stock(tx, NOBODY, 1)

    async def test_tells_every_way_to_buy_it(self, shop):
        variant = await shop.add("Halden", stock=3, price=1000, variants=("One", "Two"))
        async with shop.database.transaction() as tx:
            await catalog.change_stock(tx, variant, 1)

        [told] = await events_told(shop.database)
        assert [(each.price.amount_minor, each.stock) for each in told.product.variants] == [
            (1000, 1),
            (2000, 3),
        ]

    async def test_all_at_once_is_one_version_and_one_event(self, shop):
        variant = await shop.add("Halden", stock=3)
        product = (await shop.offer(variant)).product
        change = ProductChange(
            product=product,
            title="Halden Two",
            variants=(
                VariantChange(id=variant, price=Money(amount_minor=5, currency="EUR"), stock=0),
            ),
        )
        async with shop.database.transaction() as tx:
            live = await catalog.change(tx, change)

        [told] = await events_told(shop.database, product_topic(product))
        assert told.product == live
        assert (live.version, live.title, live.price.amount_minor, live.stock) == (
            2,
            "Halden Two",
            5,
            0,
        )

    async def test_by_many_at_once_tells_each_version_once_and_in_order(self, shop):
        variant = await shop.add("Halden", stock=100)
        product = (await shop.offer(variant)).product

        async def act(number):
            async with shop.database.transaction() as tx:
                if number % 2:
                    await catalog.reserve(tx, OrderId(tx.mint("ord")), {variant: 1}, tx.now)
                else:
                    price = Money(amount_minor=1000 + number, currency="EUR")
                    await catalog.change_price(tx, variant, price)

        await asyncio.gather(*(act(number) for number in range(20)))

        told = [event.product for event in await events_told(shop.database, product_topic(product))]
        assert [each.version for each in told] == list(range(2, 22))
        assert told[-1].stock == await shop.stock(variant) == 90
        assert told[-1].price == (await shop.offer(variant)).price

    async def test_says_that_stock_cannot_run_out_once_it_is_unlimited(self, shop):
        variant = await shop.add("Halden", stock=3)
        async with shop.database.transaction() as tx:
            await catalog.change_stock(tx, variant, None)

        [told] = await events_told(shop.database)
        assert told.product.stock is None
