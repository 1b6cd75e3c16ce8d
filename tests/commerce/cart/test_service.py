import pytest

from commerce.cart.errors import (
    CartChangedMeanwhileError,
    NotForSaleError,
)
from commerce.cart.reactions import COMMANDS
from commerce.catalog import service as catalog
from commerce.catalog.errors import OutOfStockError, VariantNotFoundError
from commerce.foundation.commands import Caller
from protocol.commands import CartResult, SetCartLine
from protocol.events import CartChanged
from protocol.ids import SessionId, VariantId
from protocol.money import Money
from protocol.topics import user_topic
from tests.commerce.outbox import events_told, forget_what_was_told
from tests.commerce.shop import ADA, BEN

NOWHERE = VariantId("var_01JD0000000000000000000000")


class TestSettingALine:
    async def test_tells_every_tab_the_whole_cart(self, shop):
        cart = await shop.put(await shop.add("Halden", price=1900), 2)

        [told] = await events_told(shop.database, user_topic(ADA))
        assert told == CartChanged(cart=cart)
        assert cart.version == 1
        [line] = cart.lines
        assert (line.title, line.quantity, line.total.amount_minor) == ("Halden", 2, 3800)

    async def test_tells_nothing_when_nothing_changes(self, shop):
        variant = await shop.add()
        before = await shop.put(variant, 2)
        await forget_what_was_told(shop.database)

        after = await shop.put(variant, 2)

        assert after == before
        assert await events_told(shop.database) == []

    async def test_to_nothing_takes_it_out(self, shop):
        variant = await shop.add()
        await shop.put(variant, 2)

        cart = await shop.put(variant, 0)

        assert (cart.lines, cart.version) == ([], 2)
        assert (await shop.cart()).lines == []

    async def test_at_the_version_one_knows_is_taken(self, shop):
        variant = await shop.add()
        await shop.put(variant)

        assert (await shop.put(variant, 2, version=1)).version == 2

    @pytest.mark.parametrize("version", [0, 2])
    async def test_at_another_version_is_refused_with_the_one_it_is_at(self, shop, version):
        variant = await shop.add()
        await shop.put(variant)

        with pytest.raises(CartChangedMeanwhileError, match="now at version 1") as refused:
            await shop.put(variant, 2, version=version)
        assert refused.value.version == 1

    async def test_is_refused_for_what_is_not_there(self, shop):
        with pytest.raises(VariantNotFoundError):
            await shop.put(NOWHERE)

    async def test_is_refused_for_what_is_not_published(self, shop):
        with pytest.raises(NotForSaleError):
            await shop.put(await shop.add(published=False))

    async def test_is_refused_for_more_than_is_left(self, shop):
        with pytest.raises(OutOfStockError):
            await shop.put(await shop.add(stock=1), 2)

    async def test_leaves_other_peoples_carts_alone(self, shop):
        await shop.put(await shop.add())

        assert (await shop.cart(BEN)).lines == []


class TestReadingACart:
    async def test_opens_one_that_stays_the_same(self, shop):
        first = await shop.cart()

        assert await shop.cart() == first
        assert (first.version, first.total) == (0, Money(amount_minor=0, currency="EUR"))

    async def test_shows_new_prices_as_a_new_version_and_tells_the_other_tabs(self, shop):
        variant = await shop.add(price=1900)
        before = await shop.put(variant)
        async with shop.database.transaction() as tx:
            await catalog.change_price(tx, variant, Money(amount_minor=2000, currency="EUR"))
        await forget_what_was_told(shop.database)

        after = await shop.cart()

        assert after.version == before.version + 1
        assert after.lines[0].unit_price.amount_minor == 2000
        assert await events_told(shop.database) == [CartChanged(cart=after)]

    async def test_keeps_lines_in_the_order_in_which_they_came(self, shop, clock):
        variants = []
        for title in ("C", "A", "B"):
            clock.advance(seconds=1)
            variants.append(await shop.add(title))
            await shop.put(variants[-1])

        assert [line.variant for line in (await shop.cart()).lines] == variants


class TestTheCommand:
    async def test_does_what_the_endpoint_does(self, shop):
        variant = await shop.add()
        caller = Caller(user=ADA, name="Ada", session=SessionId("ses_1"), key="key-00001")
        async with shop.database.transaction() as tx:
            result = await COMMANDS[SetCartLine](
                tx, caller, SetCartLine(variant=variant, quantity=3)
            )

        assert result == CartResult(version=1)
        assert (await shop.cart()).lines[0].quantity == 3
