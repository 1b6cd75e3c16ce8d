"""Carts of people who have not signed in, and what becomes of them when they do."""

import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.cart import service as carts
from commerce.cart.errors import CartChangedMeanwhileError
from commerce.cart.model import GUEST_CART_DAYS, guest_of, new_guest_token
from commerce.foundation.settings import DatabaseSettings
from commerce.settings import CommerceSettings
from protocol.events import CartChanged
from protocol.topics import user_topic
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in
from tests.commerce.outbox import events_told, forget_what_was_told
from tests.commerce.racing import lost, race, won
from tests.commerce.shop import ADA

GUEST, ANOTHER = guest_of("one"), guest_of("another")
TABS = 6


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=12, acquire_timeout_ms=30_000)


@pytest_asyncio.fixture
async def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


async def merge(shop, guest=GUEST, user=ADA):
    async with shop.database.transaction() as tx:
        await carts.merge(tx, guest, user)


def quantities(cart):
    return {line.title: line.quantity for line in cart.lines}


class TestAGuest:
    async def test_has_a_cart_that_nobody_is_told_of(self, shop):
        variant = await shop.add("Halden")
        cart = await shop.put(variant, 2, user=GUEST)

        assert (cart.version, quantities(cart)) == (1, {"Halden": 2})
        assert await shop.cart(GUEST) == cart
        assert await shop.cart(ANOTHER) == carts.NO_CART
        assert await events_told(shop.database) == []

    async def test_who_only_looks_leaves_no_cart_behind(self, shop):
        await shop.cart(GUEST)

        async with shop.database.transaction() as tx:
            assert await tx.value(int, "select count(*) from carts") == 0

    async def test_who_does_not_come_back_is_forgotten(self, shop, clock):
        await shop.put(await shop.add(), user=GUEST)
        mine = await shop.put(await shop.add("Attic"), user=ADA)
        clock.advance(seconds=GUEST_CART_DAYS * 86_400 + 1)
        async with shop.database.transaction() as tx:
            assert await carts.forget_guests(tx) == 1

        assert await shop.cart(GUEST) == carts.NO_CART
        assert quantities(await shop.cart()) == quantities(mine)

    def test_has_a_token_that_cannot_be_guessed(self):
        tokens = {new_guest_token() for _ in range(100)}

        assert len(tokens) == 100
        assert all(len(token) >= 43 for token in tokens)
        assert guest_of("a").token_hash != guest_of("b").token_hash


class TestSigningIn:
    async def test_takes_everything_over_as_one_version_and_one_event(self, shop, clock):
        font, piano = await shop.add("Font"), await shop.add("Piano")
        before = await shop.put(font, 1)
        clock.advance(seconds=1)
        await shop.put(font, 3, user=GUEST)
        await shop.put(piano, 2, user=GUEST)
        await forget_what_was_told(shop.database)
        await merge(shop)
        cart = await shop.cart()

        assert quantities(cart) == {"Font": 3, "Piano": 2}
        assert cart.version == before.version + 1
        assert await events_told(shop.database, user_topic(ADA)) == [CartChanged(cart=cart)]

    async def test_twice_takes_over_once(self, shop):
        font = await shop.add("Font")
        await shop.put(font, 3, user=GUEST)
        await merge(shop)
        await shop.put(font, 1)
        await merge(shop)

        assert quantities(await shop.cart()) == {"Font": 1}
        assert await shop.cart(GUEST) == carts.NO_CART

    async def test_leaves_out_what_cannot_be_had(self, shop):
        dollars = await shop.add("Dollars", currency="USD")
        scarce = await shop.add("Scarce", stock=2)
        await shop.put(dollars, user=GUEST)
        await shop.put(scarce, 2, user=ANOTHER)
        await shop.put(await shop.add("Font"))
        await merge(shop, GUEST)
        async with shop.database.transaction() as tx:
            await carts.catalog.change_stock(tx, scarce, 1)
        await merge(shop, ANOTHER)

        assert quantities(await shop.cart()) == {"Font": 1}

    async def test_brings_the_currency_into_an_empty_cart(self, shop):
        async with shop.database.transaction() as tx:
            await carts.choose_currency(tx, GUEST, "USD")
        await merge(shop)

        assert (await shop.cart()).total.currency == "USD"

    async def test_in_many_tabs_at_once_takes_over_once(self, shop):
        font = await shop.add("Font")
        await shop.put(font, 3, user=GUEST)

        outcomes = await race(shop.database, *[lambda tx: carts.merge(tx, GUEST, ADA)] * TABS)

        assert lost(outcomes) == []
        cart = await shop.cart()
        assert (quantities(cart), cart.version) == ({"Font": 3}, 1)

    async def test_while_the_guest_goes_on_buying_loses_nothing(self, shop):
        font, piano = await shop.add("Font"), await shop.add("Piano")
        await shop.put(font, 3, user=GUEST)

        outcomes = await race(
            shop.database,
            lambda tx: carts.merge(tx, GUEST, ADA),
            lambda tx: carts.set_line(tx, GUEST, piano, quantity=1),
        )
        await merge(shop)

        assert lost(outcomes) == []
        assert quantities(await shop.cart()) == {"Font": 3, "Piano": 1}


class TestAStaleVersion:
    async def test_of_many_tabs_lets_one_through(self, shop):
        variant = await shop.add()
        cart = await shop.put(variant)

        outcomes = await race(
            shop.database,
            *(
                lambda tx, n=n: carts.set_line(
                    tx, ADA, variant, quantity=n + 2, version=cart.version
                )
                for n in range(TABS)
            ),
        )

        assert len(won(outcomes)) == 1
        assert lost(outcomes) == [CartChangedMeanwhileError] * (TABS - 1)
        refused = [each for each in outcomes if isinstance(each, CartChangedMeanwhileError)]
        assert all(each.members == {"cart": won(outcomes)[0]} for each in refused)

    async def test_of_two_first_things_of_a_guest_opens_one_cart(self, shop):
        variants = [await shop.add(f"No {n}") for n in range(TABS)]

        outcomes = await race(
            shop.database,
            *(
                lambda tx, each=each: carts.set_line(tx, GUEST, each, quantity=1)
                for each in variants
            ),
        )

        assert lost(outcomes) == []
        cart = await shop.cart(GUEST)
        assert (len(cart.lines), cart.version) == (TABS, TABS)


class TestTheDoor:
    async def test_knows_a_guest_by_a_cookie_and_merges_when_they_sign_in(
        self, app, shop, redis, clock
    ):
        variant = await shop.add("Font")
        guest = app.test_client()
        empty = await guest.get("/v1/cart")
        assert (await empty.get_json())["version"] == 0
        assert "set-cookie" not in empty.headers

        put = await guest.put(f"/v1/cart/lines/{variant}", json={"quantity": 2})
        cookie = put.headers["set-cookie"]
        assert cookie.startswith("rialto_cart=")
        assert "HttpOnly; SameSite=Lax" in cookie
        assert await (await guest.get("/v1/cart")).get_json() == await put.get_json()

        user = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))
        token = cookie.partition(";")[0]
        merged = await user._ask("GET", "/v1/cart", headers={"cookie": token})
        assert [line["quantity"] for line in merged.body["lines"]] == [2]
        again = await user.get("/v1/cart")
        assert again.body == merged.body
        gone = await Caller(app)._ask("GET", "/v1/cart", headers={"cookie": token})
        assert gone.body["lines"] == []

    async def test_answers_a_stale_version_with_the_cart_as_it_is(self, app, shop, redis, clock):
        variant = await shop.add("Font")
        user = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))
        path = f"/v1/cart/lines/{variant}"
        await user.put(path, {"quantity": 1, "version": 0})
        stale = await user.put(path, {"quantity": 5, "version": 0})

        assert (stale.status, stale.code) == (409, "cart_changed_meanwhile")
        assert stale.body["cart"] == (await user.get("/v1/cart")).body
        currency = await user.put("/v1/cart/currency", {"currency": "EUR", "version": 7})
        assert currency.body["cart"] == stale.body["cart"]

    async def test_has_the_cart_in_the_currency_that_is_chosen(self, app, shop, redis, clock):
        variant = await shop.add("Font", price=1900)
        user = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))
        chosen = await user.put("/v1/cart/currency", {"currency": "JPY"})
        assert chosen.body["total"] == {"amount_minor": 0, "currency": "JPY"}

        path = f"/v1/cart/lines/{variant}"
        refused = await user.put(path, {"quantity": 1})
        assert refused.code == "mixed_currencies"
        await user.put("/v1/cart/currency", {"currency": "EUR"})
        put = await user.put(path, {"quantity": 1})
        assert put.body["total"] == {"amount_minor": 1900, "currency": "EUR"}
        assert (await user.put("/v1/cart/currency", {"currency": "JPY"})).status == 409
        assert (await user.put("/v1/cart/currency", {"currency": "yen"})).status == 422
