"""Every line of SQL about orders."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.orders.model import Order, OrderEvent, OrderLine, PastOrder
from protocol.ids import CartId, OrderId, UserId
from protocol.views import OrderState

_COLUMNS: Final[LiteralString] = """
    select id, number, buyer_id, cart_id, state, version, currency, placed_at
      from orders
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1 and buyer_id = $2"

_VISIBLE: Final[LiteralString] = (
    _COLUMNS
    + """
     where id = any($1::text[])
       and (buyer_id = $2 or $3)
"""
)

_LOCK: Final[LiteralString] = _FIND + " for update"

_OF_BUYER: Final[LiteralString] = (
    _COLUMNS
    + """
     where buyer_id = $1
       and id < coalesce($2, '~')
     order by id desc
     limit $3
"""
)

_LOCK_UNPAID: Final[LiteralString] = (
    _COLUMNS
    + """
     where state = 'awaiting_payment'
       and placed_at < $1
     order by placed_at, id
     limit $2
       for update skip locked
"""
)

_LINES: Final[LiteralString] = """
    select order_id, id, variant_id, product_id, title, quantity, unit_price_minor, currency,
           takes_stock
      from order_lines
     where order_id = any($1::text[])
     order by order_id, position
"""

_EVENTS: Final[LiteralString] = """
    select seq, type, from_state, to_state, event_id, at
      from order_events
     where order_id = $1
     order by seq
"""

_NEXT_NUMBER: Final[LiteralString] = """
    select nextval('order_numbers')
"""

_ADD: Final[LiteralString] = """
    insert into orders (
        id, number, buyer_id, cart_id, state, version, total_minor, currency, placed_at
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_ADD_LINES: Final[LiteralString] = """
    insert into order_lines (
        order_id, id, position, variant_id, product_id, title, quantity, unit_price_minor,
        total_minor, currency, takes_stock
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

_MOVE: Final[LiteralString] = """
    update orders
       set state = $3, version = $4
     where id = $1
       and version = $2
"""

_ADD_EVENT: Final[LiteralString] = """
    insert into order_events (order_id, seq, type, from_state, to_state, event_id, at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""

_BUYERS: Final[LiteralString] = """
    select id, buyer_id
      from orders
     order by id
"""


_KNOWN: Final[LiteralString] = """
    select id
      from orders
     where id = any($1::text[])
"""

_NEXT_NUMBERS: Final[LiteralString] = """
    select nextval('order_numbers') as serial
      from generate_series(1, $1)
"""

_ORDER_COLUMNS: Final = (
    "id",
    "number",
    "buyer_id",
    "cart_id",
    "state",
    "version",
    "total_minor",
    "currency",
    "placed_at",
)

_LINE_COLUMNS: Final = (
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
)

_EVENT_COLUMNS: Final = ("seq", "type", "from_state", "to_state", "event_id", "at")


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    id: OrderId


class _Serial(msgspec.Struct, frozen=True, kw_only=True):
    serial: int


class _OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    id: OrderId
    number: str
    buyer_id: UserId
    cart_id: CartId | None
    state: OrderState
    version: int
    currency: str
    placed_at: datetime


class _LineRow(OrderLine, frozen=True, kw_only=True):
    order_id: OrderId


class OrderBuyer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an order is."""

    id: OrderId
    buyer_id: UserId


async def find(tx: Transaction, order: OrderId, buyer: UserId) -> Order | None:
    """Return an order of this buyer."""
    row = await tx.one_or_none(_OrderRow, _FIND, order, buyer)
    return None if row is None else (await _with_lines(tx, [row]))[0]


async def visible(
    tx: Transaction, wanted: Sequence[OrderId], *, buyer: UserId, anyones: bool
) -> list[Order]:
    """Return those of some orders that are this buyer's, or anyone's."""
    rows = await tx.all(_OrderRow, _VISIBLE, wanted, buyer, anyones)
    return await _with_lines(tx, rows)


async def lock(tx: Transaction, order: OrderId, buyer: UserId) -> Order | None:
    """Return an order of this buyer and hold it until the transaction ends."""
    row = await tx.one_or_none(_OrderRow, _LOCK, order, buyer)
    return None if row is None else (await _with_lines(tx, [row]))[0]


async def of_buyer(
    tx: Transaction, buyer: UserId, *, after: OrderId | None, limit: int
) -> list[Order]:
    """Return a buyer's orders, the newest first."""
    return await _with_lines(tx, await tx.all(_OrderRow, _OF_BUYER, buyer, after, limit))


async def lock_unpaid(tx: Transaction, *, placed_before: datetime, limit: int) -> list[Order]:
    """Return unpaid orders that nobody else holds, the oldest first, and hold them."""
    return await _with_lines(tx, await tx.all(_OrderRow, _LOCK_UNPAID, placed_before, limit))


async def events(tx: Transaction, order: OrderId) -> list[OrderEvent]:
    """Return the edges an order went along, in order."""
    return await tx.all(OrderEvent, _EVENTS, order)


async def next_serial(tx: Transaction) -> int:
    """Return a number that no order has; numbers of orders that failed are left out."""
    return await tx.value(int, _NEXT_NUMBER)


async def add(tx: Transaction, order: Order) -> None:
    """Write a new order with its lines."""
    await tx.execute(_ADD, *_values(order, _ORDER_COLUMNS))
    await tx.execute_many(
        _ADD_LINES, [_line_values(order.id, place, line) for place, line in _numbered(order)]
    )


async def move(tx: Transaction, before: Order, after: Order) -> bool:
    """Write an order's new state, if it is still at the version it had before."""
    return await tx.execute(_MOVE, after.id, before.version, after.state, after.version) == 1


async def add_event(tx: Transaction, order: OrderId, event: OrderEvent) -> None:
    """Write down one edge."""
    await tx.execute(_ADD_EVENT, order, *_values(event, _EVENT_COLUMNS))


async def known(tx: Transaction, orders: Sequence[OrderId]) -> set[OrderId]:
    """Return those of these orders that are there."""
    return {row.id for row in await tx.all(_Identity, _KNOWN, orders)}


async def next_serials(tx: Transaction, count: int) -> list[int]:
    """Return so many numbers that no order has."""
    return [row.serial for row in await tx.all(_Serial, _NEXT_NUMBERS, count)]


async def copy_past(tx: Transaction, past: Sequence[PastOrder]) -> None:
    """Write many orders with all that happened to them, none of which is there yet."""
    await tx.copy("orders", _ORDER_COLUMNS, [_values(each.order, _ORDER_COLUMNS) for each in past])
    await tx.copy(
        "order_lines",
        _LINE_COLUMNS,
        [
            _line_values(each.order.id, place, line)
            for each in past
            for place, line in _numbered(each.order)
        ],
    )
    await tx.copy(
        "order_events",
        ("order_id", *_EVENT_COLUMNS),
        [
            (each.order.id, *_values(event, _EVENT_COLUMNS))
            for each in past
            for event in each.events
        ],
    )


def buyers(tx: Transaction) -> AsyncIterator[OrderBuyer]:
    """Yield whose each order is."""
    return tx.stream(OrderBuyer, _BUYERS)


def _values(thing: msgspec.Struct, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple(getattr(thing, column) for column in columns)


def _numbered(order: Order) -> list[tuple[int, OrderLine]]:
    return list(enumerate(order.lines, start=1))


def _line_values(order: OrderId, place: int, line: OrderLine) -> tuple[object, ...]:
    return (
        order,
        line.id,
        place,
        *_values(line, _LINE_COLUMNS[3:]),
    )


async def _with_lines(tx: Transaction, rows: Sequence[_OrderRow]) -> list[Order]:
    lines: defaultdict[OrderId, list[OrderLine]] = defaultdict(list)
    if rows:
        for line in await tx.all(_LineRow, _LINES, [row.id for row in rows]):
            lines[line.order_id].append(_line(line))
    return [_order(row, lines[row.id]) for row in rows]


def _line(row: _LineRow) -> OrderLine:
    return OrderLine(
        id=row.id,
        variant_id=row.variant_id,
        product_id=row.product_id,
        title=row.title,
        quantity=row.quantity,
        unit_price_minor=row.unit_price_minor,
        currency=row.currency,
        takes_stock=row.takes_stock,
    )


def _order(row: _OrderRow, lines: list[OrderLine]) -> Order:
    return Order(
        id=row.id,
        number=row.number,
        buyer_id=row.buyer_id,
        cart_id=row.cart_id,
        state=row.state,
        version=row.version,
        currency=row.currency,
        placed_at=row.placed_at,
        lines=tuple(lines),
    )
