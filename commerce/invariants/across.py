"""What no feature alone can say: that the books, the papers and the payments agree.

These read other features' tables, and only read.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.foundation.invariants import Invariant

_SALES_AND_INVOICES: Final[LiteralString] = """
      with sales as (
        select posting.order_id, entry.amount_minor, entry.currency
          from ledger_postings posting
          join ledger_entries entry
            on entry.posting_id = posting.id
           and entry.account = 'processor'
         where posting.key = 'sale:' || posting.order_id
      ),
      papers as (
        select order_id, total_minor, currency
          from invoices
         where key = 'order:' || order_id
           and total_minor > 0
      )
    select coalesce(sales.order_id, papers.order_id) || ': sold for '
           || coalesce(sales.amount_minor, 0) || ', invoiced for '
           || coalesce(papers.total_minor, 0) as breach
      from sales
      full join papers
        on papers.order_id = sales.order_id
     where (sales.amount_minor, sales.currency)
           is distinct from (papers.total_minor, papers.currency)
     limit 20
"""

_REFUNDS_AND_CREDIT: Final[LiteralString] = """
    select note.number || ': credits ' || note.total_minor || ', given back '
           || coalesce(-entry.amount_minor, 0) as breach
      from invoices note
      left join ledger_postings posting
        on posting.key = note.key
      left join ledger_entries entry
        on entry.posting_id = posting.id
       and entry.account = 'processor'
     where note.kind = 'credit_note'
       and (-entry.amount_minor, entry.currency)
           is distinct from (note.total_minor, note.currency)
     limit 20
"""

_PAYMENTS_AND_LEDGER: Final[LiteralString] = """
    select payment.id || ' of ' || payment.order_id || ': took ' || payment.captured_minor
           || ', which is not in the ledger' as breach
      from payments payment
     where payment.state = 'succeeded'
       and not exists (
            select from ledger_postings posting
              join ledger_entries entry
                on entry.posting_id = posting.id
             where posting.key in ('sale:' || payment.order_id, 'late:' || payment.id)
               and entry.account = 'processor'
               and entry.amount_minor = payment.captured_minor
               and entry.currency = payment.currency
         )
     limit 20
"""

_MACHINES: Final[LiteralString] = """
    select license.id || ': counts ' || license.active_count || ' machines, has '
           || count(activation.license_id) as breach
      from licenses license
      left join license_activations activation
        on activation.license_id = license.id
     group by license.id
    having license.active_count <> count(activation.license_id)
     limit 20
"""

_STATES: Final[LiteralString] = """
    select orders.id || ': is ' || orders.state || ', but its last step went to '
           || coalesce(step.to_state, 'nothing') as breach
      from orders
      left join order_events step
        on step.order_id = orders.id
       and step.seq = orders.version
     where step.to_state is distinct from orders.state
     limit 20
"""


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    breach: str


def _check(sql: LiteralString) -> Callable[[Transaction], Awaitable[list[str]]]:
    async def check(tx: Transaction) -> list[str]:
        return [row.breach for row in await tx.all(_Found, sql)]

    return check


INVARIANTS: Final[Sequence[Invariant]] = (
    Invariant(
        name="books.sales_are_invoiced",
        says="Every sale in the ledger has its invoice of the same amount, and the other way.",
        check=_check(_SALES_AND_INVOICES),
    ),
    Invariant(
        name="books.credit_was_given_back",
        says="Every credit note is of what a refund in the ledger gave back.",
        check=_check(_REFUNDS_AND_CREDIT),
    ),
    Invariant(
        name="books.payments_are_posted",
        says="Every payment that succeeded is in the ledger, as a sale or as its customer's money.",
        check=_check(_PAYMENTS_AND_LEDGER),
    ),
    Invariant(
        name="licenses.machines",
        says="Every licence counts the machines it has.",
        check=_check(_MACHINES),
    ),
    Invariant(
        name="orders.last_step",
        says="Every order is in the state its last step led to.",
        check=_check(_STATES),
    ),
)
