"""The large shop, for benchmarks: written in batches, so that memory stays bounded.

Each batch is a transaction of its own and a function of its number alone: a run that was broken
off goes on where it stood, and a second run changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, LiteralString

import msgspec

from commerce.accounts import service as accounts
from commerce.accounts.model import NewUser
from commerce.catalog import service as catalog
from commerce.catalog.model import NewProduct, Variant
from commerce.chat import service as chat
from commerce.chat.model import Room
from commerce.delivery import service as delivery
from commerce.foundation.database import Database
from commerce.orders import service as orders
from commerce.seed.content.shelves import Talks
from commerce.seed.conversations import about_products
from commerce.seed.fate import Fate
from commerce.seed.goods import CURRENCY, round_price
from commerce.seed.purchases import past_order
from protocol.ids import ProductId, UserId, VariantId

Progress = Callable[[str, int, int], None]
"""Told what is written, how many are done and how many there will be."""

_PRODUCTS_A_BATCH: Final = 2_000
_USERS_A_BATCH: Final = 1_000
_ORDERS_A_BATCH: Final = 5_000
_BEST_SELLERS: Final = 10_000
"""Orders are for these products only; it bounds what must be held to write them."""

_FIRST: Final = (
    "Amber",
    "Arctic",
    "Brisk",
    "Cobalt",
    "Copper",
    "Dusky",
    "Ember",
    "Fallow",
    "Gilded",
    "Hollow",
    "Ivory",
    "Juniper",
    "Kindled",
    "Lunar",
    "Mellow",
    "Nordic",
    "Opal",
    "Pale",
    "Quiet",
    "Russet",
    "Sable",
    "Tidal",
    "Umber",
    "Velvet",
    "Woven",
    "Young",
    "Zephyr",
    "Crimson",
    "Frosted",
    "Golden",
)
_SECOND: Final = (
    "Harbour",
    "Meadow",
    "Signal",
    "Lantern",
    "Orchard",
    "Quarry",
    "River",
    "Summit",
    "Thicket",
    "Valley",
    "Canyon",
    "Delta",
    "Foundry",
    "Garden",
    "Island",
    "Market",
    "Needle",
    "Parade",
    "Railway",
    "Studio",
    "Tower",
    "Village",
    "Window",
    "Atlas",
    "Bridge",
    "Circle",
    "Engine",
)
_KINDS: Final = {
    "fonts": "Type Family",
    "icons": "Icon Set",
    "sounds": "Sample Pack",
    "books": "Handbook",
    "courses": "Course",
    "game-assets": "Asset Kit",
    "presets": "Preset Pack",
    "tools": "Toolkit",
}
_NO_TALKS: Final = Talks(about_anything=(), about={}, groups=(), between_two=())
_TABLES_GREW: Final[LiteralString] = (
    "analyze products, variants, orders, order_lines, order_events, rooms, users"
)


class BenchSize(msgspec.Struct, frozen=True, kw_only=True):
    """How large the large shop is."""

    products: int = 100_000
    users: int = 5_000
    orders: int = 1_000_000


LOAD_SIZE: Final = BenchSize(products=1_200, users=0, orders=0)
"""Rooms enough for ten thousand users in three each, some thirty to a room."""


async def seed_bench(
    database: Database, size: BenchSize, *, covers: Sequence[str], progress: Progress
) -> None:
    """Have the large shop, with the pictures of the small one."""
    await _import_products(database, size.products, covers, progress)
    await _import_users(database, size.users, progress)
    await _import_orders(database, size, covers, progress)
    async with database.transaction() as tx:
        await tx.execute(_TABLES_GREW)


async def _import_products(
    database: Database, count: int, covers: Sequence[str], progress: Progress
) -> None:
    for numbers in _batches(count, _PRODUCTS_A_BATCH):
        async with database.transaction() as tx:
            fresh = await catalog.import_products(
                tx, [_product(number, covers) for number in numbers]
            )
            await chat.import_rooms(tx, _rooms(fresh))
        progress("products", numbers.stop, count)


async def _import_users(database: Database, count: int, progress: Progress) -> None:
    for numbers in _batches(count, _USERS_A_BATCH):
        async with database.transaction() as tx:
            for number in numbers:
                await accounts.import_user(tx, _user(number))
        progress("users", numbers.stop, count)


async def _import_orders(
    database: Database, size: BenchSize, covers: Sequence[str], progress: Progress
) -> None:
    sold = [_product(number, covers) for number in range(min(size.products, _BEST_SELLERS))]
    buyers = [_user(number).id for number in range(size.users)]
    for numbers in _batches(size.orders, _ORDERS_A_BATCH):
        fate = Fate(f"bench/orders/{numbers.start}")
        past = [past_order(fate, fate.dice.choice(buyers), sold) for _ in numbers]
        async with database.transaction() as tx:
            await orders.import_past(tx, past)
            await delivery.import_past(tx, [each.order.id for each in past])
        progress("orders", numbers.stop, size.orders)


def _batches(count: int, batch: int) -> Iterator[range]:
    for start in range(0, count, batch):
        yield range(start, min(start + batch, count))


def _rooms(products: Sequence[NewProduct]) -> list[Room]:
    return about_products(products, talkative=frozenset(), talks=_NO_TALKS, people=()).rooms


def _product(number: int, covers: Sequence[str]) -> NewProduct:
    fate = Fate(f"bench/product/{number}")
    made = fate.moment(days_before_max=1_500, days_before_min=120)
    category = tuple(_KINDS)[number % len(_KINDS)]
    first, second = fate.dice.choice(_FIRST), fate.dice.choice(_SECOND)
    product = ProductId(fate.id("prd", made))
    price = round_price(fate.dice.choice((0, 900, 1_900, 2_900, 4_900, 9_900)))
    return NewProduct(
        id=product,
        slug=f"{first}-{second}-{category}-{number}".lower(),
        category=category,
        title=f"{first} {second} {_KINDS[category]} No. {number}",
        summary=f"A {first.lower()} {_KINDS[category].lower()} from the {second.lower()}.",
        description=f"{first} {second} is number {number} of the benchmark's shelves.",
        cover=fate.dice.choice(covers),
        created_at=made,
        published_at=made,
        variants=tuple(
            Variant(
                id=VariantId(fate.id("var", made)),
                product_id=product,
                position=position,
                title=title,
                price_minor=price * position,
                currency=CURRENCY,
                stock=None if number % 20 else 1_000_000,
            )
            for position, title in enumerate(("Single", "Team"), start=1)
        ),
    )


def _user(number: int) -> NewUser:
    fate = Fate(f"bench/user/{number}")
    joined = fate.moment(days_before_max=1_000, days_before_min=400)
    return NewUser(
        id=UserId(fate.id("usr", joined)),
        email=f"bench{number:06}@rialto.example",
        name=f"Bench {number}",
    )
