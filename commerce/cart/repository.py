"""Every line of SQL about carts."""

from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.cart.model import Cart, CartLine, Guest, Owner
from commerce.foundation.database import Transaction
from protocol.ids import CartId, UserId

_FIND_OPEN: Final[LiteralString] = """
    select id, version, currency
      from carts
     where user_id = $1
       and state = 'open'
"""

_FIND_OPEN_OF_GUEST: Final[LiteralString] = """
    select id, version, currency
      from carts
     where guest_hash = $1
       and state = 'open'
"""

_LOCK_OPEN: Final[LiteralString] = _FIND_OPEN + " for update"

_LOCK_OPEN_OF_GUEST: Final[LiteralString] = _FIND_OPEN_OF_GUEST + " for update"

_OPEN: Final[LiteralString] = """
    insert into carts
           (id, user_id, guest_hash, state, version, currency, opened_at, changed_at)
    values ($1, $2, $3, 'open', $4, $5, $6, $6)
        on conflict do nothing
"""

_LINES: Final[LiteralString] = """
    select variant_id as variant, quantity, price_minor, currency
      from cart_lines
     where cart_id = $1
     order by added_at, variant_id
"""

_SET_VERSION: Final[LiteralString] = """
    update carts
       set version = $2, currency = $3, changed_at = $4
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
       set state = $3, changed_at = $4
     where id = $1
       and version = $2
       and state = 'open'
"""

_FORGET_GUESTS: Final[LiteralString] = """
    delete from carts
     where id in (
           select id
             from carts
            where guest_hash is not null
              and changed_at < $1
            order by changed_at
            limit $2
              for update skip locked
           )
"""


class _CartRow(msgspec.Struct, frozen=True, kw_only=True):
    id: CartId
    version: int
    currency: str | None


async def find_open(tx: Transaction, owner: Owner) -> Cart | None:
    """Return somebody's open cart."""
    if isinstance(owner, Guest):
        row = await tx.one_or_none(_CartRow, _FIND_OPEN_OF_GUEST, owner.token_hash)
    else:
        row = await tx.one_or_none(_CartRow, _FIND_OPEN, owner)
    return await _with_lines(tx, owner, row)


async def lock_open(tx: Transaction, owner: Owner) -> Cart | None:
    """Return somebody's open cart and hold it until the transaction ends.

    After waiting for an order that used the cart up this finds none, although there is a new one:
    ask again.
    """
    if isinstance(owner, Guest):
        row = await tx.one_or_none(_CartRow, _LOCK_OPEN_OF_GUEST, owner.token_hash)
    else:
        row = await tx.one_or_none(_CartRow, _LOCK_OPEN, owner)
    return await _with_lines(tx, owner, row)


async def open_one(
    tx: Transaction, owner: Owner, *, version: int, currency: str | None = None
) -> None:
    """Open a cart for somebody, unless there is an open one."""
    user: UserId | None = None if isinstance(owner, Guest) else owner
    token_hash = owner.token_hash if isinstance(owner, Guest) else None
    await tx.execute(_OPEN, tx.mint("crt"), user, token_hash, version, currency, tx.now)


async def save(tx: Transaction, before: Cart, after: Cart) -> None:
    """Write what is different between two versions of a held cart."""
    await tx.execute(_SET_VERSION, after.id, after.version, after.chosen, tx.now)
    kept = {line.variant for line in after.lines}
    removed = [line.variant for line in before.lines if line.variant not in kept]
    if removed:
        await tx.execute_many(_REMOVE_LINE, [(after.id, variant) for variant in removed])
    changed = [line for line in after.lines if line not in before.lines]
    if changed:
        await tx.execute_many(_SET_LINE, [_row(tx, after.id, line) for line in changed])


async def consume(tx: Transaction, cart: Cart) -> bool:
    """Mark a cart as ordered if it is still open at this version."""
    return await tx.execute(_CONSUME, cart.id, cart.version, "ordered", tx.now) == 1


async def mark_merged(tx: Transaction, cart: Cart) -> None:
    """Mark a guest's held cart as gone over into a user's."""
    assert await tx.execute(_CONSUME, cart.id, cart.version, "merged", tx.now) == 1


async def forget_guests(tx: Transaction, *, untouched_since: datetime, limit: int) -> int:
    """Delete some carts of guests who did not come back; return how many."""
    return await tx.execute(_FORGET_GUESTS, untouched_since, limit)


async def _with_lines(tx: Transaction, owner: Owner, row: _CartRow | None) -> Cart | None:
    if row is None:
        return None
    return Cart(
        id=row.id,
        owner=owner,
        version=row.version,
        chosen=row.currency,
        lines=tuple(await tx.all(CartLine, _LINES, row.id)),
    )


def _row(tx: Transaction, cart: CartId, line: CartLine) -> tuple[object, ...]:
    return cart, line.variant, line.quantity, line.price_minor, line.currency, tx.now
