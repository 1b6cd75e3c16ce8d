"""Prices in several currencies, and their versions."""

import asyncpg
import pytest

from commerce.catalog import service as catalog
from commerce.catalog.errors import BasePriceNeededError
from commerce.catalog.model import ProductChange, VariantChange, first_price_of
from protocol.money import Money

EUR, JPY, KWD = (
    Money(amount_minor=amount, currency=currency)
    for amount, currency in ((1900, "EUR"), (3100, "JPY"), (6400, "KWD"))
)


async def change(shop, variant, **changes):
    product = (await shop.offer(variant)).product
    wanted = ProductChange(product=product, variants=(VariantChange(id=variant, **changes),))
    async with shop.database.transaction() as tx:
        await catalog.change(tx, wanted)


async def offer(shop, variant, currency):
    async with shop.database.transaction() as tx:
        return (await catalog.offers(tx, [variant], currency=currency))[variant]


async def prices(shop, variant):
    product = (await shop.offer(variant)).product
    async with shop.database.transaction() as tx:
        return (await catalog.prices(tx, [product]))[variant]


class TestAVariantThatIsBroughtIn:
    async def test_has_its_first_price_by_its_own_ulid(self, shop):
        variant = await shop.add(price=1900)

        assert (await shop.offer(variant)).price_id == first_price_of(variant)
        [price] = await prices(shop, variant)
        assert (price.money, price.version, price.active) == (EUR, 1, True)


class TestPricesInSeveralCurrencies:
    async def test_are_offered_in_the_currency_that_is_asked_for(self, shop):
        variant = await shop.add(price=1900)
        await change(shop, variant, prices=(JPY, KWD))

        assert (await offer(shop, variant, "JPY")).price == JPY
        assert (await offer(shop, variant, "KWD")).price == KWD
        assert (await offer(shop, variant, None)).price == EUR

    async def test_fall_back_to_the_variants_own(self, shop):
        assert (await offer(shop, await shop.add(price=1900), "JPY")).price == EUR

    async def test_can_be_withdrawn(self, shop):
        variant = await shop.add(price=1900)
        await change(shop, variant, prices=(JPY,))
        await change(shop, variant, withdrawn=("JPY",))

        assert (await offer(shop, variant, "JPY")).price == EUR

    async def test_keep_the_one_where_nothing_is_asked_for(self, shop):
        variant = await shop.add(price=1900)

        with pytest.raises(BasePriceNeededError):
            await change(shop, variant, withdrawn=("EUR",))

    async def test_change_what_is_shown_where_they_are_the_variants_own(self, shop):
        variant = await shop.add(price=1900)
        await change(shop, variant, prices=(Money(amount_minor=2100, currency="EUR"),))

        assert (await shop.offer(variant)).price.amount_minor == 2100


class TestAPrice:
    async def test_that_is_changed_is_another_version(self, shop):
        variant = await shop.add(price=1900)
        before = await shop.offer(variant)
        await change(shop, variant, price=Money(amount_minor=2000, currency="EUR"))
        after = await shop.offer(variant)

        assert after.price_id != before.price_id
        [price] = await prices(shop, variant)
        assert (price.id, price.version) == (after.price_id, 2)

    async def test_that_is_set_again_stays_the_same_version(self, shop):
        variant = await shop.add(price=1900)
        before = await shop.offer(variant)
        await change(shop, variant, price=EUR)

        assert await shop.offer(variant) == before

    async def test_never_changes(self, shop):
        variant = await shop.add()

        for sql in ("update prices set amount_minor = 1", "update prices set active = true"):
            with pytest.raises(asyncpg.RaiseError, match="never changes"):
                async with shop.database.transaction() as tx:
                    await tx.execute(sql)
        assert (await shop.offer(variant)).price == EUR
