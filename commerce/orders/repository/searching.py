"""Orders as staff look for them: any filter, by an index, page by page."""

from datetime import datetime
from typing import Final, LiteralString

from commerce.foundation.database import Transaction
from commerce.orders.model import Order, OrderFilter
from commerce.orders.repository.orders import COLUMNS, OrderRow, with_lines
from protocol.ids import OrderId
from shared.ids import make_id

_PLACES: Final[tuple[LiteralString, ...]] = (
    "$1",
    "$2",
    "$3",
    "$4",
    "$5",
    "$6",
    "$7",
    "$8",
    "$9",
    "$10",
    "$11",
)


async def search(
    tx: Transaction, wanted: OrderFilter, *, after: OrderId | None, limit: int
) -> list[Order]:
    """Return orders that fit, those with the newest ids first."""
    sql, arguments = statement(wanted, after=after, limit=limit)
    return await with_lines(tx, await tx.all(OrderRow, sql, *arguments))


def statement(
    wanted: OrderFilter, *, after: OrderId | None, limit: int
) -> tuple[LiteralString, list[object]]:
    """Return the statement for a filter: it names only what is asked, so that each has its plan."""
    asked: list[tuple[LiteralString, object, LiteralString]] = [
        ("id < ", after, ""),
        ("state = ", wanted.state, ""),
        ("buyer_id = ", wanted.buyer, ""),
        ("number = ", wanted.number, ""),
        ("id in (select order_id from order_lines where product_id = ", wanted.product, ")"),
        ("subscription_id = ", wanted.subscription, ""),
        ("id >= ", _first_of(wanted.placed_from), ""),
        ("placed_at >= ", wanted.placed_from, ""),
        ("id < ", _first_of(wanted.placed_until), ""),
        ("placed_at < ", wanted.placed_until, ""),
    ]
    arguments: list[object] = [limit]
    conditions: list[LiteralString] = []
    for before, value, behind in asked:
        if value is not None:
            arguments.append(value)
            conditions.append(before + _PLACES[len(arguments) - 1] + behind)
    if wanted.held is not None:
        conditions.append("held" if wanted.held else "not held")
    if wanted.disputed is not None:
        conditions.append("dispute <> 'none'" if wanted.disputed else "dispute = 'none'")
    where: LiteralString = " where " + " and ".join(conditions) if conditions else ""
    return COLUMNS + where + " order by id desc limit $1", arguments


def _first_of(moment: datetime | None) -> str | None:
    """Return the first id that an order of this moment can have: ids are in order of time."""
    return None if moment is None else make_id("ord", moment, randomness=0)
