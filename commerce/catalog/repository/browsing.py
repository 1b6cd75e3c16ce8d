"""What is for sale, as it is listed, searched and shown."""

from collections.abc import Sequence
from typing import Final, LiteralString

from commerce.catalog.model import Category, ListedAfter, ProductCard, SearchText, Variant
from commerce.catalog.settings import SEARCH_CANDIDATES_MAX
from commerce.foundation.database import Transaction
from protocol.ids import ProductId

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

_BY_IDS: Final[LiteralString] = (
    _CARD_COLUMNS
    + ", 0 as rank from products product"
    + _OFFERED
    + """
     where product.id = any($1::text[])
     order by product.id
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

_RANK_BEFORE_ALL: Final = 2**62


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


async def cards(tx: Transaction, wanted: Sequence[ProductId]) -> list[ProductCard]:
    """Return products, published or not, in the order of their ids."""
    return await tx.all(ProductCard, _BY_IDS, wanted)


async def shown(tx: Transaction, wanted: Sequence[ProductId]) -> list[ProductCard]:
    """Return those of some products that are published."""
    return await tx.all(ProductCard, _SHOWN, wanted)


async def description(tx: Transaction, product: ProductId) -> str:
    """Return a product's long text."""
    return await tx.value(str, _DESCRIPTION, product)


async def variants(tx: Transaction, *products: ProductId) -> list[Variant]:
    """Return the ways to buy products, each product's in their order."""
    return await tx.all(Variant, _VARIANTS, products)
