"""What must be true of prices and stock, asked of all rows at once."""

from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction

_MISCOUNTED: Final[LiteralString] = """
    select variant.id || ' keeps ' || variant.reserved || ' for orders, whose reservations are '
           || coalesce(kept.quantity, 0) as breach
      from variants variant
      full join (
           select variant_id as id, sum(quantity) as quantity
             from reservations
            where state = 'held'
            group by variant_id
           ) kept using (id)
     where variant.reserved is distinct from coalesce(kept.quantity, 0)
     limit $1
"""

_WITHOUT_PRICE: Final[LiteralString] = """
    select variant.id || ' says it costs ' || variant.price_minor || ' ' || variant.currency
           || ', and has no such price' as breach
      from variants variant
      left join prices price
        on price.variant_id = variant.id
       and price.currency = variant.currency
       and price.active
     where price.amount_minor is distinct from variant.price_minor
     limit $1
"""


class _Breach(msgspec.Struct, frozen=True, kw_only=True):
    breach: str


async def miscounted(tx: Transaction, limit: int) -> list[str]:
    """Return a sentence for each variant whose count is not that of its reservations."""
    return [row.breach for row in await tx.all(_Breach, _MISCOUNTED, limit)]


async def without_price(tx: Transaction, limit: int) -> list[str]:
    """Return a sentence for each variant whose price is not that of its currency."""
    return [row.breach for row in await tx.all(_Breach, _WITHOUT_PRICE, limit)]
