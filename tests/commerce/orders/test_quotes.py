"""Quotes and what is ordered of them."""

import pytest
import pytest_asyncio

from commerce.cart.errors import CartChangedMeanwhileError, PricesChangedError
from commerce.catalog import service as catalog
from commerce.discounts import service as discounts
from commerce.discounts.errors import DiscountUsedUpError
from commerce.discounts.model import NewDiscount
from commerce.orders import service as orders
from commerce.orders.errors import (
    AlreadyOwnedError,
    QuoteExpiredError,
    QuoteNotFoundError,
    QuoteOutdatedError,
)
from commerce.orders.model import QUOTE_KEPT_DAYS, QUOTE_MINUTES_MAX, show
from protocol.ids import QuoteId
from protocol.money import Money
from tests.commerce.racing import lost, race
from tests.commerce.shop import ADA, BEN


@pytest_asyncio.fixture
async def variant(shop):
    return await shop.add(price=1900, stock=5)


async def quote(shop, cart, *, user=ADA, country="DE", **more):
    async with shop.database.transaction() as tx:
        return await orders.quote(tx, user, cart_version=cart.version, country=country, **more)


async def confirm(shop, offered, *, user=ADA, **more):
    async with shop.database.transaction() as tx:
        return await orders.confirm(tx, user, offered.quote.id, **more)


async def half_off(shop, **more):
    async with shop.database.transaction() as tx:
        await discounts.create(tx, NewDiscount(code="HALF", percent_ppm=500_000, **more))


class TestAQuote:
    async def test_says_what_the_cart_comes_to_with_discount_and_tax(self, shop, variant):
        await half_off(shop)

        offered = await quote(shop, await shop.put(variant, 2), codes=("half",))

        basket = offered.quote.basket
        assert (basket.subtotal_minor, basket.discount_minor) == (3800, 1900)
        assert (basket.total_minor, basket.tax_minor) == (1900, 303)

    async def test_adds_taxes_that_are_not_in_the_price(self, shop, variant):
        offered = await quote(shop, await shop.put(variant), country="CA")

        assert (offered.quote.basket.tax_minor, offered.quote.basket.total_minor) == (95, 1995)

    async def test_is_refused_for_a_cart_that_changed_meanwhile(self, shop, variant):
        cart = await shop.put(variant)
        await shop.put(variant, 2)

        with pytest.raises(CartChangedMeanwhileError):
            await quote(shop, cart)

    async def test_is_not_for_others(self, shop, variant):
        offered = await quote(shop, await shop.put(variant))

        with pytest.raises(QuoteNotFoundError):
            async with shop.database.transaction() as tx:
                await orders.quoted(tx, BEN, offered.quote.id)
        with pytest.raises(QuoteNotFoundError):
            await confirm(shop, offered, user=BEN)

    async def test_is_read_again_as_it_was_given(self, shop, variant):
        offered = await quote(shop, await shop.put(variant), country="CA")

        async with shop.database.transaction() as tx:
            assert await orders.quoted(tx, ADA, offered.quote.id) == offered

    async def test_is_forgotten_long_after_its_end(self, shop, variant, clock):
        offered = await quote(shop, await shop.put(variant))
        clock.advance(hours=QUOTE_KEPT_DAYS * 24 + 1)

        async with shop.database.transaction() as tx:
            assert await orders.forget_quotes(tx) == 1
        with pytest.raises(QuoteNotFoundError):
            async with shop.database.transaction() as tx:
                await orders.quoted(tx, ADA, QuoteId(offered.quote.id))


class TestAnOrderOfAQuote:
    async def test_is_what_was_quoted_to_the_cent(self, shop, variant):
        await half_off(shop)
        offered = await quote(shop, await shop.put(variant, 2), country="CA", codes=("HALF",))

        order = await confirm(shop, offered)

        seen, basket = show(order), offered.quote.basket
        assert seen.total.amount_minor == basket.total_minor == 1995
        assert (seen.discount.amount_minor, seen.tax.amount_minor) == (1900, 95)
        assert seen.taxes == list(basket.taxes)
        assert seen == show((await shop.history(order.id))[0])

    async def test_is_the_same_order_when_it_is_asked_for_again(self, shop, variant):
        offered = await quote(shop, await shop.put(variant))

        first, again = await confirm(shop, offered), await confirm(shop, offered)

        assert again == first

    async def test_is_one_order_when_two_tabs_ask_at_once(self, shop, variant):
        offered = await quote(shop, await shop.put(variant, 2))

        outcomes = await race(
            shop.database, *[lambda tx: orders.confirm(tx, ADA, offered.quote.id)] * 4
        )

        assert lost(outcomes) == []
        assert len({order.id for order in outcomes}) == 1
        assert await shop.stock(variant) == 3

    async def test_is_refused_when_the_time_is_over(self, shop, variant, clock):
        offered = await quote(shop, await shop.put(variant))
        clock.advance(minutes=QUOTE_MINUTES_MAX)

        with pytest.raises(QuoteExpiredError):
            await confirm(shop, offered)

    async def test_is_refused_for_a_cart_that_changed_meanwhile(self, shop, variant):
        offered = await quote(shop, await shop.put(variant))
        await shop.put(variant, 3)

        with pytest.raises(CartChangedMeanwhileError):
            await confirm(shop, offered)

    async def test_is_refused_when_a_price_changed_meanwhile(self, shop, variant):
        offered = await quote(shop, await shop.put(variant))
        async with shop.database.transaction() as tx:
            await catalog.change_price(tx, variant, Money(amount_minor=2000, currency="EUR"))

        with pytest.raises((PricesChangedError, QuoteOutdatedError)):
            await confirm(shop, offered)

    async def test_reserves_a_discount_that_only_one_may_have(self, shop, variant):
        await half_off(shop, redemptions_max=1)
        mine = await quote(shop, await shop.put(variant), codes=("HALF",))
        theirs = await quote(shop, await shop.put(variant, user=BEN), user=BEN, codes=("HALF",))
        order = await confirm(shop, mine)

        with pytest.raises(DiscountUsedUpError):
            await confirm(shop, theirs, user=BEN)

        await shop.cancel(order.id)
        assert (await confirm(shop, theirs, user=BEN)).discount_minor == 950


class TestWhatTheBuyerHasAlready:
    async def test_is_asked_before_it_is_sold_again(self, shop):
        variant = await shop.add(price=0)
        first = await shop.buy(variant)
        offered = await quote(shop, await shop.put(variant))

        assert offered.owned == (first.lines[0].product_id,)
        with pytest.raises(AlreadyOwnedError, match="Halden Grotesk"):
            await confirm(shop, offered)
        assert (await confirm(shop, offered, confirm_repeat=True)).state == "paid"

    async def test_is_not_what_was_never_paid(self, shop, variant):
        await shop.buy(variant)

        assert (await quote(shop, await shop.put(variant))).owned == ()
