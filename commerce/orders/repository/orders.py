"""Orders, their lines and their log."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.orders.model import DisputeState, Order, OrderEvent, OrderLine
from protocol.ids import CartId, DiscountId, OrderId, PaymentId, SubscriptionId, UserId
from protocol.views import DeliveryStatus, OrderState, TaxShare

COLUMNS: Final[LiteralString] = """
    select id, number, buyer_id, cart_id, state, version, currency, placed_at, taxes, country,
           captured_minor, delivery, dispute, held, held_reason, late, pay_until, paid_at,
           fulfilled_at, subscription_id, payment_id, payment_version, discount_ids
      from orders
"""

_FIND: Final[LiteralString] = COLUMNS + " where id = $1 and buyer_id = $2"

_OF: Final[LiteralString] = COLUMNS + " where id = $1"

_VISIBLE: Final[LiteralString] = (
    COLUMNS
    + """
     where id = any($1::text[])
       and (buyer_id = $2 or $3)
"""
)

_LOCK: Final[LiteralString] = _OF + " for update"

_OF_BUYER: Final[LiteralString] = (
    COLUMNS
    + """
     where buyer_id = $1
       and id < coalesce($2, '~')
     order by id desc
     limit $3
"""
)

_DUE: Final[LiteralString] = """
    select id
      from orders
     where state = 'awaiting_payment'
       and pay_until < $1
     order by pay_until, id
     limit $2
"""

_LINES: Final[LiteralString] = """
    select order_id, id, variant_id, product_id, title, quantity, unit_price_minor, currency,
           takes_stock, discount_minor, tax_minor, tax_name, tax_ppm, tax_inclusive,
           refunded_minor, price_id
      from order_lines
     where order_id = any($1::text[])
     order by order_id, position
"""

_EVENTS: Final[LiteralString] = """
    select seq, type, from_state, to_state, event_id, at, detail
      from order_events
     where order_id = $1
       and seq > $2
     order by seq
"""

_NEXT_NUMBER: Final[LiteralString] = """
    select nextval('order_numbers')
"""

_ADD: Final[LiteralString] = """
    insert into orders (
        id, number, buyer_id, cart_id, state, version, total_minor, currency, placed_at,
        subtotal_minor, discount_minor, tax_minor, taxes, country, captured_minor, refunded_minor,
        delivery, dispute, held, held_reason, late, pay_until, paid_at, fulfilled_at,
        subscription_id, payment_id, payment_version, discount_ids
    )
    values (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21, $22, $23, $24, $25, $26, $27, $28
    )
"""

_ADD_LINES: Final[LiteralString] = """
    insert into order_lines (
        order_id, id, position, variant_id, product_id, title, quantity, unit_price_minor,
        total_minor, currency, takes_stock, discount_minor, tax_minor, tax_name, tax_ppm,
        tax_inclusive, refunded_minor, price_id
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""

_MOVE: Final[LiteralString] = """
    update orders
       set state = $3,
           version = $4,
           captured_minor = $5,
           refunded_minor = $6,
           delivery = $7,
           dispute = $8,
           held = $9,
           held_reason = $10,
           late = $11,
           pay_until = $12,
           paid_at = $13,
           fulfilled_at = $14,
           payment_id = $15,
           payment_version = $16
     where id = $1
       and version = $2
"""

_SET_REFUNDED: Final[LiteralString] = """
    update order_lines line
       set refunded_minor = told.refunded_minor
      from unnest($1::text[], $2::bigint[]) told (id, refunded_minor)
     where line.id = told.id
       and line.refunded_minor <> told.refunded_minor
"""

_ADD_EVENT: Final[LiteralString] = """
    insert into order_events (order_id, seq, type, from_state, to_state, event_id, at, detail)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

_BUYERS: Final[LiteralString] = """
    select id, buyer_id
      from orders
     order by id
"""

ORDER_COLUMNS: Final = (
    "id",
    "number",
    "buyer_id",
    "cart_id",
    "state",
    "version",
    "total_minor",
    "currency",
    "placed_at",
    "subtotal_minor",
    "discount_minor",
    "tax_minor",
    "taxes",
    "country",
    "captured_minor",
    "refunded_minor",
    "delivery",
    "dispute",
    "held",
    "held_reason",
    "late",
    "pay_until",
    "paid_at",
    "fulfilled_at",
    "subscription_id",
    "payment_id",
    "payment_version",
    "discount_ids",
)

_MOVED_COLUMNS: Final = (
    "state",
    "version",
    "captured_minor",
    "refunded_minor",
    "delivery",
    "dispute",
    "held",
    "held_reason",
    "late",
    "pay_until",
    "paid_at",
    "fulfilled_at",
    "payment_id",
    "payment_version",
)

LINE_COLUMNS: Final = (
    "order_id",
    "id",
    "position",
    "variant_id",
    "product_id",
    "title",
    "quantity",
    "unit_price_minor",
    "total_minor",
    "currency",
    "takes_stock",
    "discount_minor",
    "tax_minor",
    "tax_name",
    "tax_ppm",
    "tax_inclusive",
    "refunded_minor",
    "price_id",
)

EVENT_COLUMNS: Final = ("seq", "type", "from_state", "to_state", "event_id", "at", "detail")


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order without its lines."""

    id: OrderId
    number: str
    buyer_id: UserId
    cart_id: CartId | None
    state: OrderState
    version: int
    currency: str
    placed_at: datetime
    taxes: tuple[TaxShare, ...]
    country: str | None
    captured_minor: int
    delivery: DeliveryStatus
    dispute: DisputeState
    held: bool
    held_reason: str
    late: bool
    pay_until: datetime | None
    paid_at: datetime | None
    fulfilled_at: datetime | None
    subscription_id: SubscriptionId | None
    payment_id: PaymentId | None
    payment_version: int
    discount_ids: tuple[DiscountId, ...]


class _Due(msgspec.Struct, frozen=True, kw_only=True):
    id: OrderId


class _LineRow(OrderLine, frozen=True, kw_only=True):
    order_id: OrderId


class OrderBuyer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an order is."""

    id: OrderId
    buyer_id: UserId


async def find(tx: Transaction, order: OrderId, buyer: UserId) -> Order | None:
    """Return an order of this buyer."""
    row = await tx.one_or_none(OrderRow, _FIND, order, buyer)
    return None if row is None else (await with_lines(tx, [row]))[0]


async def visible(
    tx: Transaction, wanted: Sequence[OrderId], *, buyer: UserId, anyones: bool
) -> list[Order]:
    """Return those of some orders that are this buyer's, or anyone's."""
    rows = await tx.all(OrderRow, _VISIBLE, wanted, buyer, anyones)
    return await with_lines(tx, rows)


async def of(tx: Transaction, order: OrderId) -> Order | None:
    """Return an order, whoever its buyer is."""
    row = await tx.one_or_none(OrderRow, _OF, order)
    return None if row is None else (await with_lines(tx, [row]))[0]


async def lock(tx: Transaction, order: OrderId) -> Order | None:
    """Return an order and hold it until the transaction ends."""
    row = await tx.one_or_none(OrderRow, _LOCK, order)
    return None if row is None else (await with_lines(tx, [row]))[0]


async def of_buyer(
    tx: Transaction, buyer: UserId, *, after: OrderId | None, limit: int
) -> list[Order]:
    """Return a buyer's orders, the newest first."""
    return await with_lines(tx, await tx.all(OrderRow, _OF_BUYER, buyer, after, limit))


async def due(tx: Transaction, *, due_before: datetime, limit: int) -> list[OrderId]:
    """Return orders whose time to be paid is over, the oldest first."""
    return [row.id for row in await tx.all(_Due, _DUE, due_before, limit)]


async def events(tx: Transaction, order: OrderId, *, after_version: int = 0) -> list[OrderEvent]:
    """Return the steps an order took, in order, those after a version."""
    return await tx.all(OrderEvent, _EVENTS, order, after_version)


async def next_serial(tx: Transaction) -> int:
    """Return a number that no order has; numbers of orders that failed are left out."""
    return await tx.value(int, _NEXT_NUMBER)


async def add(tx: Transaction, order: Order) -> None:
    """Write a new order with its lines."""
    await tx.execute(_ADD, *values(order, ORDER_COLUMNS))
    await tx.execute_many(
        _ADD_LINES, [line_values(order.id, place, line) for place, line in numbered(order)]
    )


async def move(tx: Transaction, before: Order, after: Order) -> bool:
    """Write what became of an order, if it is still at the version it had before."""
    if after.lines != before.lines:
        lines = after.lines
        await tx.execute(
            _SET_REFUNDED, [line.id for line in lines], [line.refunded_minor for line in lines]
        )
    told = values(after, _MOVED_COLUMNS)
    return await tx.execute(_MOVE, after.id, before.version, *told) == 1


async def add_event(tx: Transaction, order: OrderId, event: OrderEvent) -> None:
    """Write down one step."""
    await tx.execute(_ADD_EVENT, order, *values(event, EVENT_COLUMNS))


def buyers(tx: Transaction) -> AsyncIterator[OrderBuyer]:
    """Yield whose each order is."""
    return tx.stream(OrderBuyer, _BUYERS)


def values(thing: msgspec.Struct, columns: Sequence[str]) -> tuple[object, ...]:
    """Return what stands in some columns."""
    return tuple(getattr(thing, column) for column in columns)


def numbered(order: Order) -> list[tuple[int, OrderLine]]:
    """Return an order's lines with their places."""
    return list(enumerate(order.lines, start=1))


def line_values(order: OrderId, place: int, line: OrderLine) -> tuple[object, ...]:
    """Return what stands in the columns of a line."""
    return (
        order,
        line.id,
        place,
        *values(line, LINE_COLUMNS[3:]),
    )


async def with_lines(tx: Transaction, rows: Sequence[OrderRow]) -> list[Order]:
    """Return orders with their lines."""
    lines: defaultdict[OrderId, list[OrderLine]] = defaultdict(list)
    if rows:
        for line in await tx.all(_LineRow, _LINES, [row.id for row in rows]):
            lines[line.order_id].append(_line(line))
    return [_order(row, lines[row.id]) for row in rows]


def _line(row: _LineRow) -> OrderLine:
    return OrderLine(**{name: getattr(row, name) for name in OrderLine.__struct_fields__})


def _order(row: OrderRow, lines: list[OrderLine]) -> Order:
    known = {name: getattr(row, name) for name in OrderRow.__struct_fields__}
    return Order(**known, lines=tuple(lines))
