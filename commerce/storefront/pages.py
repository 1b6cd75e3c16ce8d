"""The pages, one function each: what is read, and what is shown. `install` opens them all."""

from collections.abc import Mapping
from typing import Final

import msgspec
from quart import Quart

from commerce.accounts import service as accounts
from commerce.accounts.model import STAFF_ROLE
from commerce.cart import service as carts
from commerce.catalog import service as catalog
from commerce.catalog.model import ListedAfter
from commerce.catalog.schemas import view_card, view_category, view_product
from commerce.chat import service as chat
from commerce.chat.model import ListedAfter as RoomListedAfter
from commerce.chat.schemas import RoomView, view_history, view_room
from commerce.foundation.http import WebContext
from commerce.foundation.pagination import decode_cursor, page_of
from commerce.foundation.problems import install_problems
from commerce.orders import service as orders
from commerce.orders.model import show as show_order
from commerce.orders.schemas import OrderedAfter, view_history as view_order_history
from commerce.settings import CommerceSettings
from commerce.storefront import back_office
from commerce.storefront.addresses import url
from commerce.storefront.assets import STATIC_PATH, load_assets
from commerce.storefront.visiting import Page, PageFunction, Storefront, Visit
from protocol.ids import OrderId, ProductId, RoomId

PRODUCTS_A_PAGE: Final = 24
ROOMS_A_PAGE: Final = 30
ORDERS_A_PAGE: Final = 30
MESSAGES_SHOWN: Final = 50
SEARCH_CHARS_MAX: Final = 200
DEMO_USERS_SHOWN: Final = 12


class DemoUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody one may come in as, while the shop runs for trying out."""

    number: int
    id: str
    name: str
    is_staff: bool


async def catalogue(visit: Visit) -> Page:
    """Show all products, or those that fit a search."""
    return await _products(visit, category=None)


async def category(visit: Visit) -> Page:
    """Show the products of one shelf."""
    return await _products(visit, category=visit.path["category"])


async def product(visit: Visit) -> Page:
    """Show a product and its room."""
    found = view_product(await catalog.show(visit.tx, visit.path["slug"]))
    shelves = {shelf.slug: shelf.title for shelf in await catalog.categories(visit.tx)}
    return Page(
        template="product.html",
        shown={
            "product": found,
            "category_title": shelves[found.category],
            **await _room(visit, found.room),
        },
    )


async def cart(visit: Visit) -> Page:
    """Show what the visitor means to buy; the cart itself is part of the frame."""
    shown = visit.shell.cart or carts.NO_CART
    prices = await catalog.prices(visit.tx, [line.product for line in shown.lines])
    offered = [{price.currency for price in prices[line.variant]} for line in shown.lines]
    currencies = set[str]().union(*offered[:1]).intersection(*offered[1:])
    return Page(
        template="cart.html",
        section="cart",
        shown={"cart": shown, "currencies": sorted(currencies | {shown.total.currency})},
    )


async def checkout(visit: Visit) -> Page:
    """Show what the cart comes to, and let it be ordered."""
    return Page(
        template="checkout.html",
        section="cart",
        shown={"cart": await carts.read(visit.tx, visit.user)},
    )


async def order_list(visit: Visit) -> Page:
    """Show the user's orders, the newest first."""
    after = visit.query.get("after")
    found = await orders.of_buyer(
        visit.tx,
        visit.user,
        after=None if after is None else decode_cursor(OrderedAfter, after).id,
        limit=ORDERS_A_PAGE + 1,
    )
    page = page_of(found, limit=ORDERS_A_PAGE, key=lambda one: OrderedAfter(id=one.id))
    return Page(
        template="orders.html",
        section="orders",
        shown={
            "orders": [show_order(one) for one in page.items],
            "next_url": url("/orders", after=page.next) if page.next else None,
        },
    )


async def order(visit: Visit) -> Page:
    """Show one order and every step it took."""
    found = view_order_history(
        *await orders.history(visit.tx, visit.user, OrderId(visit.path["order"]))
    )
    return Page(
        template="order.html",
        section="orders",
        shown={"order": found.order, "events": found.events},
    )


async def payment_methods(visit: Visit) -> Page:
    """Show what the user keeps to pay with; the list itself is asked for by the page."""
    assert visit.user
    return Page(template="methods.html", section="orders")


async def subscription_list(visit: Visit) -> Page:
    """Show what the user subscribes to, and what there is to subscribe to."""
    assert visit.user
    return Page(template="subscriptions.html", section="orders")


async def room_list(visit: Visit) -> Page:
    """Show the user's rooms, those written in last first."""
    after = visit.query.get("after")
    found = await chat.rooms_of(
        visit.tx,
        visit.user,
        after=None if after is None else decode_cursor(RoomListedAfter, after),
        limit=ROOMS_A_PAGE + 1,
    )
    page = page_of(found, limit=ROOMS_A_PAGE, key=lambda listed: listed.place)
    return Page(
        template="rooms.html",
        section="rooms",
        shown={
            "rooms": [view_room(listed) for listed in page.items],
            "next_url": url("/rooms", after=page.next) if page.next else None,
        },
    )


async def room(visit: Visit) -> Page:
    """Show one room by itself."""
    shown = await _room(visit, RoomId(visit.path["room"]))
    found = shown["room"]
    assert isinstance(found, RoomView)
    about = None if found.product is None else await _slug(visit, found.product)
    return Page(template="room.html", section="rooms", shown={**shown, "product_slug": about})


async def sign_in(visit: Visit) -> Page:
    """Let somebody in."""
    return Page(
        template="signin.html",
        section="entry",
        shown={"demo_users": await _demo_users(visit) if visit.is_demo else []},
    )


async def register(_visit: Visit) -> Page:
    """Let somebody open an account."""
    return Page(template="register.html", section="entry")


PAGES: Final[Mapping[str, PageFunction]] = {
    "/": catalogue,
    "/c/<category>": category,
    "/p/<slug>": product,
    "/cart": cart,
    "/checkout": checkout,
    "/orders": order_list,
    "/orders/<order>": order,
    "/payment-methods": payment_methods,
    "/subscriptions": subscription_list,
    "/rooms": room_list,
    "/rooms/<room>": room,
    "/signin": sign_in,
    "/register": register,
}


def install(app: Quart, context: WebContext, settings: CommerceSettings) -> None:
    """Open the pages, their static files, and the pages that problems are shown on."""
    storefront = Storefront(context, load_assets(), is_demo=settings.profile == "dev")
    for path, function in {**PAGES, **back_office.PAGES}.items():
        name = f"{function.__module__}.{function.__name__}"
        app.add_url_rule(path, name, storefront.page(function), methods=["GET"])
    app.add_url_rule(f"{STATIC_PATH}<path:path>", "storefront.static", storefront.static)
    install_problems(app, page=storefront.problem)


async def _products(visit: Visit, *, category: str | None) -> Page:
    text = visit.query.get("q", "").strip()[:SEARCH_CHARS_MAX]
    after = visit.query.get("after")
    found = await catalog.browse(
        visit.tx,
        text=text,
        category=category,
        after=None if after is None else decode_cursor(ListedAfter, after),
        limit=PRODUCTS_A_PAGE + 1,
    )
    page = page_of(
        found, limit=PRODUCTS_A_PAGE, key=lambda card: ListedAfter(rank=card.rank, id=card.id)
    )
    shelves = [view_category(shelf) for shelf in await catalog.categories(visit.tx)]
    here = "/" if category is None else f"/c/{category}"
    return Page(
        template="catalogue.html",
        section="catalogue",
        shown={
            "query": text,
            "category": next((shelf for shelf in shelves if shelf.slug == category), None),
            "categories": shelves,
            "category_titles": {shelf.slug: shelf.title for shelf in shelves},
            "products": [view_card(card) for card in page.items],
            "is_later_page": after is not None,
            "first_url": url(here, q=text),
            "next_url": url(here, q=text, after=page.next) if page.next else None,
        },
    )


async def _room(visit: Visit, room_id: RoomId) -> dict[str, object]:
    listed = await chat.view(visit.tx, visit.reader, room_id)
    history = await chat.history(
        visit.tx, visit.reader, room_id, after=None, before=None, limit=MESSAGES_SHOWN
    )
    shown = view_history(history)
    return {
        "room": view_room(listed, is_staff=visit.is_staff),
        "messages": shown.items,
        "more": shown.more,
    }


async def _slug(visit: Visit, product_id: ProductId) -> str:
    """Return the last part of the address of a product's page."""
    return (await catalog.card(visit.tx, product_id)).slug


async def _demo_users(visit: Visit) -> list[DemoUser]:
    found = [
        (number, await accounts.demo_user(visit.tx, number))
        for number in range(1, DEMO_USERS_SHOWN + 1)
    ]
    return [
        DemoUser(number=number, id=user.id, name=user.name, is_staff=STAFF_ROLE in user.roles)
        for number, user in found
    ]
