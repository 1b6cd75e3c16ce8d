"""Every line of SQL about carts."""

from typing import Final, LiteralString

import msgspec

from commerce.cart.model import Cart, CartLine
from commerce.foundation.database import Transaction
from protocol.ids import CartId, UserId, VariantId

_FIND_OPEN: Final[LiteralString] = """
    select id, user_id, version
      from carts
     where user_id = $1
       and state = 'open'
"""

_LOCK_OPEN: Final[LiteralString] = _FIND_OPEN + " for update"

_OPEN: Final[LiteralString] = """
    insert into carts (id, user_id, state, version, opened_at, changed_at)
    values ($1, $2, 'open', $3, $4, $4)
        on conflict (user_id) where state = 'open' do nothing
"""

_LINES: Final[LiteralString] = """
    select variant_id as variant, quantity, price_minor, currency
      from cart_lines
     where cart_id = $1
     order by added_at, variant_id
"""

_SET_VERSION: Final[LiteralString] = """
    update carts
       set version = $2, changed_at = $3
     where id = $1
       and state = 'open'
"""

_SET_LINE: Final[LiteralString] = """
    insert into cart_lines (cart_id, variant_id, quantity, price_minor, currency, added_at)
    values ($1, $2, $3, $4, $5, $6)
        on conflict (cart_id, variant_id) do update
       set quantity = excluded.quantity,
           price_minor = excluded.price_minor,
           currency = excluded.currency
"""

_REMOVE_LINE: Final[LiteralString] = """
    delete from cart_lines
     where cart_id = $1
       and variant_id = $2
"""

_CONSUME: Final[LiteralString] = """
    update carts
       set state = 'ordered', changed_at = $3
     where id = $1
       and version = $2
       and state = 'open'
"""


class _CartRow(msgspec.Struct, frozen=True, kw_only=True):
    id: CartId
    user_id: UserId
    version: int


async def find_open(tx: Transaction, user: UserId) -> Cart | None:
    """Return a user's open cart."""
    return await _with_lines(tx, await tx.one_or_none(_CartRow, _FIND_OPEN, user))


async def lock_open(tx: Transaction, user: UserId) -> Cart | None:
    """Return a user's open cart and hold it until the transaction ends.

    After waiting for an order that used the cart up this finds none, although there is a new one:
    ask again.
    """
    return await _with_lines(tx, await tx.one_or_none(_CartRow, _LOCK_OPEN, user))


async def open_one(tx: Transaction, user: UserId, *, version: int) -> None:
    """Open a cart for a user, unless there is an open one."""
    await tx.execute(_OPEN, tx.mint("crt"), user, version, tx.now)


async def save(tx: Transaction, before: Cart, after: Cart) -> None:
    """Write what is different between two versions of a held cart."""
    await tx.execute(_SET_VERSION, after.id, after.version, tx.now)
    kept = {line.variant for line in after.lines}
    for line in before.lines:
        if line.variant not in kept:
            await tx.execute(_REMOVE_LINE, after.id, line.variant)
    for line in after.lines:
        if line not in before.lines:
            await _set_line(tx, after.id, line)


async def consume(tx: Transaction, cart: Cart) -> bool:
    """Mark a cart as ordered if it is still open at this version."""
    return await tx.execute(_CONSUME, cart.id, cart.version, tx.now) == 1


async def _with_lines(tx: Transaction, row: _CartRow | None) -> Cart | None:
    if row is None:
        return None
    lines = await tx.all(CartLine, _LINES, row.id)
    return Cart(id=row.id, user=row.user_id, version=row.version, lines=tuple(lines))


async def _set_line(tx: Transaction, cart: CartId, line: CartLine) -> None:
    variant: VariantId = line.variant
    await tx.execute(
        _SET_LINE, cart, variant, line.quantity, line.price_minor, line.currency, tx.now
    )
