"""What a product is and how it is found. Pure: no clock, no database."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

import msgspec

from protocol.ids import ID_PATTERN, PriceId, ProductId, RoomId, VariantId
from protocol.money import Money
from protocol.views import Product as LiveProduct, ProductVariant

MEDIA_PATH: Final = "/media/"
"""Where files are served from."""

TAX_CLASS_PATTERN: Final = r"^[a-z][a-z0-9_]{0,31}$(?!\n)"
DEFAULT_TAX_CLASS: Final = "digital"

_last_word: Final = re.compile(r"(?P<whole>.*?)(?<![\w-])(?P<last>\w[\w-]*)", re.DOTALL).fullmatch


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A shelf of the shop."""

    slug: str
    title: str
    summary: str
    position: int


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One way to buy a product. No `stock` means that it cannot run out."""

    id: VariantId
    product_id: ProductId
    position: int
    title: str
    price_minor: int
    currency: str
    stock: int | None

    @property
    def price(self) -> Money:
        """What one costs."""
        return Money(amount_minor=self.price_minor, currency=self.currency)

    def live(self) -> ProductVariant:
        """Return what changes while a page is open."""
        return ProductVariant(id=self.id, price=self.price, stock=self.stock)


class ProductCard(msgspec.Struct, frozen=True, kw_only=True):
    """A product as lists show it: with its lowest price, and the stock of all its variants.

    `rank` says how well it fits what was searched for; 0 where nothing was.
    """

    id: ProductId
    version: int
    slug: str
    category: str
    title: str
    summary: str
    cover: str | None
    price_minor: int
    currency: str
    stock: int | None
    variants_count: int
    rank: int

    @property
    def price(self) -> Money:
        """The lowest price."""
        return Money(amount_minor=self.price_minor, currency=self.currency)

    def live(self, variants: Iterable[Variant]) -> LiveProduct:
        """Return what changes while a page is open."""
        return LiveProduct(
            id=self.id,
            version=self.version,
            slug=self.slug,
            title=self.title,
            price=self.price,
            stock=self.stock,
            variants=[variant.live() for variant in variants],
        )


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to say about one product."""

    card: ProductCard
    description: str
    variants: tuple[Variant, ...]


class NewProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product to bring in, with everything given. Without `published_at` nobody sees it."""

    id: ProductId
    slug: str
    category: str
    title: str
    summary: str
    description: str
    cover: str | None
    created_at: datetime
    published_at: datetime | None
    variants: tuple[Variant, ...]
    tax_class: str = DEFAULT_TAX_CLASS


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what a variant costs in a currency. It never changes, it is only withdrawn."""

    id: PriceId
    variant_id: VariantId
    currency: str
    amount_minor: int
    version: int
    active: bool

    @property
    def money(self) -> Money:
        """The amount."""
        return Money(amount_minor=self.amount_minor, currency=self.currency)


class VariantChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be new of a variant; what is left out stays.

    `price` is what it costs where no currency is asked for. `prices` are what it costs in some
    currencies, and in those `withdrawn` it is sold no longer.
    """

    id: VariantId
    price: Money | None = None
    prices: tuple[Money, ...] = ()
    withdrawn: tuple[str, ...] = ()
    stock: int | msgspec.UnsetType | None = msgspec.UNSET


class ProductChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be new of a product; what is left out stays.

    With `version` it is changed only if it is still at that one.
    """

    product: ProductId
    version: int | None = None
    title: str | None = None
    tax_class: str | None = None
    variants: tuple[VariantChange, ...] = ()


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A variant together with what a cart or an order needs to know of its product.

    The price is the one of the currency asked for, or the variant's own where it has none in that.
    """

    variant: VariantId
    product: ProductId
    slug: str
    product_title: str
    variant_title: str
    price_id: PriceId
    price_minor: int
    currency: str
    stock: int | None
    cover: str | None
    published: bool
    tax_class: str = DEFAULT_TAX_CLASS

    @property
    def price(self) -> Money:
        """What one costs."""
        return Money(amount_minor=self.price_minor, currency=self.currency)

    @property
    def title(self) -> str:
        """The product's title, with the variant's where it has one."""
        if not self.variant_title:
            return self.product_title
        return f"{self.product_title} ({self.variant_title})"


class ListedAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of products goes on: after this rank and id."""

    rank: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    id: Annotated[ProductId, msgspec.Meta(pattern=ID_PATTERN)]


class SearchText(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed: whole words in the web's query language, and the one being typed."""

    whole: str
    prefix: str


def parse_search(text: str) -> SearchText | None:
    """Split what was typed; None if there is nothing to search for.

    The last word counts as a prefix unless it is part of a phrase or of the query language.
    """
    cleaned = text.replace("\x00", " ").strip()
    if not cleaned:
        return None
    found = _last_word(cleaned)
    if found is None or found["whole"].count('"') % 2 == 1 or found["last"].lower() == "or":
        return SearchText(whole=cleaned, prefix="")
    return SearchText(whole=found["whole"].strip(), prefix=found["last"].lower())


def first_price_of(variant: VariantId) -> PriceId:
    """Return the id of the price a variant is brought in with: it has the variant's ULID."""
    return PriceId(f"prc_{variant[4:]}")


def room_of(product: ProductId) -> RoomId:
    """Return the room in which people talk about a product: it has the product's ULID."""
    return RoomId(f"rom_{product[4:]}")


def media_url(path: str | None) -> str | None:
    """Return where a file is served."""
    return None if path is None else f"{MEDIA_PATH}{path}"
