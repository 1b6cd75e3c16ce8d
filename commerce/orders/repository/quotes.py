"""Quotes, and what buyers own already."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.orders.model.quote import Quote
from protocol.ids import OrderId, ProductId, QuoteId, UserId

_ADD: Final[LiteralString] = """
    insert into quotes (
        id, buyer_id, cart_version, currency, country, codes, basket, created_at, expires_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_FIND: Final[LiteralString] = """
    select id, buyer_id, cart_version, currency, country, codes, basket, created_at, expires_at,
           order_id
      from quotes
     where id = $1
       and buyer_id = $2
"""

_LOCK: Final[LiteralString] = _FIND + " for update"

_USE: Final[LiteralString] = """
    update quotes
       set order_id = $2
     where id = $1
"""

_FORGET: Final[LiteralString] = """
    delete from quotes
     where expires_at < $1
"""

_OWNED: Final[LiteralString] = """
    select distinct line.product_id
      from orders
      join order_lines line on line.order_id = orders.id
     where orders.buyer_id = $1
       and orders.state in ('processing', 'paid', 'fulfilled', 'partially_refunded')
       and (line.refunded_minor < line.total_minor or line.total_minor = 0)
       and line.product_id = any($2::text[])
     order by line.product_id
"""


class _Product(msgspec.Struct, frozen=True, kw_only=True):
    product_id: ProductId


async def add(tx: Transaction, quote: Quote) -> None:
    """Write a new quote."""
    await tx.execute(
        _ADD,
        quote.id,
        quote.buyer_id,
        quote.cart_version,
        quote.currency,
        quote.country,
        quote.codes,
        quote.basket,
        quote.created_at,
        quote.expires_at,
    )


async def find(tx: Transaction, quote: QuoteId, buyer: UserId) -> Quote | None:
    """Return a quote of this buyer."""
    return await tx.one_or_none(Quote, _FIND, quote, buyer)


async def lock(tx: Transaction, quote: QuoteId, buyer: UserId) -> Quote | None:
    """Return a quote of this buyer and hold it until the transaction ends."""
    return await tx.one_or_none(Quote, _LOCK, quote, buyer)


async def use(tx: Transaction, quote: QuoteId, order: OrderId) -> None:
    """Write down which order was made of a quote."""
    await tx.execute(_USE, quote, order)


async def forget(tx: Transaction, *, ended_before: datetime) -> int:
    """Forget quotes that ended before a moment; return how many."""
    return await tx.execute(_FORGET, ended_before)


async def owned(
    tx: Transaction, buyer: UserId, products: Sequence[ProductId]
) -> tuple[ProductId, ...]:
    """Return those of some products that a buyer has bought, or is about to have paid."""
    found = await tx.all(_Product, _OWNED, buyer, products)
    return tuple(row.product_id for row in found)
