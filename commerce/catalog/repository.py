"""Every line of SQL about the catalogue."""

from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from commerce.catalog.model import (
    Category,
    ListedAfter,
    NewProduct,
    Offer,
    ProductCard,
    SearchText,
    Variant,
)
from commerce.catalog.settings import SEARCH_CANDIDATES_MAX
from commerce.foundation.database import Transaction
from protocol.ids import ProductId, VariantId

_CATEGORIES: Final[LiteralString] = """
    select slug, title, summary, position
      from categories
     order by position
"""

_CATEGORY_EXISTS: Final[LiteralString] = """
    select exists (select from categories where slug = $1)
"""

_CARD_COLUMNS: Final[LiteralString] = """
    select product.id, product.version, product.slug, product.category, product.title,
           product.summary, product.cover, offered.price_minor, offered.currency, offered.stock,
           offered.variants_count
"""

_OFFERED: Final[LiteralString] = """
     cross join lateral (
           select min(price_minor) as price_minor,
                  min(currency) as currency,
                  case when bool_and(stock is not null) then sum(stock) end as stock,
                  count(*) as variants_count
             from variants
            where product_id = product.id
           having count(*) > 0
           ) offered
"""

_NEWEST: Final[LiteralString] = (
    _CARD_COLUMNS
    + ", 0 as rank from products product"
    + _OFFERED
    + """
     where product.published_at is not null
       and product.id < coalesce($1, '~')
     order by product.id desc
     limit $2
"""
)

_NEWEST_OF_CATEGORY: Final[LiteralString] = (
    _CARD_COLUMNS
    + ", 0 as rank from products product"
    + _OFFERED
    + """
     where product.published_at is not null
       and product.category = $3
       and product.id < coalesce($1, '~')
     order by product.id desc
     limit $2
"""
)

_ASKED: Final[LiteralString] = """(
    websearch_to_tsquery('english', $1)
    && case $2::text
       when '' then ''::tsquery
       else to_tsquery('simple', '''' || $2 || ''':*') || plainto_tsquery('english', $2)
       end
)"""

_CANDIDATES: Final[LiteralString] = """
    with candidate as materialized (
        select id, search
          from products
         where published_at is not null
           and ($3::text is null or category = $3)
           and search @@ """

_RANKED: Final[LiteralString] = """
         order by id desc
         limit $4
    ), ranked as (
        select id, (ts_rank(search, """

_PAGE_OF_RANKED: Final[LiteralString] = """) * 1000000)::bigint as rank
          from candidate
    ), best as (
        select id, rank
          from ranked
         where (rank, id) < ($5::bigint, $6::text collate "C")
         order by rank desc, id desc
         limit $7
    )
"""

_FOUND: Final[LiteralString] = (
    _CANDIDATES
    + _ASKED
    + _RANKED
    + _ASKED
    + _PAGE_OF_RANKED
    + _CARD_COLUMNS
    + ", best.rank from best join products product using (id)"
    + _OFFERED
    + """
     order by best.rank desc, best.id desc
"""
)

_PLAN_ANEW: Final[LiteralString] = "set local plan_cache_mode = force_custom_plan"
"""A rare word and one that is everywhere want different plans; a shared one costs tenfold."""

_BY_SLUG: Final[LiteralString] = (
    _CARD_COLUMNS
    + ", 0 as rank from products product"
    + _OFFERED
    + """
     where product.slug = $1
       and product.published_at is not null
"""
)

_BY_ID: Final[LiteralString] = (
    _CARD_COLUMNS
    + ", 0 as rank from products product"
    + _OFFERED
    + """
     where product.id = $1
"""
)

_SHOWN: Final[LiteralString] = (
    _CARD_COLUMNS
    + ", 0 as rank from products product"
    + _OFFERED
    + """
     where product.id = any($1::text[]) and product.published_at is not null
"""
)

_DESCRIPTION: Final[LiteralString] = """
    select description from products where id = $1
"""

_VARIANTS: Final[LiteralString] = """
    select id, product_id, position, title, price_minor, currency, stock
      from variants
     where product_id = any($1::text[])
     order by product_id, position
"""

_OFFERS: Final[LiteralString] = """
    select variant.id as variant, product.id as product, product.slug,
           product.title as product_title, variant.title as variant_title,
           variant.price_minor, variant.currency, variant.stock, product.cover,
           product.published_at is not null as published
      from variants variant
      join products product on product.id = variant.product_id
     where variant.id = any($1::text[])
"""

_PRODUCTS_OF: Final[LiteralString] = """
    select distinct product_id as id
      from variants
     where id = any($1::text[])
     order by product_id
"""

_NEXT_VERSION: Final[LiteralString] = """
    update products
       set version = version + 1
     where id = $1
 returning version
"""

_SET_TITLE: Final[LiteralString] = """
    update products
       set title = $2
     where id = $1
"""

_SET_PRICE: Final[LiteralString] = """
    update variants
       set price_minor = $2, currency = $3
     where id = $1
"""

_SET_STOCK: Final[LiteralString] = """
    update variants
       set stock = $2
     where id = $1
"""

_TAKE_STOCK: Final[LiteralString] = """
    update variants
       set stock = stock - $2
     where id = $1
       and stock >= $2
"""

_GIVE_BACK_STOCK: Final[LiteralString] = """
    update variants
       set stock = stock + $2
     where id = $1
       and stock is not null
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
    "stock",
)

_RANK_BEFORE_ALL: Final = 2**62


class _ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    id: ProductId


class _VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    version: int


class _SlugRow(msgspec.Struct, frozen=True, kw_only=True):
    slug: str


async def categories(tx: Transaction) -> list[Category]:
    """Return every category, in the order of the shop."""
    return await tx.all(Category, _CATEGORIES)


async def category_exists(tx: Transaction, slug: str) -> bool:
    """Say whether there is such a category."""
    return await tx.value(bool, _CATEGORY_EXISTS, slug)


async def newest(
    tx: Transaction, *, category: str | None, after: ListedAfter | None, limit: int
) -> list[ProductCard]:
    """Return published products, the newest first."""
    after_id = None if after is None else after.id
    if category is None:
        return await tx.all(ProductCard, _NEWEST, after_id, limit)
    return await tx.all(ProductCard, _NEWEST_OF_CATEGORY, after_id, limit, category)


async def found(
    tx: Transaction,
    asked: SearchText,
    *,
    category: str | None,
    after: ListedAfter | None,
    limit: int,
) -> list[ProductCard]:
    """Return published products that fit what was asked for, the best first."""
    await tx.execute(_PLAN_ANEW)
    return await tx.all(
        ProductCard,
        _FOUND,
        asked.whole,
        asked.prefix,
        category,
        SEARCH_CANDIDATES_MAX,
        _RANK_BEFORE_ALL if after is None else after.rank,
        "~" if after is None else after.id,
        limit,
    )


async def card_by_slug(tx: Transaction, slug: str) -> ProductCard | None:
    """Return a published product."""
    return await tx.one_or_none(ProductCard, _BY_SLUG, slug)


async def card(tx: Transaction, product: ProductId) -> ProductCard:
    """Return a product that is known to exist."""
    return await tx.one(ProductCard, _BY_ID, product)


async def shown(tx: Transaction, wanted: Sequence[ProductId]) -> list[ProductCard]:
    """Return those of some products that are published."""
    return await tx.all(ProductCard, _SHOWN, wanted)


async def description(tx: Transaction, product: ProductId) -> str:
    """Return a product's long text."""
    return await tx.value(str, _DESCRIPTION, product)


async def variants(tx: Transaction, *products: ProductId) -> list[Variant]:
    """Return the ways to buy products, each product's in their order."""
    return await tx.all(Variant, _VARIANTS, products)


async def offers(tx: Transaction, wanted: Sequence[VariantId]) -> list[Offer]:
    """Return variants with what a buyer needs to know; unknown ones are left out."""
    return await tx.all(Offer, _OFFERS, wanted)


async def products_of(tx: Transaction, wanted: Sequence[VariantId]) -> list[ProductId]:
    """Return the products of variants, sorted, each once."""
    return [row.id for row in await tx.all(_ProductRow, _PRODUCTS_OF, wanted)]


async def next_version(tx: Transaction, product: ProductId) -> int | None:
    """Let a product's version grow and hold it until the transaction ends; None if not there."""
    row = await tx.one_or_none(_VersionRow, _NEXT_VERSION, product)
    return None if row is None else row.version


async def set_title(tx: Transaction, product: ProductId, title: str) -> None:
    """Write a product's title."""
    await tx.execute(_SET_TITLE, product, title)


async def set_price(
    tx: Transaction, variant: VariantId, *, amount_minor: int, currency: str
) -> None:
    """Write a variant's price."""
    await tx.execute(_SET_PRICE, variant, amount_minor, currency)


async def set_stock(tx: Transaction, variant: VariantId, stock: int | None) -> None:
    """Write how many of a variant are left."""
    await tx.execute(_SET_STOCK, variant, stock)


async def take_stock(tx: Transaction, variant: VariantId, quantity: int) -> bool:
    """Take so many out of a limited stock, or none and say no."""
    return await tx.execute(_TAKE_STOCK, variant, quantity) == 1


async def give_back_stock(tx: Transaction, variant: VariantId, quantity: int) -> None:
    """Put so many back, unless the stock has become unlimited."""
    await tx.execute(_GIVE_BACK_STOCK, variant, quantity)


async def add_categories(tx: Transaction, new: Sequence[Category]) -> None:
    """Write categories, leaving out those that are there."""
    await tx.execute_many(_ADD_CATEGORY, [msgspec.structs.astuple(each) for each in new])


async def known_slugs(tx: Transaction, slugs: Sequence[str]) -> set[str]:
    """Return those of these names that products have."""
    return {row.slug for row in await tx.all(_SlugRow, _KNOWN_SLUGS, slugs)}


async def copy_products(tx: Transaction, new: Sequence[NewProduct]) -> None:
    """Write many products, none of which is there yet."""
    await tx.copy("products", _PRODUCT_COLUMNS, [_values(each, _PRODUCT_COLUMNS) for each in new])
    await tx.copy(
        "variants",
        _VARIANT_COLUMNS,
        [_values(variant, _VARIANT_COLUMNS) for each in new for variant in each.variants],
    )


def _values(thing: msgspec.Struct, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple(getattr(thing, column) for column in columns)
