"""What variants cost: versions of prices, none of which ever changes."""

from collections.abc import Sequence
from typing import Final, LiteralString

from commerce.catalog.model import Offer, Price
from commerce.foundation.database import Transaction
from protocol.ids import ProductId, VariantId

_OFFERS: Final[LiteralString] = """
    select variant.id as variant, product.id as product, product.slug,
           product.title as product_title, variant.title as variant_title,
           price.id as price_id, price.amount_minor as price_minor, price.currency,
           variant.stock, product.cover, product.tax_class,
           product.published_at is not null as published
      from variants variant
      join products product on product.id = variant.product_id
     cross join lateral (
           select id, amount_minor, currency
             from prices
            where variant_id = variant.id
              and active
              and currency in (coalesce($2::text, variant.currency), variant.currency)
            order by currency = $2::text desc nulls last
            limit 1
           ) price
     where variant.id = any($1::text[])
"""

_PRICES_OF: Final[LiteralString] = """
    select price.id, price.variant_id, price.currency, price.amount_minor, price.version,
           price.active
      from variants variant
      join prices price on price.variant_id = variant.id and price.active
     where variant.product_id = any($1::text[])
     order by variant.product_id, variant.position, price.currency
"""

_SET_BASE_PRICE: Final[LiteralString] = """
    update variants
       set price_minor = $2, currency = $3
     where id = $1
"""

_WITHDRAW: Final[LiteralString] = """
    update prices
       set active = false
     where variant_id = $1
       and currency = $2
       and active
       and amount_minor is distinct from $3
"""

_ADD: Final[LiteralString] = """
    insert into prices (id, variant_id, currency, amount_minor, version, created_at)
    select $1, $2, $3, $4,
           1 + coalesce(
               (select max(version) from prices where variant_id = $2 and currency = $3), 0
           ),
           $5
        on conflict (variant_id, currency) where active do nothing
"""


_IMPORT: Final[LiteralString] = """
    insert into prices (id, variant_id, currency, amount_minor, version, created_at)
    values ($1, $2, $3, $4, $5, $6)
        on conflict do nothing
"""


async def offers(
    tx: Transaction, wanted: Sequence[VariantId], *, currency: str | None
) -> list[Offer]:
    """Return variants with what a buyer needs to know; unknown ones are left out."""
    return await tx.all(Offer, _OFFERS, wanted, currency)


async def prices_of(tx: Transaction, products: Sequence[ProductId]) -> list[Price]:
    """Return the prices that products have now, in every currency."""
    return await tx.all(Price, _PRICES_OF, products)


async def set_base(
    tx: Transaction, variant: VariantId, *, amount_minor: int, currency: str
) -> None:
    """Say in which currency a variant is sold where nothing else is asked for, and at what."""
    await tx.execute(_SET_BASE_PRICE, variant, amount_minor, currency)


async def replace(tx: Transaction, variant: VariantId, *, amount_minor: int, currency: str) -> None:
    """Have a variant cost this in a currency: a new version, unless it costs this already."""
    await tx.execute(_WITHDRAW, variant, currency, amount_minor)
    await tx.execute(_ADD, tx.mint("prc"), variant, currency, amount_minor, tx.now)


async def import_prices(tx: Transaction, prices: Sequence[Price]) -> None:
    """Write many prices, leaving out those that are there."""
    await tx.execute_many(
        _IMPORT,
        [
            (each.id, each.variant_id, each.currency, each.amount_minor, each.version, tx.now)
            for each in prices
        ],
    )


async def withdraw(tx: Transaction, variant: VariantId, *, currency: str) -> None:
    """Sell a variant in a currency no longer."""
    await tx.execute(_WITHDRAW, variant, currency, None)
