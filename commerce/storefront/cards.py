"""What messages point at, as each reader may see it: `GET /v1/cards`.

A message carries only the reference. A product's price and stock are today's; an order is shown to
its buyer and to staff. Anything else, be it hidden, gone or never there, is the same blank card.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from commerce.catalog import service as catalog
from commerce.catalog.model import ProductCard, media_url
from commerce.foundation.database import Transaction
from commerce.foundation.http import Call, Door
from commerce.orders import service as orders
from commerce.orders.model import Order, show
from protocol.ids import OrderId, ProductId, UserId
from protocol.money import Money
from protocol.views import OrderState

door: Final = Door("storefront")

REFS_MAX: Final = 50
_REF: Final = r"(prd|ord)_[0-9A-HJKMNP-TV-Z]{26}"
_REF_CHARS: Final = 30


class CardsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """References, separated by commas, as they stand in the parts of messages."""

    refs: Annotated[
        str,
        msgspec.Meta(
            pattern=rf"^{_REF}(,{_REF})*$(?!\n)", max_length=REFS_MAX * (_REF_CHARS + 1) - 1
        ),
    ]


class ProductOnCard(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="product"):
    """A product; follow its topic to keep the card true. No `stock` means it cannot run out."""

    ref: ProductId
    version: int
    slug: str
    title: str
    price: Money
    variants_count: int
    stock: int | None
    cover_url: str | None


class OrderOnCard(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="order"):
    """An order of the reader's, or anyone's if the reader is staff."""

    ref: OrderId
    version: int
    number: str
    state: OrderState
    total: Money
    items_count: int


class BlankCard(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="blank"):
    """Something the reader may not see, or that is not there: the two look alike."""

    ref: str


AnyCard = ProductOnCard | OrderOnCard | BlankCard


class Cards(msgspec.Struct, frozen=True, kw_only=True):
    """A card for each reference, in the order asked for."""

    items: list[AnyCard]


@door.api("GET", "/v1/cards", query=CardsQuery, out=Cards, auth="optional")
async def show_cards(call: Call[None, CardsQuery]) -> Cards:
    """Show what messages point at, as the reader may see it."""
    refs = list(dict.fromkeys(call.query.refs.split(",")))
    principal = call.principal_or_none
    async with call.database.transaction() as tx:
        return await cards_for(tx, None if principal is None else principal.user, refs)


async def cards_for(tx: Transaction, reader: UserId | None, refs: Sequence[str]) -> Cards:
    """Return a card for each of some references, as `reader` may see it."""
    cards: dict[str, AnyCard] = {}
    products = [ProductId(ref) for ref in refs if ref.startswith("prd_")]
    for product in await catalog.shown(tx, products):
        cards[product.id] = _product(product)
    wanted = [OrderId(ref) for ref in refs if ref.startswith("ord_")]
    for order in [] if reader is None else await orders.visible(tx, reader, wanted):
        cards[order.id] = _order(order)
    return Cards(items=[cards.get(ref) or BlankCard(ref=ref) for ref in refs])


def _product(card: ProductCard) -> ProductOnCard:
    return ProductOnCard(
        ref=card.id,
        version=card.version,
        slug=card.slug,
        title=card.title,
        price=card.price,
        variants_count=card.variants_count,
        stock=card.stock,
        cover_url=media_url(card.cover),
    )


def _order(order: Order) -> OrderOnCard:
    shown = show(order)
    return OrderOnCard(
        ref=order.id,
        version=shown.version,
        number=shown.number,
        state=shown.state,
        total=shown.total,
        items_count=sum(line.quantity for line in shown.lines),
    )
