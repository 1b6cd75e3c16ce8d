"""What a basket comes to, with today's prices, codes and rates."""

import pytest

from commerce.catalog import service as catalog
from commerce.catalog.errors import VariantNotFoundError
from commerce.catalog.model import ProductChange, VariantChange
from commerce.discounts import service as discounts
from commerce.discounts.errors import DiscountUsedBeforeError, UnknownCodeError
from commerce.discounts.model import NewDiscount
from commerce.pricing import service as pricing
from commerce.pricing.errors import NotSoldInCurrencyError
from commerce.pricing.model import PriceRequest
from protocol.ids import OrderId, VariantId
from protocol.money import Money
from tests.commerce.shop import ADA


async def price(shop, *lines, **asked):
    request = PriceRequest(lines=lines, **{"currency": "EUR"} | asked)
    async with shop.database.transaction() as tx:
        return await pricing.price(tx, request)


class TestABasket:
    async def test_is_priced_line_by_line(self, shop):
        font, piano = await shop.add("Font", price=1190), await shop.add("Piano", stock=4)
        basket = await price(shop, (piano, 1), (font, 2))

        assert [line.title for line in basket.lines] == ["Piano", "Font"]
        assert [line.takes_stock for line in basket.lines] == [True, False]
        assert basket.lines[1].price_id == (await shop.offer(font)).price_id
        assert basket.subtotal_minor == basket.total_minor == 1900 + 2380
        assert basket.tax_minor == 683
        assert [share.name for share in basket.taxes] == ["USt. 19 %"]

    async def test_is_priced_in_the_currency_and_country_that_are_asked_for(self, shop):
        variant = await shop.add(price=1000)
        product = (await shop.offer(variant)).product
        dinars = VariantChange(id=variant, prices=(Money(amount_minor=4500, currency="BHD"),))
        async with shop.database.transaction() as tx:
            await catalog.change(tx, ProductChange(product=product, variants=(dinars,)))
        basket = await price(shop, (variant, 3), currency="BHD", country="BH")

        assert (basket.subtotal_minor, basket.tax_minor, basket.total_minor) == (
            13_500,
            1_350,
            14_850,
        )

    async def test_has_the_rate_of_its_class(self, shop):
        variant = await shop.add(price=1070)
        product = (await shop.offer(variant)).product
        async with shop.database.transaction() as tx:
            await catalog.change(tx, ProductChange(product=product, tax_class="books"))

        assert (await price(shop, (variant, 1))).tax_minor == 70

    async def test_is_refused_in_a_currency_something_is_not_sold_in(self, shop):
        with pytest.raises(NotSoldInCurrencyError):
            await price(shop, (await shop.add(), 1), currency="JPY")

    async def test_is_refused_for_what_is_not_there(self, shop):
        with pytest.raises(VariantNotFoundError):
            await price(shop, (VariantId("var_01JD0000000000000000000000"), 1))


class TestCodes:
    async def test_take_off_what_they_say(self, shop):
        async with shop.database.transaction() as tx:
            spring = await discounts.create(tx, NewDiscount(code="SPRING", percent_ppm=100_000))
        basket = await price(shop, (await shop.add(price=1000), 2), codes=("spring",))

        assert (basket.discount_minor, basket.total_minor) == (200, 1800)
        assert basket.discount_ids == (spring.id,)

    async def test_are_looked_at_for_the_customer(self, shop):
        variant = await shop.add(price=1000)
        async with shop.database.transaction() as tx:
            spring = await discounts.create(
                tx, NewDiscount(code="SPRING", percent_ppm=100_000, once_a_customer=True)
            )
            await discounts.reserve(tx, OrderId("ord_1"), ADA, [spring.id])

        with pytest.raises(DiscountUsedBeforeError):
            await price(shop, (variant, 2), codes=("SPRING",), customer=ADA)
        assert (await price(shop, (variant, 2), codes=("SPRING",))).discount_minor == 200
        with pytest.raises(UnknownCodeError):
            await price(shop, (variant, 2), codes=("AUTUMN",))
