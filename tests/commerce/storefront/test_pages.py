import gzip
import re

import pytest
import pytest_asyncio

from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.model import NewUser, User
from commerce.accounts.service import import_user
from commerce.app import create_app
from commerce.catalog import service as catalog
from commerce.catalog.model import ProductChange, VariantChange
from commerce.chat import service as chat
from commerce.settings import CommerceSettings
from protocol.money import Money
from protocol.views import Person
from tests.commerce.shop import ADA, BEN, Shop

NASTY = "</script><b onclick=alert(1)>bold</b>"


class Browser:
    """Asks for pages as a browser does."""

    def __init__(self, app, cookie=None):
        self._client = app.test_client()
        self._headers = {"accept": "text/html"} | ({"cookie": cookie} if cookie else {})

    async def get(self, path, **headers):
        return await self._client.get(path, headers=self._headers | headers)

    async def read(self, path):
        answer = await self.get(path)
        assert answer.status_code == 200, await answer.get_data()
        return await answer.get_data(as_text=True)


@pytest.fixture
def settings():
    return CommerceSettings()


@pytest.fixture
def app(database, redis, clock, settings):
    return create_app(settings, database=database, redis=redis, clock=clock)


@pytest.fixture
def visitor(app):
    return Browser(app)


@pytest_asyncio.fixture
async def shop(database):
    shop = Shop(database)
    await shop.open()
    return shop


@pytest_asyncio.fixture
async def ada(app, database, redis, clock):
    """A browser in which Ada is signed in."""
    async with database.transaction() as tx:
        for user, name in ((ADA, "Ada Lindqvist"), (BEN, "Ben Okafor")):
            await import_user(tx, NewUser(id=user, email=f"{user}@example.org", name=name))
    user = User(id=ADA, email="ada@example.org", name="Ada Lindqvist")
    token, _ = await RedisSessions(redis, clock).begin(user)
    return Browser(app, f"rialto_session={token}")


async def with_room(database, shop, title, **facts):
    """Put a product with a room on the shelf; return it as carts see it."""
    offer = await shop.offer(await shop.add(title, **facts))
    async with database.transaction() as tx:
        await chat.open_product_room(tx, offer.product, title)
    return offer


class TestTheCatalogue:
    async def test_shows_what_is_for_sale_and_at_what_price(self, visitor, shop):
        await shop.add("Halden Grotesk", price=1900)
        await shop.add("Tin Roof", price=0, category="sounds")

        html = await visitor.read("/")

        assert "Halden Grotesk" in html
        assert "€19.00" in html
        assert "Free" in html

    async def test_shows_one_shelf(self, visitor, shop):
        await shop.add("Halden Grotesk")
        await shop.add("Tin Roof", category="sounds")

        html = await visitor.read("/c/sounds")

        assert "Tin Roof" in html
        assert "Halden Grotesk" not in html

    async def test_shows_what_fits_a_search_and_says_so_when_nothing_does(self, visitor, shop):
        await shop.add("Halden Grotesk")

        assert "Halden Grotesk" in await visitor.read("/?q=grot")
        assert "Nothing found" in await visitor.read("/?q=violin")

    async def test_goes_on_where_the_page_before_ended(self, visitor, shop, clock):
        for number in range(30):
            clock.advance(seconds=1)
            await shop.add(f"Number {number} of all")
        first = await visitor.read("/")
        [link] = re.findall(r'href="(/\?after=[^"]+)"', first)

        second = await visitor.read(link.replace("&amp;", "&"))

        seen = [set(re.findall(r"Number \d+ of all", html)) for html in (first, second)]
        assert [len(titles) for titles in seen] == [24, 6]
        assert not seen[0] & seen[1]

    async def test_keeps_what_was_searched_for_as_text(self, visitor, shop):
        html = await visitor.read("/?q=%3Cscript%3Ealert(1)%3C/script%3E")

        assert "<script>alert" not in html


class TestAProductsPage:
    async def test_shows_its_room_to_visitors_who_may_not_write(self, visitor, shop, database):
        offer = await with_room(database, shop, "Halden Grotesk")

        html = await visitor.read(f"/p/{offer.slug}")

        assert 'role="log"' in html
        assert "Sign in to talk" in html
        assert 'class="composer"' not in html

    async def test_shows_what_people_wrote_as_text(self, ada, shop, database):
        offer = await with_room(database, shop, "Halden Grotesk")
        async with database.transaction() as tx:
            room = "rom_" + offer.product[4:]
            await chat.send(tx, Person(id=ADA, name="Ada"), room, text=NASTY)

        html = await ada.read(f"/p/{offer.slug}")

        assert "bold" in html
        assert "<b onclick" not in html
        assert "</script><b" not in html

    async def test_that_is_not_there_is_a_page_too(self, visitor, shop):
        answer = await visitor.get("/p/nothing")

        html = await answer.get_data(as_text=True)
        assert answer.status_code == 404
        assert answer.content_type == "text/html; charset=utf-8"
        assert "There is nothing here" in html


class TestAPageOfOnesOwn:
    @pytest.mark.parametrize("path", ["/orders", "/rooms", "/orders?after=abc"])
    async def test_leads_visitors_to_the_sign_in_and_back(self, visitor, path):
        answer = await visitor.get(path)

        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"/signin?next={path[:6]}")

    async def test_shows_orders_and_each_with_its_steps(self, ada, shop):
        order = await shop.buy(await shop.add("Tin Roof", price=0))

        assert order.number in await ada.read("/orders")
        html = await ada.read(f"/orders/{order.id}")
        assert re.findall(r'data-step="(\w+)"', html) == [
            "order_placed",
            "order_paid",
        ]

    async def test_does_not_show_the_orders_of_others(self, ada, shop):
        order = await shop.buy(await shop.add("Tin Roof", price=0), user=BEN)

        assert order.number not in await ada.read("/orders")
        assert (await ada.get(f"/orders/{order.id}")).status_code == 404

    async def test_shows_the_cart_and_counts_it_on_every_page(self, ada, shop):
        await shop.put(await shop.add("Halden Grotesk"), 3)

        assert "Halden Grotesk" in await ada.read("/cart")
        assert 'aria-label="Cart, 3 items"' in await ada.read("/")

    async def test_takes_what_was_put_in_before_signing_in_over_into_the_cart(self, app, ada, shop):
        variant = await shop.add("Halden Grotesk")
        put = await app.test_client().put(f"/v1/cart/lines/{variant}", json={"quantity": 2})
        token = put.headers["set-cookie"].partition(";")[0]
        guest = Browser(app, token)
        assert 'aria-label="Cart, 2 items"' in await guest.read("/")
        assert "Halden Grotesk" in await guest.read("/cart")

        answer = await ada.get("/cart", cookie=f"{ada._headers['cookie']}; {token}")
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert 'aria-label="Cart, 2 items"' in await ada.read("/")
        assert "Halden Grotesk" not in await guest.read("/cart")

    async def test_lets_what_is_in_the_cart_be_ordered(self, visitor, ada, shop):
        assert "Your cart is empty" in await ada.read("/checkout")
        await shop.put(await shop.add("Halden Grotesk"), 3)

        assert "data-checkout" in await ada.read("/checkout")
        answer = await visitor.get("/checkout")
        assert answer.headers["location"] == "/signin?next=/checkout"

    async def test_offers_the_currencies_that_everything_in_the_cart_is_sold_in(self, ada, shop):
        variants = [await shop.add("Halden Grotesk"), await shop.add("Tin Roof")]
        async with shop.database.transaction() as tx:
            for variant, currencies in zip(variants, (("JPY", "CHF"), ("JPY",)), strict=True):
                prices = tuple(Money(amount_minor=900, currency=each) for each in currencies)
                product = (await catalog.offers(tx, [variant]))[variant].product
                change = VariantChange(id=variant, prices=prices)
                await catalog.change(tx, ProductChange(product=product, variants=(change,)))
        for variant in variants:
            await shop.put(variant)

        html = await ada.read("/cart")

        assert re.findall(r"<option[^>]*>(\w+)<", html) == ["EUR", "JPY"]

    @pytest.mark.parametrize("path", ["/payment-methods", "/subscriptions"])
    async def test_has_the_user_pay_again(self, visitor, ada, path):
        assert "aria-busy" in await ada.read(path)
        assert (await visitor.get(path)).headers["location"] == f"/signin?next={path}"

    async def test_shows_rooms_and_each_by_itself(self, ada, database):
        async with database.transaction() as tx:
            room = await chat.open_group(tx, Person(id=ADA, name="Ada"), "Type lovers", [BEN])

        assert "Type lovers" in await ada.read("/rooms")
        assert 'class="composer"' in await ada.read(f"/rooms/{room}")

    async def test_may_not_be_kept_for_others(self, ada):
        answer = await ada.get("/")

        assert answer.headers["cache-control"] == "private, no-cache"
        assert "Cookie" in answer.headers["vary"]


class TestTheRoomOfAProduct:
    async def test_leads_to_the_product(self, ada, shop, database):
        offer = await with_room(database, shop, "Halden Grotesk")

        html = await ada.read(f"/rooms/rom_{offer.product[4:]}")

        assert f'href="/p/{offer.slug}"' in html


class TestTheSignIn:
    async def test_offers_demo_users_where_the_shop_is_for_trying_out(self, visitor):
        assert "data-demo-user" in await visitor.read("/signin")

    async def test_leads_on_to_registering_without_losing_the_way(self, visitor):
        html = await visitor.read("/signin?next=/p/brass")

        assert 'href="/register?next=/p/brass"' in html
        assert "data-register" in await visitor.read("/register")


class TestAnAnswer:
    async def test_is_compressed_for_those_who_understand_it(self, visitor, shop):
        await shop.add("Halden Grotesk")

        answer = await visitor.get("/", **{"accept-encoding": "gzip"})

        assert answer.headers["content-encoding"] == "gzip"
        assert b"Halden Grotesk" in gzip.decompress(await answer.get_data(as_text=False))

    async def test_is_not_sent_again_if_the_file_is_known(self, visitor):
        first = await visitor.get("/static/js/main.js")

        again = await visitor.get("/static/js/main.js", **{"if-none-match": first.headers["etag"]})

        assert again.status_code == 304

    async def test_is_compressed_if_it_is_a_script(self, visitor):
        answer = await visitor.get("/static/js/main.js", **{"accept-encoding": "gzip"})

        assert answer.headers["content-encoding"] == "gzip"

    @pytest.mark.parametrize("path", ["/static/js/none.js", "/static/../pages.py"])
    async def test_is_a_refusal_if_there_is_no_such_file(self, visitor, path):
        assert (await visitor.get(path)).status_code == 404

    async def test_refuses_what_cannot_be_stored(self, visitor):
        assert (await visitor.get("/?q=%00")).status_code == 422
