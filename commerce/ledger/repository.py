"""Every line of SQL about the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.ledger.model import (
    Account,
    Balance,
    Difference,
    Entry,
    Movement,
    Posting,
    Reconciliation,
    Written,
)
from protocol.ids import OrderId

_ADD: Final[LiteralString] = """
      with posted as (
        insert into ledger_postings (key, order_id, at, memo, entry_count)
        values ($1, $2, $3, $4, cardinality($5::text[]))
            on conflict (key) do nothing
     returning id
      )
    insert into ledger_entries (posting_id, position, account, amount_minor, currency)
    select posted.id, entry.position, entry.account, entry.amount_minor, entry.currency
      from posted,
           unnest($5::text[], $6::bigint[], $7::text[])
             with ordinality entry (account, amount_minor, currency, position)
"""

_COLUMNS: Final[LiteralString] = """
    select posting.id, posting.key, posting.order_id as order, posting.at, posting.memo,
           jsonb_agg(
             jsonb_build_object(
               'account', entry.account,
               'amount_minor', entry.amount_minor,
               'currency', entry.currency
             )
             order by entry.position
           ) as entries
      from ledger_postings posting
      join ledger_entries entry
        on entry.posting_id = posting.id
"""

_FIND: Final[LiteralString] = _COLUMNS + " where posting.key = $1 group by posting.id"

_OF_ORDER: Final[LiteralString] = (
    _COLUMNS + " where posting.order_id = $1 group by posting.id order by posting.id"
)

_BALANCES: Final[LiteralString] = """
    select entry.account, entry.currency,
           coalesce(sum(entry.amount_minor) filter (where entry.amount_minor > 0), 0)::bigint
             as debit_minor,
           coalesce(-sum(entry.amount_minor) filter (where entry.amount_minor < 0), 0)::bigint
             as credit_minor
      from ledger_postings posting
      join ledger_entries entry
        on entry.posting_id = posting.id
     where posting.at >= coalesce($1::timestamptz, '-infinity')
       and posting.at < coalesce($2::timestamptz, 'infinity')
     group by entry.account, entry.currency
     order by entry.account, entry.currency
"""

_KNOWN: Final[LiteralString] = """
    select key
      from ledger_postings
     where key = any($1::text[])
"""

_ADD_POSTINGS: Final[LiteralString] = """
    insert into ledger_postings (key, order_id, at, memo, entry_count)
    select *
      from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::smallint[])
 returning id, key
"""

_UNBALANCED: Final[LiteralString] = """
    select posting.key, entry.currency, sum(entry.amount_minor)::text as amount_minor
      from ledger_entries entry
      join ledger_postings posting
        on posting.id = entry.posting_id
     group by posting.key, entry.currency
    having sum(entry.amount_minor) <> 0
     limit 20
"""

_BROKEN: Final[LiteralString] = """
    select posting.key
      from ledger_postings posting
      left join (
        select posting_id, count(*) as count
          from ledger_entries
         group by posting_id
      ) held
        on held.posting_id = posting.id
     where posting.entry_count is distinct from held.count
     limit 20
"""

_TAKE: Final[LiteralString] = """
    insert into ledger_transactions (id, kind, keys, amount_minor, fee_minor, currency, at)
    values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (id) do nothing
"""

_LAST_RUN: Final[LiteralString] = """
    select since, until, transactions, differences, at
      from ledger_reconciliations
     order by id desc
     limit 1
"""

_ADD_RUN: Final[LiteralString] = """
    insert into ledger_reconciliations (since, until, transactions, differences, at)
    values ($1, $2, $3, $4, $5)
"""

_DIFFERENCES: Final[LiteralString] = """
      with watched as (
        select min(since) as since, max(until) as until
          from ledger_reconciliations
      )
    select case
             when said.kind = 'other' then 'is of a kind the ledger does not know'
             when cardinality(said.keys) = 0 and said.kind <> 'dispute' then 'is not of this shop'
             else 'is not in the ledger'
           end as what,
           said.id as key, said.amount_minor, said.currency, said.at
      from ledger_transactions said
     where said.kind not in ('payout', 'fee')
       and not exists (
            select from ledger_postings posting
              join ledger_entries entry
                on entry.posting_id = posting.id
               and entry.account = 'processor'
             where entry.amount_minor = said.amount_minor
               and entry.currency = said.currency
               and (
                    posting.key = any(said.keys)
                    or (said.kind = 'dispute' and posting.key like 'dispute-%')
               )
         )
     union all
    select 'is not at the processor', posting.key, entry.amount_minor, entry.currency, posting.at
      from watched
      join ledger_postings posting
        on posting.at >= watched.since
       and posting.at < watched.until
      join ledger_entries entry
        on entry.posting_id = posting.id
       and entry.account = 'processor'
     where split_part(posting.key, ':', 1) in ('sale', 'late', 'refund', 'refund-failed')
       and not exists (
            select from ledger_transactions said where said.keys @> array[posting.key]
         )
     order by at, key
     limit $1
"""


class _Key(msgspec.Struct, frozen=True, kw_only=True):
    key: str


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    key: str


class Remainder(msgspec.Struct, frozen=True, kw_only=True):
    """What is left over of a posting when it is added up."""

    key: str
    currency: str
    amount_minor: str


async def add(tx: Transaction, posting: Posting) -> bool:
    """Write a posting with its entries, unless there is one with its key."""
    entries = posting.entries
    return bool(
        await tx.execute(
            _ADD,
            posting.key,
            posting.order,
            posting.at or tx.now,
            posting.memo,
            [entry.account for entry in entries],
            [entry.amount_minor for entry in entries],
            [entry.currency for entry in entries],
        )
    )


async def find(tx: Transaction, key: str) -> Written | None:
    """Return what was posted under a key."""
    return await tx.one_or_none(Written, _FIND, key)


async def of_order(tx: Transaction, order: OrderId) -> list[Written]:
    """Return what was posted for an order, in order."""
    return await tx.all(Written, _OF_ORDER, order)


async def balances(
    tx: Transaction, *, since: datetime | None, until: datetime | None
) -> list[Balance]:
    """Return what each account comes to in each currency, over a time."""
    return await tx.all(Balance, _BALANCES, since, until)


async def known(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Return those of some keys that are posted."""
    return {row.key for row in await tx.all(_Key, _KNOWN, keys)}


async def add_many(tx: Transaction, postings: Sequence[Posting]) -> None:
    """Write many postings, none of which is there yet."""
    made = await tx.all(
        _Identity,
        _ADD_POSTINGS,
        [each.key for each in postings],
        [each.order for each in postings],
        [each.at or tx.now for each in postings],
        [each.memo for each in postings],
        [len(each.entries) for each in postings],
    )
    ids = {row.key: row.id for row in made}
    await tx.copy(
        "ledger_entries",
        ("posting_id", "position", "account", "amount_minor", "currency"),
        [
            (ids[each.key], position, *_values(entry))
            for each in postings
            for position, entry in enumerate(each.entries, start=1)
        ],
    )


async def remainders(tx: Transaction) -> list[Remainder]:
    """Return postings that do not come to nothing in each currency."""
    return await tx.all(Remainder, _UNBALANCED)


async def broken(tx: Transaction) -> list[str]:
    """Return keys of postings that have lost an entry, or have one too many."""
    return [row.key for row in await tx.all(_Key, _BROKEN)]


def _values(entry: Entry) -> tuple[Account, int, str]:
    return entry.account, entry.amount_minor, entry.currency


async def take(tx: Transaction, movement: Movement) -> bool:
    """Write down what the processor says it moved; False if that is known."""
    return bool(
        await tx.execute(
            _TAKE,
            movement.id,
            movement.kind,
            movement.keys,
            movement.asked.amount_minor,
            movement.fee.amount_minor,
            movement.asked.currency,
            movement.at,
        )
    )


async def last_run(tx: Transaction) -> Reconciliation | None:
    """Return what came of the last time."""
    return await tx.one_or_none(Reconciliation, _LAST_RUN)


async def add_run(tx: Transaction, run: Reconciliation) -> None:
    """Write down that the two were held beside one another."""
    await tx.execute(_ADD_RUN, run.since, run.until, run.transactions, run.differences, run.at)


async def differences(tx: Transaction, *, limit: int) -> list[Difference]:
    """Return what the processor and the ledger do not say alike, the oldest first."""
    return await tx.all(Difference, _DIFFERENCES, limit)
