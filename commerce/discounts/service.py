"""What the rest of commerce may ask of discounts."""

from collections.abc import Sequence
from typing import Final

import msgspec

from commerce.catalog import service as catalog
from commerce.discounts import repository
from commerce.discounts.errors import (
    CodeTakenError,
    DiscountNotFoundError,
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    UnknownCodeError,
)
from commerce.discounts.model import Discount, NewDiscount, read_code
from commerce.foundation.database import Transaction
from commerce.foundation.invariants import BREACHES_SHOWN_MAX, Invariant
from protocol.ids import DiscountId, OrderId, UserId


async def find(
    tx: Transaction, codes: Sequence[str], customer: UserId | None
) -> tuple[Discount, ...]:
    """Return the discounts that somebody typed the codes of, each once.

    It is only a look: what is found may be gone when an order reserves it.

    Raises:
        UnknownCodeError: if there is no such code, or it does not hold now.
        DiscountUsedUpError: if as many orders as may have one have it.
        DiscountUsedBeforeError: if the customer has used one that is once for everybody.
    """
    wanted = list(dict.fromkeys(read_code(code) for code in codes))
    if not wanted:
        return ()
    found = {discount.code: discount for discount in await repository.by_codes(tx, wanted)}
    for code in wanted:
        if code not in found or not found[code].holds(tx.now):
            raise UnknownCodeError(code)
    discounts = tuple(found[code] for code in wanted)
    if customer is None:
        used = set[DiscountId]()
    else:
        uses = await repository.uses(tx, OrderId(""), customer, [each.id for each in discounts])
        used = {use.discount_id for use in uses}
    for discount in discounts:
        _require_free(discount, used)
    return discounts


async def of(tx: Transaction, discount: DiscountId) -> Discount:
    """Return a discount.

    Raises:
        DiscountNotFoundError: if there is none.
    """
    found = await repository.by_id(tx, discount)
    if found is None:
        raise DiscountNotFoundError(discount)
    return found


async def reserve(
    tx: Transaction, order: OrderId, customer: UserId, discount_ids: Sequence[DiscountId]
) -> None:
    """Keep discounts for an order until it is paid or given up; twice is once.

    What the order has reserved or redeemed already stays; what it once released is reserved anew.

    Raises:
        UnknownCodeError: if one does not hold any more.
        DiscountUsedUpError: if as many orders as may have one have it.
        DiscountUsedBeforeError: if the customer has used one that is once for everybody.
            After any of these nothing is reserved, and the transaction goes on.
    """
    if not discount_ids:
        return
    held = await repository.hold(tx, list(discount_ids))
    uses = await repository.uses(tx, order, customer, list(discount_ids))
    had = {use.discount_id for use in uses if use.order_id == order and use.state != "released"}
    used = {use.discount_id for use in uses if use.order_id != order}
    wanted = [discount for discount in held if discount.id not in had]
    for discount in wanted:
        if not discount.holds(tx.now):
            raise UnknownCodeError(discount.code)
        _require_free(discount, used)
    if wanted:
        counted = await repository.reserve(tx, order, customer, [each.id for each in wanted])
        assert counted == len(wanted)


async def redeem(tx: Transaction, order: OrderId) -> None:
    """Count the discounts that are reserved for an order as used for good: it was paid."""
    if await repository.hold_of(tx, order):
        await repository.redeem(tx, order)


async def release(tx: Transaction, order: OrderId) -> None:
    """Let others have the discounts that are reserved for an order: it was given up."""
    if await repository.hold_of(tx, order):
        await repository.release(tx, order)


async def newest(tx: Transaction, *, after: DiscountId | None = None, limit: int) -> list[Discount]:
    """Return discounts, the newest first."""
    return await repository.newest(tx, after=after, limit=limit)


async def create(
    tx: Transaction, new: NewDiscount, *, identity: DiscountId | None = None
) -> Discount:
    """Make a discount.

    Raises:
        CodeTakenError: if another one has the code.
        NoSuchProductError: if there is no such product as it is for.
    """
    if new.product_id is not None:
        await catalog.card(tx, new.product_id)
    starts_at = new.starts_at or tx.now
    facts = msgspec.structs.asdict(new) | {
        "code": read_code(new.code),
        "kind": new.kind,
        "starts_at": starts_at,
    }
    discount = Discount(
        id=identity or DiscountId(tx.mint("dsc")),
        reserved=0,
        redeemed=0,
        created_at=tx.now,
        **facts,
    )
    if not await repository.add(tx, discount):
        raise CodeTakenError(discount.code)
    return discount


async def end(tx: Transaction, discount: DiscountId) -> Discount:
    """Let a discount hold no longer; orders that have it reserved keep it.

    Raises:
        DiscountNotFoundError: if there is none.
    """
    await of(tx, discount)
    await repository.end(tx, discount)
    return await of(tx, discount)


def _require_free(discount: Discount, used: set[DiscountId]) -> None:
    if discount.id in used:
        raise DiscountUsedBeforeError(discount.code)
    if discount.is_used_up:
        raise DiscountUsedUpError(discount.code)


async def _counts(tx: Transaction) -> list[str]:
    return await repository.miscounted(tx, BREACHES_SHOWN_MAX)


INVARIANTS: Final = (
    Invariant(
        name="discounts.counts",
        says="Each discount counts the orders that have it reserved and redeemed.",
        check=_counts,
    ),
)
