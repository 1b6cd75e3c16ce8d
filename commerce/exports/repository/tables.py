"""The rows that go into files, as joins over other features' tables.

Only reports do that. They read in one transaction that can write nothing, by a cursor, in an order
that an index gives, so that no row waits for a million others.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.exports.model import Column, Filters, Kind
from commerce.foundation.database import Transaction


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a file."""

    id: str
    number: str
    state: str
    buyer: str
    country: str | None
    placed_at: datetime
    paid_at: datetime | None
    currency: str
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    captured_minor: int
    refunded_minor: int
    delivery: str
    dispute: str
    held: bool


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order in a file."""

    order: str
    number: str
    state: str
    placed_at: datetime
    line: str
    position: int
    product: str
    variant: str
    title: str
    quantity: int
    currency: str
    unit_price_minor: int
    discount_minor: int
    tax_minor: int
    tax_name: str
    tax_ppm: int
    total_minor: int
    refunded_minor: int


class RefundRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refund in a file."""

    id: str
    order: str
    number: str
    state: str
    currency: str
    amount_minor: int
    tax_minor: int
    reason: str
    origin: str
    created_at: datetime


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the ledger in a file: a debit is positive, a credit negative."""

    posting: int
    key: str
    at: datetime
    order: str | None
    memo: str
    account: str
    currency: str
    amount_minor: int


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of file: its rows and its columns."""

    shape: type[msgspec.Struct]
    columns: tuple[Column, ...]
    fields: LiteralString
    source: LiteralString
    order: LiteralString


_OF_ORDERS: Final[LiteralString] = """
     where ($1::timestamptz is null or orders.placed_at >= $1)
       and ($2::timestamptz is null or orders.placed_at < $2)
       and ($3::text[] is null or orders.state = any($3))
       and ($4::text is null or orders.currency = $4)
"""

TABLES: Final[Mapping[Kind, Table]] = {
    "orders": Table(
        shape=OrderRow,
        columns=(
            Column(name="id"),
            Column(name="number"),
            Column(name="state"),
            Column(name="buyer"),
            Column(name="country"),
            Column(name="placed_at", kind="time"),
            Column(name="paid_at", kind="time"),
            Column(name="currency"),
            Column(name="subtotal", kind="amount"),
            Column(name="discount", kind="amount"),
            Column(name="tax", kind="amount"),
            Column(name="total", kind="amount"),
            Column(name="captured", kind="amount"),
            Column(name="refunded", kind="amount"),
            Column(name="delivery"),
            Column(name="dispute"),
            Column(name="held", kind="flag"),
        ),
        fields="""
            id, number, state, buyer_id as buyer, country, placed_at, paid_at, currency,
            subtotal_minor, discount_minor, tax_minor, total_minor, captured_minor,
            refunded_minor, delivery, dispute, held
        """,
        source=" from orders " + _OF_ORDERS,
        order="id",
    ),
    "lines": Table(
        shape=LineRow,
        columns=(
            Column(name="order"),
            Column(name="number"),
            Column(name="state"),
            Column(name="placed_at", kind="time"),
            Column(name="line"),
            Column(name="position", kind="number"),
            Column(name="product"),
            Column(name="variant"),
            Column(name="title"),
            Column(name="quantity", kind="number"),
            Column(name="currency"),
            Column(name="unit_price", kind="amount"),
            Column(name="discount", kind="amount"),
            Column(name="tax", kind="amount"),
            Column(name="tax_name"),
            Column(name="tax_ppm", kind="number"),
            Column(name="total", kind="amount"),
            Column(name="refunded", kind="amount"),
        ),
        fields="""
            orders.id as order, orders.number, orders.state, orders.placed_at, line.id as line,
            line.position, line.product_id as product, line.variant_id as variant, line.title,
            line.quantity, line.currency, line.unit_price_minor, line.discount_minor,
            line.tax_minor, line.tax_name, line.tax_ppm, line.total_minor, line.refunded_minor
        """,
        source=" from orders join order_lines line on line.order_id = orders.id " + _OF_ORDERS,
        order="orders.id, line.position",
    ),
    "refunds": Table(
        shape=RefundRow,
        columns=(
            Column(name="id"),
            Column(name="order"),
            Column(name="number"),
            Column(name="state"),
            Column(name="currency"),
            Column(name="amount", kind="amount"),
            Column(name="tax", kind="amount"),
            Column(name="reason"),
            Column(name="origin"),
            Column(name="created_at", kind="time"),
        ),
        fields="""
            refund.id, refund.order_id as order, orders.number, refund.state, refund.currency,
            refund.amount_minor, refund.tax_minor, refund.reason, refund.origin, refund.created_at
        """,
        source="""
              from refunds refund
              join orders
                on orders.id = refund.order_id
             where ($1::timestamptz is null or refund.created_at >= $1)
               and ($2::timestamptz is null or refund.created_at < $2)
               and ($3::text[] is null or refund.state = any($3))
               and ($4::text is null or refund.currency = $4)
        """,
        order="refund.id",
    ),
    "ledger": Table(
        shape=EntryRow,
        columns=(
            Column(name="posting", kind="number"),
            Column(name="key"),
            Column(name="at", kind="time"),
            Column(name="order"),
            Column(name="memo"),
            Column(name="account"),
            Column(name="currency"),
            Column(name="amount", kind="amount"),
        ),
        fields="""
            posting.id as posting, posting.key, posting.at, posting.order_id as order, posting.memo,
            entry.account, entry.currency, entry.amount_minor
        """,
        source="""
              from ledger_postings posting
              join ledger_entries entry
                on entry.posting_id = posting.id
             where ($1::timestamptz is null or posting.at >= $1)
               and ($2::timestamptz is null or posting.at < $2)
               and ($3::text[] is null or entry.account = any($3))
               and ($4::text is null or entry.currency = $4)
        """,
        order="posting.id, entry.position",
    ),
}


async def settle_down(tx: Transaction) -> None:
    """Let the transaction see one moment for as long as it takes; it can only read."""
    await tx.execute("set transaction isolation level repeatable read, read only")
    await tx.execute("set local statement_timeout = 0")
    await tx.execute("set local idle_in_transaction_session_timeout = 0")
    await tx.execute("set local cursor_tuple_fraction = 1")


async def count(tx: Transaction, kind: Kind, filters: Filters) -> int:
    """Return how many rows there will be."""
    return await tx.value(int, "select count(*) " + TABLES[kind].source, *_arguments(filters))


def rows(tx: Transaction, kind: Kind, filters: Filters) -> AsyncIterator[msgspec.Struct]:
    """Yield the rows, a few hundred of them in memory at a time."""
    table = TABLES[kind]
    sql = "select " + table.fields + table.source + " order by " + table.order
    return tx.stream(table.shape, sql, *_arguments(filters))


def _arguments(filters: Filters) -> tuple[object, ...]:
    return filters.since, filters.until, filters.only, filters.currency
