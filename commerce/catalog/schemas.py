"""The catalogue over HTTP."""

from typing import Annotated

import msgspec

from commerce.catalog.model import (
    TAX_CLASS_PATTERN,
    Category,
    Product,
    ProductCard,
    ProductChange,
    Variant,
    VariantChange,
    media_url,
    room_of,
)
from protocol.ids import ID_PATTERN, ProductId, RoomId, VariantId
from protocol.money import Money
from protocol.views import Product as LiveProduct

SearchWords = Annotated[str, msgspec.Meta(max_length=200)]
Stock = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
CategorySlug = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[a-z0-9-]+$")]


CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
TaxClass = Annotated[str, msgspec.Meta(pattern=TAX_CLASS_PATTERN)]


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount as accepted from outside."""

    amount_minor: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]

    @property
    def money(self) -> Money:
        """The amount."""
        return Money(amount_minor=self.amount_minor, currency=self.currency)


class VariantChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be new of a variant; what is left out stays. `stock: null` cannot run out.

    `price` is what it costs where no currency is asked for, `prices` what it costs in each of some
    currencies; in those `withdrawn` it is sold no longer.
    """

    id: Annotated[VariantId, msgspec.Meta(pattern=ID_PATTERN)]
    price: Price | None = None
    prices: Annotated[list[Price], msgspec.Meta(max_length=50)] = []
    withdrawn: Annotated[list[CurrencyCode], msgspec.Meta(max_length=50)] = []
    stock: Stock | msgspec.UnsetType | None = msgspec.UNSET


class ProductChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be new of a product; what is left out stays.

    With `version` it is changed only if it is still at that one.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)] | None = None
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    tax_class: TaxClass | None = None
    variants: Annotated[list[VariantChanges], msgspec.Meta(max_length=50)] = []

    def of(self, product: ProductId) -> ProductChange:
        """Return it as a change of `product`."""
        return ProductChange(
            product=product,
            version=self.version,
            title=self.title,
            tax_class=self.tax_class,
            variants=tuple(
                VariantChange(
                    id=each.id,
                    price=None if each.price is None else each.price.money,
                    prices=tuple(price.money for price in each.prices),
                    withdrawn=tuple(each.withdrawn),
                    stock=each.stock,
                )
                for each in self.variants
            ),
        )


class ProductStates(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of products while a page is open."""

    items: list[LiveProduct]


class CategoryView(msgspec.Struct, frozen=True, kw_only=True):
    """A shelf of the shop."""

    slug: str
    title: str
    summary: str


class Categories(msgspec.Struct, frozen=True, kw_only=True):
    """Every shelf, in the order of the shop."""

    items: list[CategoryView]


class ProductCardView(msgspec.Struct, frozen=True, kw_only=True):
    """A product in a list. `price` is the lowest of its variants'; no `stock` is unlimited."""

    id: ProductId
    version: int
    slug: str
    category: str
    title: str
    summary: str
    price: Money
    stock: int | None
    variants_count: int
    cover_url: str | None


class VariantView(msgspec.Struct, frozen=True, kw_only=True):
    """One way to buy a product. No `stock` means that it cannot run out."""

    id: VariantId
    title: str
    price: Money
    stock: int | None


class ProductView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a product. `description` is plain text; a blank line ends a paragraph."""

    id: ProductId
    version: int
    slug: str
    category: str
    title: str
    summary: str
    description: str
    price: Money
    stock: int | None
    cover_url: str | None
    room: RoomId
    variants: list[VariantView]


def view_category(category: Category) -> CategoryView:
    """Show a category."""
    return CategoryView(slug=category.slug, title=category.title, summary=category.summary)


def view_card(card: ProductCard) -> ProductCardView:
    """Show a product in a list."""
    return ProductCardView(
        id=card.id,
        version=card.version,
        slug=card.slug,
        category=card.category,
        title=card.title,
        summary=card.summary,
        price=card.price,
        stock=card.stock,
        variants_count=card.variants_count,
        cover_url=media_url(card.cover),
    )


def view_product(product: Product) -> ProductView:
    """Show a product on its own page."""
    card = product.card
    return ProductView(
        id=card.id,
        version=card.version,
        slug=card.slug,
        category=card.category,
        title=card.title,
        summary=card.summary,
        description=product.description,
        price=card.price,
        stock=card.stock,
        cover_url=media_url(card.cover),
        room=room_of(card.id),
        variants=[_view_variant(variant) for variant in product.variants],
    )


def _view_variant(variant: Variant) -> VariantView:
    return VariantView(id=variant.id, title=variant.title, price=variant.price, stock=variant.stock)
