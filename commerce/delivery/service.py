"""What the rest of commerce may ask of delivery."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from prometheus_client import Counter

from commerce.delivery import repository
from commerce.delivery.errors import GrantNotFoundError
from commerce.delivery.model import (
    OWED,
    TO_FULFIL,
    Grant,
    GrantStep,
    ProductBenefit,
    due,
    is_handed_over,
    show,
    status_of,
)
from commerce.delivery.ports import Preparations
from commerce.foundation.database import Transaction
from commerce.foundation.invariants import Invariant
from commerce.orders import service as orders
from commerce.orders.model import show as show_order
from protocol import views
from protocol.events import GrantChanged
from protocol.ids import GrantId, OrderId, UserId
from protocol.topics import order_topic, user_topic
from shared.logging import get_logger

NOTHING_TO_PREPARE: Final[Preparations] = {}
SWEPT_AT_ONCE_MAX: Final = 50
_ERROR_CHARS_MAX: Final = 300
_UNHEARD_SECONDS_MIN: Final = 60
_UNHEARD_DAYS_MAX: Final = 7

_failures = Counter("rialto_delivery_failures", "Tries to hand over that failed.", ("benefit",))

_log = get_logger("commerce.delivery")


async def set_benefits(tx: Transaction, benefits: Sequence[ProductBenefit]) -> None:
    """Say what products come with besides access, for what is sold from now on."""
    for benefit in benefits:
        await repository.set_benefit(tx, benefit)


async def follow(
    tx: Transaction, order: OrderId, *, preparations: Preparations = NOTHING_TO_PREPARE
) -> list[Grant]:
    """Put the grants of an order where it puts them now, and tell the order; twice is once.

    What could not be made ready after the last try makes the order be held for the staff.

    Raises:
        OrderNotFoundError: if there is no such order.
    """
    held = await orders.hold_row(tx, order)
    grants = await put(
        tx, show_order(held), is_lost=held.dispute == "lost", preparations=preparations
    )
    if not grants:
        return []
    stuck = [grant for grant in grants if grant.is_given_up]
    if stuck:
        await orders.set_held(
            tx, order, held=True, reason=f"could not hand over: {stuck[0].last_error}"
        )
    elif held.state in TO_FULFIL and is_handed_over(grants):
        await orders.fulfil(tx, order)
    await orders.delivery_is(tx, order, status_of(grants))
    return grants


async def sweep(tx: Transaction, *, preparations: Preparations = NOTHING_TO_PREPARE) -> int:
    """Follow orders of which nobody has told, and those due for another try; return how many."""
    unheard = await repository.orders_unheard(
        tx,
        paid_from=tx.now - timedelta(days=_UNHEARD_DAYS_MAX),
        paid_until=tx.now - timedelta(seconds=_UNHEARD_SECONDS_MIN),
        limit=SWEPT_AT_ONCE_MAX,
    )
    due_again = await repository.orders_to_try(tx, tx.now, limit=SWEPT_AT_ONCE_MAX)
    found = list(dict.fromkeys((*unheard, *due_again)))
    for order in found:
        await follow(tx, order, preparations=preparations)
    return len(found)


async def put(
    tx: Transaction,
    order: views.Order,
    *,
    is_lost: bool = False,
    preparations: Preparations = NOTHING_TO_PREPARE,
) -> list[Grant]:
    """Put the grants of an order where the order puts them; twice is once.

    An order that is newer than this one has been followed already, and is not gone back on. What
    cannot be made ready stays pending and is tried again later. With `is_lost` the buyer's bank
    has taken the money back for good.
    """
    before = await _held(tx, order)
    known = [_followed(grant, order, is_lost=is_lost) for grant in before]
    after = [await _step(tx, grant, order, preparations) for grant in known]
    await _keep(tx, before, after)
    return after


async def find(tx: Transaction, grant: GrantId) -> Grant:
    """Return a grant.

    Raises:
        GrantNotFoundError: if there is none.
    """
    found = await repository.find(tx, grant)
    if found is None:
        raise GrantNotFoundError(grant)
    return found


async def of_order(tx: Transaction, order: OrderId) -> list[Grant]:
    """Return the grants of an order."""
    return await repository.of_order(tx, order)


async def of_holder(
    tx: Transaction, holder: UserId, *, after: GrantId | None = None, limit: int
) -> list[Grant]:
    """Return a holder's grants, the newest first."""
    return await repository.of_holder(tx, holder, after=after, limit=limit)


async def import_past(tx: Transaction, orders: Sequence[OrderId]) -> None:
    """Give orders that were brought in from elsewhere their grants, without telling anyone."""
    await repository.adopt(tx, orders)


async def _without_grants(tx: Transaction) -> list[str]:
    return [
        f"Line {each} of a fulfilled order was never handed over."
        for each in await repository.lines_without_grants(tx, seen_before=_settled(tx))
    ]


async def _not_as_bought(tx: Transaction) -> list[str]:
    return [
        f"Grant {each} stands though its order was refunded or lost."
        for each in await repository.grants_of_the_refunded(
            tx, seen_before=tx.now - timedelta(seconds=_UNHEARD_SECONDS_MIN)
        )
    ]


def _settled(tx: Transaction) -> datetime:
    """Return since when what happens may still be on its way here."""
    return tx.now - timedelta(seconds=_UNHEARD_SECONDS_MIN)


INVARIANTS: Final = (
    Invariant(
        name="delivery.paid_lines_are_granted",
        says="Every line of a fulfilled order has a grant.",
        check=_without_grants,
    ),
    Invariant(
        name="delivery.nothing_for_nothing",
        says="Nobody keeps what was wholly refunded or lost at the bank, unless it may be kept.",
        check=_not_as_bought,
    ),
)


async def _held(tx: Transaction, order: views.Order) -> list[Grant]:
    """Return the grants of an order, which are made if it is owed any and has none; hold them."""
    held = await repository.lock_of_order(tx, order.id)
    if held or order.state not in OWED:
        return held
    await repository.add(tx, await _fresh(tx, order))
    return await repository.lock_of_order(tx, order.id)


async def _fresh(tx: Transaction, order: views.Order) -> list[Grant]:
    products = [line.product for line in order.lines]
    accesses = [ProductBenefit(product_id=product, benefit="access") for product in set(products)]
    promised = [*accesses, *await repository.benefits(tx, products)]
    return [
        Grant(
            id=GrantId(tx.mint("grn")),
            order_id=order.id,
            line_id=line.id,
            product_id=line.product,
            holder_id=order.buyer,
            title=line.title,
            benefit=each.benefit,
            on_refund=each.on_refund,
            state="pending",
            version=0,
            units_bought=line.quantity,
            units=line.quantity,
            is_lost=False,
            order_version=order.version,
            attempts=0,
            next_try_at=tx.now,
            last_error="",
            granted_at=None,
        )
        for line in order.lines
        for each in promised
        if each.product_id == line.product
    ]


def _followed(grant: Grant, order: views.Order, *, is_lost: bool) -> Grant:
    """Return the grant with what is new about its order, its state unchanged."""
    if order.version < grant.order_version:
        return msgspec.structs.replace(grant, is_lost=grant.is_lost or is_lost)
    return msgspec.structs.replace(
        grant, is_lost=grant.is_lost or is_lost, order_version=order.version
    )


async def _keep(tx: Transaction, before: Sequence[Grant], after: Sequence[Grant]) -> None:
    """Write what has changed, and tell of each step."""
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    await repository.save(tx, [grant for _, grant in changed])
    moved = [(old, new) for old, new in changed if old.version != new.version]
    await repository.add_steps(tx, [_step_of(old, new, tx) for old, new in moved])
    for _, grant in moved:
        await _tell(tx, grant)


async def _step(
    tx: Transaction, grant: Grant, order: views.Order, preparations: Preparations
) -> Grant:
    if order.version < grant.order_version and not grant.is_lost:
        return grant
    state, units = due(grant, order)
    if (state, units) == (grant.state, grant.units):
        return grant
    if state == "granted" and grant.granted_at is None:
        return await _hand_over(tx, grant, units, preparations)
    return grant.moved_to(state, units=units, at=tx.now)


async def _hand_over(
    tx: Transaction, grant: Grant, units: int, preparations: Preparations
) -> Grant:
    prepare = preparations.get(grant.benefit)
    try:
        if prepare is not None:
            async with tx.savepoint():
                await prepare(tx, grant)
    except Exception as error:
        if not tx.is_alive:
            raise
        _log.exception("delivery.failed", grant=grant.id, attempts=grant.attempts + 1)
        _failures.labels(grant.benefit).inc()
        waiting = grant
        if grant.state != "pending":
            waiting = grant.moved_to("pending", units=units, at=tx.now)
        return waiting.failed(str(error)[:_ERROR_CHARS_MAX], at=tx.now)
    return grant.moved_to("granted", units=units, at=tx.now)


def _step_of(before: Grant, after: Grant, tx: Transaction) -> GrantStep:
    return GrantStep(
        grant_id=after.id,
        version=after.version,
        from_state=before.state,
        to_state=after.state,
        units=after.units,
        at=tx.now,
    )


async def _tell(tx: Transaction, grant: Grant) -> None:
    fact = GrantChanged(grant=show(grant))
    event_id = await tx.emit(order_topic(grant.order_id), fact)
    await tx.emit(user_topic(grant.holder_id), fact, event_id=event_id)
