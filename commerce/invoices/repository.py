"""Every line of SQL about invoices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.invoices.model import SHOP, Invoice, Place, Seller
from protocol.ids import InvoiceId, OrderId, UserId
from protocol.views import InvoiceKind

_TAKE_PLACE: Final[LiteralString] = """
      with seller as (
        select coalesce((select facts from sellers where id = $1), $5::jsonb) as facts
      ),
      taken as (
        insert into invoice_series as series (seller_id, kind, year, next, last_at)
        select $1, $2, extract(year from $3::timestamptz at time zone (facts->>'time_zone')), 2, $3
          from seller
         where not exists (select from invoices where key = $4)
            on conflict (seller_id, kind, year) do update
           set next = series.next + 1,
               last_at = greatest(series.last_at, excluded.last_at)
     returning kind, year, next - 1 as serial, last_at as issued_at
      )
    select kind, year, serial, issued_at, facts as seller
      from taken, seller
"""

_GIVE_BACK: Final[LiteralString] = """
    update invoice_series
       set next = next - 1
     where seller_id = $1
       and kind = $2
       and year = $3
       and next = $4 + 1
"""

_ADD: Final[LiteralString] = """
    insert into invoices (
        seller_id, id, key, number, kind, year, serial, order_id, buyer_id, corrects, currency,
        total_minor, tax_minor, issued_at, paper
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (key) do nothing
"""

_INVOICE_COLUMNS: Final = (
    "id",
    "key",
    "number",
    "kind",
    "year",
    "serial",
    "order_id",
    "buyer_id",
    "corrects",
    "currency",
    "total_minor",
    "tax_minor",
    "issued_at",
    "paper",
)

_COLUMNS: Final[LiteralString] = """
    select id, key, number, kind, year, serial, order_id, buyer_id, corrects, currency, total_minor,
           tax_minor, issued_at, paper
      from invoices
"""

_FIND: Final[LiteralString] = _COLUMNS + " where id = $1"
_BY_KEY: Final[LiteralString] = _COLUMNS + " where key = $1"
_OF_ORDER: Final[LiteralString] = _COLUMNS + " where order_id = $1 order by id"

_OF_BUYER: Final[LiteralString] = (
    _COLUMNS
    + """
     where buyer_id = $1
       and ($2::text is null or order_id = $2)
       and id < coalesce($3, '~')
     order by id desc
     limit $4
"""
)

_NEWEST: Final[LiteralString] = (
    _COLUMNS
    + """
     where ($1::text is null or order_id = $1)
       and id < coalesce($2, '~')
     order by id desc
     limit $3
"""
)

_SET_SELLER: Final[LiteralString] = """
    insert into sellers as known (id, facts)
    select $1, $2::jsonb
     where now() at time zone $3 is not null
        on conflict (id) do update
       set facts = excluded.facts
     where known.facts <> excluded.facts
"""

_GET_SELLER: Final[LiteralString] = "select facts from sellers where id = $1"

_GAPS: Final[LiteralString] = """
    select series.kind, series.year, series.next - 1 as expected,
           count(invoice.serial) as found, coalesce(max(invoice.serial), 0) as last
      from invoice_series series
      left join invoices invoice
        on invoice.seller_id = series.seller_id
       and invoice.kind = series.kind
       and invoice.year = series.year
     group by series.seller_id, series.kind, series.year, series.next
    having count(invoice.serial) <> series.next - 1
        or coalesce(max(invoice.serial), 0) <> series.next - 1
"""

_WITHOUT_SERIES: Final[LiteralString] = """
    select distinct invoice.kind, invoice.year, 0 as expected, 1 as found, 1 as last
      from invoices invoice
     where not exists (
        select from invoice_series series
         where series.seller_id = invoice.seller_id
           and series.kind = invoice.kind
           and series.year = invoice.year
     )
"""

_ASTRAY: Final[LiteralString] = """
    select invoice.number
      from invoices invoice
      cross join lateral (
        select sum((line->>'total_minor')::bigint) as total_minor,
               sum((line->>'tax_minor')::bigint) as tax_minor
          from jsonb_array_elements(invoice.paper->'lines') line
      ) summed
      left join lateral (
        select coalesce(
                 sum(case other.kind when 'invoice' then -1 else 1 end * other.total_minor), 0
               ) as total_minor
          from invoices other
         where other.order_id = invoice.order_id
           and other.corrects = invoice.id
      ) taken on invoice.corrects is null
     where coalesce(summed.total_minor, 0) <> invoice.total_minor
        or coalesce(summed.tax_minor, 0) <> invoice.tax_minor
        or taken.total_minor not between 0 and invoice.total_minor
     limit 20
"""


class _Number(msgspec.Struct, frozen=True, kw_only=True):
    number: str


class _SellerRow(msgspec.Struct, frozen=True, kw_only=True):
    facts: Seller


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A series that is not complete."""

    kind: InvoiceKind
    year: int
    expected: int
    found: int
    last: int


async def take_place(tx: Transaction, kind: InvoiceKind, *, key: str, at: datetime) -> Place | None:
    """Take the next number and hold its series till the transaction ends; None if `key` has one."""
    return await tx.one_or_none(Place, _TAKE_PLACE, SHOP, kind, at, key, Seller())


async def give_back(tx: Transaction, place: Place) -> None:
    """Give a number back that this transaction has just taken, and nobody can have passed."""
    assert await tx.execute(_GIVE_BACK, SHOP, place.kind, place.year, place.serial) == 1


async def add(tx: Transaction, invoice: Invoice) -> bool:
    """Write an invoice, unless there is one with its key."""
    values = [getattr(invoice, column) for column in _INVOICE_COLUMNS]
    return await tx.execute(_ADD, SHOP, *values) == 1


async def copy(tx: Transaction, invoices: Sequence[Invoice]) -> None:
    """Write many invoices, none of which is there yet."""
    await tx.copy(
        "invoices",
        ("seller_id", *_INVOICE_COLUMNS),
        [(SHOP, *(getattr(each, column) for column in _INVOICE_COLUMNS)) for each in invoices],
    )


async def find(tx: Transaction, invoice: InvoiceId) -> Invoice | None:
    """Return an invoice."""
    return await tx.one_or_none(Invoice, _FIND, invoice)


async def by_key(tx: Transaction, key: str) -> Invoice | None:
    """Return the invoice of this key."""
    return await tx.one_or_none(Invoice, _BY_KEY, key)


async def of_order(tx: Transaction, order: OrderId) -> list[Invoice]:
    """Return all papers of an order, in order."""
    return await tx.all(Invoice, _OF_ORDER, order)


async def listed(
    tx: Transaction,
    buyer: UserId | None,
    *,
    order: OrderId | None,
    after: InvoiceId | None,
    limit: int,
) -> list[Invoice]:
    """Return a buyer's papers or everybody's, of one order or of all, the newest first."""
    if buyer is None:
        return await tx.all(Invoice, _NEWEST, order, after, limit)
    return await tx.all(Invoice, _OF_BUYER, buyer, order, after, limit)


async def set_seller(tx: Transaction, seller: Seller) -> None:
    """Say who sells from now on; Postgres must know the time zone."""
    await tx.execute(_SET_SELLER, SHOP, seller, seller.time_zone)


async def seller(tx: Transaction) -> Seller:
    """Return who sells."""
    found = await tx.one_or_none(_SellerRow, _GET_SELLER, SHOP)
    return Seller() if found is None else found.facts


async def gaps(tx: Transaction) -> list[Gap]:
    """Return the series whose numbers are not 1, 2, 3 up to the last one given."""
    return [*await tx.all(Gap, _GAPS), *await tx.all(Gap, _WITHOUT_SERIES)]


async def astray(tx: Transaction) -> list[str]:
    """Return numbers of papers that are not the sum of their lines, or are credited too much."""
    return [row.number for row in await tx.all(_Number, _ASTRAY)]
