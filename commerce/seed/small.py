"""The small shop: 208 products, 50 people, what they said and what they bought."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, LiteralString

import msgspec

from commerce.accounts.model import User
from commerce.catalog import service as catalog
from commerce.catalog.model import NewProduct
from commerce.chat import service as chat
from commerce.chat.model import READER_ROLE
from commerce.delivery import service as delivery
from commerce.foundation.database import Transaction
from commerce.licenses import service as licenses
from commerce.orders import service as orders
from commerce.orders.model import PastOrder
from commerce.seed import conversations, goods, terms
from commerce.seed.content.shelves import read_names, read_shelves, read_talks
from commerce.seed.conversations import TALKATIVE_ROOMS, Talked
from commerce.seed.fate import Fate
from commerce.seed.people import import_people
from commerce.seed.purchases import past_orders
from protocol.stream_names import ACCESS_ANYONE
from protocol.topics import order_topic, room_topic

_ONE_SEED_AT_A_TIME: Final[LiteralString] = "select pg_advisory_xact_lock(0x5345454, 1)"


class Seeded(msgspec.Struct, frozen=True, kw_only=True):
    """How much was not there before."""

    products: int
    messages: int
    orders: int


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """The small shop, whether it was there before or not."""

    products: tuple[NewProduct, ...]
    people: tuple[User, ...]
    seeded: Seeded


async def seed_small(tx: Transaction, *, files_dir: Path, password_hash: str | None) -> Shop:
    """Have the small shop; what is there already stays as it is."""
    await tx.execute(_ONE_SEED_AT_A_TIME)
    shelves, talks = read_shelves(), read_talks()
    people = await import_people(tx, read_names(), password_hash=password_hash)
    await catalog.import_categories(tx, goods.categories(shelves))
    products = tuple(goods.products(shelves, files_dir=files_dir))
    fresh = await catalog.import_products(tx, products)
    await catalog.import_prices(tx, tuple(terms.prices(fresh)))
    await licenses.set_policies(tx, tuple(goods.license_policies(fresh)))
    await terms.offer(tx, products)
    bought = await orders.import_past(tx, tuple(past_orders(people.users, products)))
    await delivery.import_past(tx, [past.order.id for past in bought])
    talked = [
        conversations.about_products(
            fresh, talkative=_talkative(products), talks=talks, people=people.users
        )
    ]
    if people.are_new:
        talked.append(conversations.in_groups(talks.groups, people.users))
        talked.append(conversations.between_two(talks.between_two, people.users))
    for each in talked:
        await _import(tx, each)
    await _grant(tx, talked, bought)
    messages = sum(len(each.messages) for each in talked)
    seeded = Seeded(products=len(fresh), messages=messages, orders=len(bought))
    return Shop(products=products, people=people.users, seeded=seeded)


def _talkative(products: tuple[NewProduct, ...]) -> frozenset[str]:
    slugs = [product.slug for product in products]
    return frozenset(Fate("talkative").dice.sample(slugs, TALKATIVE_ROOMS))


async def _import(tx: Transaction, talked: Talked) -> None:
    await chat.import_rooms(tx, talked.rooms)
    await chat.import_members(tx, talked.members)
    await chat.import_messages(tx, talked.messages)


async def _grant(tx: Transaction, talked: Iterable[Talked], bought: Iterable[PastOrder]) -> None:
    """Let the gateway know who may hear what, should it be running already."""
    for each in talked:
        for room in each.rooms:
            if room.is_public:
                await tx.grant_access(room_topic(room.id), ACCESS_ANYONE, READER_ROLE)
        for member in each.members:
            await tx.grant_access(room_topic(member.room_id), member.user_id, member.role)
    for past in bought:
        await tx.grant_access(order_topic(past.order.id), past.order.buyer_id, orders.BUYER_ROLE)
