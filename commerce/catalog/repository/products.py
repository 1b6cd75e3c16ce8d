"""Products themselves: held, changed, and brought in."""

from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from commerce.catalog.model import Category, NewProduct, Variant, first_price_of
from commerce.foundation.database import Transaction
from protocol.ids import ProductId, VariantId

_NEXT_VERSION: Final[LiteralString] = """
    update products
       set version = version + 1
     where id = $1
 returning version
"""

_HOLD_PRODUCTS_OF: Final[LiteralString] = """
    with held as materialized (
        select id
          from products
         where id in (select product_id from variants where id = any($1::text[]))
         order by id
           for update
    )
    update products
       set version = version + 1
      from held
     where products.id = held.id
 returning products.id
"""

_SET_TITLE: Final[LiteralString] = """
    update products
       set title = $2
     where id = $1
"""

_SET_TAX_CLASS: Final[LiteralString] = """
    update products
       set tax_class = $2
     where id = $1
"""

_ADD_CATEGORY: Final[LiteralString] = """
    insert into categories (slug, title, summary, position)
    values ($1, $2, $3, $4)
        on conflict (slug) do nothing
"""

_KNOWN_SLUGS: Final[LiteralString] = """
    select slug
      from products
     where slug = any($1::text[])
"""

_PRODUCT_COLUMNS: Final = (
    "id",
    "slug",
    "category",
    "title",
    "summary",
    "description",
    "cover",
    "tax_class",
    "created_at",
    "published_at",
)

_VARIANT_COLUMNS: Final = (
    "id",
    "product_id",
    "position",
    "title",
    "price_minor",
    "currency",
    "on_hand",
)

_PRICE_COLUMNS: Final = (
    "id",
    "variant_id",
    "currency",
    "amount_minor",
    "version",
    "active",
    "created_at",
)


class _ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    id: ProductId


class _VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    version: int


class _SlugRow(msgspec.Struct, frozen=True, kw_only=True):
    slug: str


async def next_version(tx: Transaction, product: ProductId) -> int | None:
    """Let a product's version grow and hold it until the transaction ends; None if not there."""
    row = await tx.one_or_none(_VersionRow, _NEXT_VERSION, product)
    return None if row is None else row.version


async def hold_products_of(tx: Transaction, variants: Sequence[VariantId]) -> list[ProductId]:
    """Let the versions of the products of variants grow, and hold those in order."""
    return sorted(row.id for row in await tx.all(_ProductRow, _HOLD_PRODUCTS_OF, variants))


async def set_title(tx: Transaction, product: ProductId, title: str) -> None:
    """Write a product's title."""
    await tx.execute(_SET_TITLE, product, title)


async def set_tax_class(tx: Transaction, product: ProductId, tax_class: str) -> None:
    """Write which rate of tax a product has."""
    await tx.execute(_SET_TAX_CLASS, product, tax_class)


async def add_categories(tx: Transaction, new: Sequence[Category]) -> None:
    """Write categories, leaving out those that are there."""
    await tx.execute_many(_ADD_CATEGORY, [msgspec.structs.astuple(each) for each in new])


async def known_slugs(tx: Transaction, slugs: Sequence[str]) -> set[str]:
    """Return those of these names that products have."""
    return {row.slug for row in await tx.all(_SlugRow, _KNOWN_SLUGS, slugs)}


async def copy_products(tx: Transaction, new: Sequence[NewProduct]) -> None:
    """Write many products, none of which is there yet."""
    await tx.copy(
        "products",
        _PRODUCT_COLUMNS,
        [tuple(getattr(each, column) for column in _PRODUCT_COLUMNS) for each in new],
    )
    variants = [(variant, each) for each in new for variant in each.variants]
    await tx.copy("variants", _VARIANT_COLUMNS, [_variant_row(variant) for variant, _ in variants])
    await tx.copy(
        "prices",
        _PRICE_COLUMNS,
        [
            (
                first_price_of(variant.id),
                variant.id,
                variant.currency,
                variant.price_minor,
                1,
                True,
                product.created_at,
            )
            for variant, product in variants
        ],
    )


def _variant_row(variant: Variant) -> tuple[object, ...]:
    return (
        variant.id,
        variant.product_id,
        variant.position,
        variant.title,
        variant.price_minor,
        variant.currency,
        variant.stock,
    )
