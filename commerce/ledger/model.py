"""What a posting is, the chart of accounts, and the postings there are. Pure.

A positive amount is a debit and a negative one a credit, so everything in a posting comes to
nothing in each currency, and so does the whole ledger.
"""

from collections import defaultdict
from datetime import datetime
from typing import Final, Literal, get_args

import msgspec

from commerce.ledger.errors import UnbalancedPostingError
from protocol.ids import OrderId, PaymentId, RefundId
from protocol.money import Money

Account = Literal[
    "processor",
    "bank",
    "customer_funds",
    "sales",
    "refunds",
    "disputes",
    "tax_payable",
    "processor_fees",
    "exchange",
    "adjustments",
]
"""The chart of accounts.

`processor`: money the payment processor holds for us. `bank`: what it has paid out.
`customer_funds`: money that is a customer's, such as one paid too late. `sales` and `refunds` are
without tax, which is `tax_payable`. `disputes`: what banks took back. `processor_fees`: what the
processor keeps. `exchange`: the two sides of a change of currency. `adjustments`: by hand.
"""

ACCOUNTS: Final[tuple[Account, ...]] = get_args(Account)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An amount on one account: a debit if it is positive, else a credit."""

    account: Account
    amount_minor: int
    currency: str


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that belong together, written once under `key`.

    Entries of nothing are left out; a posting of nothing is not written at all.
    """

    key: str
    entries: tuple[Entry, ...]
    memo: str
    order: OrderId | None = None
    at: datetime | None = None
    """When it was, if that is not now: for what is brought in from elsewhere."""

    def balanced(self) -> "Posting":
        """Return the posting without its entries of nothing.

        Raises:
            UnbalancedPostingError: if it does not come to nothing in each currency.
        """
        left: defaultdict[str, int] = defaultdict(int)
        for entry in self.entries:
            left[entry.currency] += entry.amount_minor
        if any(left.values()):
            raise UnbalancedPostingError(self.key)
        entries = tuple(entry for entry in self.entries if entry.amount_minor)
        return msgspec.structs.replace(self, entries=entries)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A posting as it stands in the ledger."""

    id: int
    key: str
    order: OrderId | None
    at: datetime
    memo: str
    entries: tuple[Entry, ...]


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What one account comes to in one currency."""

    account: Account
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def amount_minor(self) -> int:
        """Debits less credits."""
        return self.debit_minor - self.credit_minor


def sale(order: OrderId, *, total_minor: int, tax_minor: int, currency: str) -> Posting:
    """An order is paid: `total_minor` is with the tax."""
    return _posting(
        f"sale:{order}",
        currency,
        {"processor": total_minor, "sales": tax_minor - total_minor, "tax_payable": -tax_minor},
        memo="Sale",
        order=order,
    )


def refund(
    refund: RefundId, order: OrderId, *, amount_minor: int, tax_minor: int, currency: str
) -> Posting:
    """Money of a sale was given back; `tax_minor` of it was tax (see `invoices.service.credit`)."""
    return _posting(
        f"refund:{refund}",
        currency,
        {
            "processor": -amount_minor,
            "refunds": amount_minor - tax_minor,
            "tax_payable": tax_minor,
        },
        memo="Refund",
        order=order,
    )


def refund_failed(
    refund: RefundId, order: OrderId, *, amount_minor: int, tax_minor: int, currency: str
) -> Posting:
    """A refund that was posted came back: the buyer's bank would not have it."""
    return _posting(
        f"refund-failed:{refund}",
        currency,
        {
            "processor": amount_minor,
            "refunds": tax_minor - amount_minor,
            "tax_payable": -tax_minor,
        },
        memo="Refund that failed",
        order=order,
    )


def late_money(payment: PaymentId, order: OrderId, *, amount_minor: int, currency: str) -> Posting:
    """Money came for an order that cannot be had any more; it is still the customer's."""
    return _posting(
        f"late:{payment}",
        currency,
        {"processor": amount_minor, "customer_funds": -amount_minor},
        memo="Payment that came too late",
        order=order,
    )


def late_money_returned(
    refund: RefundId, order: OrderId, *, amount_minor: int, currency: str
) -> Posting:
    """Money that came too late was given back."""
    return _posting(
        f"refund:{refund}",
        currency,
        {"processor": -amount_minor, "customer_funds": amount_minor},
        memo="Refund of a payment that came too late",
        order=order,
    )


def late_money_return_failed(
    refund: RefundId, order: OrderId, *, amount_minor: int, currency: str
) -> Posting:
    """The refund of money that came too late came back."""
    return _posting(
        f"refund-failed:{refund}",
        currency,
        {"processor": amount_minor, "customer_funds": -amount_minor},
        memo="Refund of a payment that came too late, which failed",
        order=order,
    )


def dispute_withdrawn(
    dispute: str, order: OrderId | None, *, amount_minor: int, currency: str
) -> Posting:
    """A bank took money back for its customer; it may be more than was paid."""
    return _posting(
        f"dispute-withdrawn:{dispute}",
        currency,
        {"processor": -amount_minor, "disputes": amount_minor},
        memo="Dispute",
        order=order,
    )


def dispute_reinstated(
    dispute: str, order: OrderId | None, *, amount_minor: int, currency: str
) -> Posting:
    """A bank gave disputed money back to us."""
    return _posting(
        f"dispute-reinstated:{dispute}",
        currency,
        {"processor": amount_minor, "disputes": -amount_minor},
        memo="Dispute won",
        order=order,
    )


def fee(transaction: str, *, amount_minor: int, currency: str) -> Posting:
    """The processor kept `amount_minor` for a balance transaction; a negative one it gave back."""
    return _posting(
        f"fee:{transaction}",
        currency,
        {"processor": -amount_minor, "processor_fees": amount_minor},
        memo="Processor's fee",
        order=None,
    )


def payout(transaction: str, *, amount_minor: int, currency: str) -> Posting:
    """The processor paid out to our bank; a negative amount came back."""
    return _posting(
        f"payout:{transaction}",
        currency,
        {"processor": -amount_minor, "bank": amount_minor},
        memo="Payout",
        order=None,
    )


def exchange(transaction: str, *, given: Money, got: Money) -> Posting:
    """The processor keeps `got` for `given`, in another currency; out is negative in both."""
    sides: tuple[tuple[Account, int, str], ...] = (
        ("processor", -given.amount_minor, given.currency),
        ("exchange", given.amount_minor, given.currency),
        ("processor", got.amount_minor, got.currency),
        ("exchange", -got.amount_minor, got.currency),
    )
    entries = tuple(
        Entry(account=account, amount_minor=amount, currency=currency)
        for account, amount, currency in sides
    )
    return Posting(key=f"exchange:{transaction}", entries=entries, memo="Change of currency")


def _posting(
    key: str,
    currency: str,
    amounts: dict[Account, int],
    *,
    memo: str,
    order: OrderId | None,
) -> Posting:
    entries = tuple(
        Entry(account=account, amount_minor=amount, currency=currency)
        for account, amount in amounts.items()
    )
    return Posting(key=key, entries=entries, memo=memo, order=order)


MovementKind = Literal["charge", "refund", "refund_failed", "dispute", "payout", "fee", "other"]


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """What the processor says it moved. In is positive, out negative.

    `asked` is in the buyer's currency, `settled` in the account's. `keys` are those of which one
    should be in the ledger.
    """

    id: str
    kind: MovementKind
    keys: tuple[str, ...]
    asked: Money
    settled: Money
    fee: Money
    at: datetime

    def postings(self) -> tuple[Posting, ...]:
        """Return what only the processor knows: its fee, its payouts, its exchange of currency."""
        found = [fee(self.id, amount_minor=self.fee.amount_minor, currency=self.fee.currency)]
        if self.kind == "payout":
            paid = -self.settled.amount_minor
            found.append(payout(self.id, amount_minor=paid, currency=self.settled.currency))
        elif self.kind == "fee":
            kept = -self.settled.amount_minor
            found[0] = fee(self.id, amount_minor=kept, currency=self.settled.currency)
        elif self.asked.currency != self.settled.currency:
            found.append(exchange(self.id, given=self.asked, got=self.settled))
        return tuple(found)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the processor and the ledger do not say alike."""

    what: str
    key: str
    amount_minor: int
    currency: str
    at: datetime


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of holding the two beside one another."""

    since: datetime
    until: datetime
    transactions: int
    differences: int
    at: datetime
