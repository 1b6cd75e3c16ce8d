"""Orders brought in from elsewhere, many at once."""

from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.orders.model import PastOrder
from commerce.orders.repository.orders import (
    EVENT_COLUMNS,
    LINE_COLUMNS,
    ORDER_COLUMNS,
    line_values,
    numbered,
    values,
)
from protocol.ids import OrderId

_KNOWN: Final[LiteralString] = """
    select id
      from orders
     where id = any($1::text[])
"""

_NEXT_NUMBERS: Final[LiteralString] = """
    select nextval('order_numbers') as serial
      from generate_series(1, $1)
"""

_PAST_COLUMNS: Final = tuple(column for column in ORDER_COLUMNS if column != "taxes")
"""Past orders tell no taxes: COPY does not speak JSON."""


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    id: OrderId


class _Serial(msgspec.Struct, frozen=True, kw_only=True):
    serial: int


async def known(tx: Transaction, orders: Sequence[OrderId]) -> set[OrderId]:
    """Return those of these orders that are there."""
    return {row.id for row in await tx.all(_Identity, _KNOWN, orders)}


async def next_serials(tx: Transaction, count: int) -> list[int]:
    """Return so many numbers that no order has."""
    return [row.serial for row in await tx.all(_Serial, _NEXT_NUMBERS, count)]


async def copy_past(tx: Transaction, past: Sequence[PastOrder]) -> None:
    """Write many orders with all that happened to them, none of which is there yet."""
    await tx.copy("orders", _PAST_COLUMNS, [values(each.order, _PAST_COLUMNS) for each in past])
    await tx.copy(
        "order_lines",
        LINE_COLUMNS,
        [
            line_values(each.order.id, place, line)
            for each in past
            for place, line in numbered(each.order)
        ],
    )
    await tx.copy(
        "order_events",
        ("order_id", *EVENT_COLUMNS),
        [(each.order.id, *values(event, EVENT_COLUMNS)) for each in past for event in each.events],
    )
