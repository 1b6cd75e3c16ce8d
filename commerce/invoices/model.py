"""What is on an invoice, and how a credit note takes from it. Pure.

Amounts are of the invoice's currency, in minor units, and never negative: a credit note says by its
kind that it takes away.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from commerce.invoices.errors import BillDoesNotAddUpError, CreditTooLargeError
from protocol import views
from protocol.ids import InvoiceId, OrderId, OrderLineId, RefundId, UserId
from protocol.money import Money
from protocol.views import InvoiceKind
from shared.clock import unix_ms

SHOP: Final = "shop"
"""The seller there is; a market place would have more."""

_LETTERS: Final[Mapping[InvoiceKind, str]] = {"invoice": "I", "credit_note": "C"}


class Seller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells. The year of an invoice is the year in the seller's time zone."""

    name: str = "Rialto Demo Shop"
    address: tuple[str, ...] = ("Riva del Vin 1", "30125 Venezia")
    country: str = "IT"
    tax_id: str = ""
    email: str = ""
    time_zone: str = "UTC"
    prefix: str = "R"


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who bought."""

    name: str = ""
    email: str = ""
    address: tuple[str, ...] = ()
    country: str = ""
    tax_id: str = ""


class PaperLine(msgspec.Struct, frozen=True, kw_only=True):
    """One bought thing. `total_minor` is with the tax and less the discount.

    With an inclusive tax the price has the tax in it; else the tax comes on top. On a credit note
    `total_minor` and `tax_minor` are what is taken away, and the rest is as it was bought.
    """

    line: OrderLineId
    title: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    discount_minor: int = 0
    tax_minor: int = 0
    tax_name: str = ""
    tax_ppm: int = 0
    tax_inclusive: bool = True

    def check(self) -> None:
        """Pass if the line adds up.

        Raises:
            BillDoesNotAddUpError: if it does not.
        """
        left = self.unit_price_minor * self.quantity - self.discount_minor
        on_top = 0 if self.tax_inclusive else self.tax_minor
        if self.total_minor != left + on_top or not 0 <= self.tax_minor <= self.total_minor:
            raise BillDoesNotAddUpError(self.line)


class TaxTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What one rate comes to over a whole paper."""

    name: str
    ppm: int
    inclusive: bool
    taxable_minor: int
    tax_minor: int


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What to invoice: an order that is being paid. Orders fill it in; sums are made here.

    Without `party` the buyer's name and address of mail are those of their account.
    """

    order: OrderId
    order_number: str
    buyer: UserId
    currency: str
    lines: tuple[PaperLine, ...]
    country: str = ""
    party: Party | None = None
    supplied_at: datetime | None = None


class CreditNote(msgspec.Struct, frozen=True, kw_only=True):
    """What to take from an order's invoice, by line; each amount is with its tax."""

    refund: RefundId
    order: OrderId
    amounts: Mapping[OrderLineId, int]
    reason: str = ""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """All that is printed, frozen when the number was given."""

    seller: Seller
    buyer: Party
    order_number: str
    lines: tuple[PaperLine, ...]
    taxes: tuple[TaxTotal, ...]
    supplied_at: datetime | None = None
    corrects_number: str | None = None
    reason: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A number in a series, taken but not used yet."""

    kind: InvoiceKind
    year: int
    serial: int
    issued_at: datetime
    seller: Seller

    @property
    def number(self) -> str:
        """The number as people write it, such as `R-I-2026-000123`; a credit note has a `C`."""
        letter = _LETTERS[self.kind]
        return f"{self.seller.prefix}-{letter}-{self.year}-{self.serial:06d}"


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """A paper with its number. `corrects` is the invoice a credit note takes from."""

    id: InvoiceId
    key: str
    number: str
    kind: InvoiceKind
    year: int
    serial: int
    order_id: OrderId
    buyer_id: UserId
    corrects: InvoiceId | None
    currency: str
    total_minor: int
    tax_minor: int
    issued_at: datetime
    paper: Paper


def bill_key(order: OrderId) -> str:
    """Return what the invoice of an order is known by."""
    return f"order:{order}"


def credit_key(refund: RefundId) -> str:
    """Return what the credit note of a refund is known by."""
    return f"refund:{refund}"


def restored_key(refund: RefundId) -> str:
    """Return what the invoice is known by that takes a credit note back."""
    return f"refund-failed:{refund}"


def taxes_of(lines: Iterable[PaperLine]) -> tuple[TaxTotal, ...]:
    """Return what each rate comes to over all lines, the highest rate first."""
    sums: dict[tuple[int, str, bool], tuple[int, int]] = {}
    for line in lines:
        if line.tax_name:
            rate = (line.tax_ppm, line.tax_name, line.tax_inclusive)
            taxable, tax = sums.get(rate, (0, 0))
            sums[rate] = (taxable + line.total_minor - line.tax_minor, tax + line.tax_minor)
    return tuple(
        TaxTotal(name=name, ppm=ppm, inclusive=inclusive, taxable_minor=taxable, tax_minor=tax)
        for (ppm, name, inclusive), (taxable, tax) in sorted(sums.items(), reverse=True)
    )


def credited(invoice: Invoice, others: Iterable[Invoice]) -> dict[OrderLineId, tuple[int, int]]:
    """Return by line how much is taken from an invoice by now: the amount, and the tax in it."""
    taken = {line.line: (0, 0) for line in invoice.paper.lines}
    for other in others:
        if other.corrects == invoice.id:
            sign = 1 if other.kind == "credit_note" else -1
            for line in other.paper.lines:
                amount, tax = taken[line.line]
                taken[line.line] = (
                    amount + sign * line.total_minor,
                    tax + sign * line.tax_minor,
                )
    return taken


def credit_lines(
    invoice: Invoice, others: Iterable[Invoice], amounts: Mapping[OrderLineId, int]
) -> tuple[PaperLine, ...]:
    """Return the lines of a credit note. The last one of a line takes exactly what tax is left.

    Raises:
        CreditTooLargeError: if more of a line is asked for than is left of it.
    """
    taken = credited(invoice, others)
    known = {line.line: line for line in invoice.paper.lines}
    found = []
    for identity, amount in amounts.items():
        line = known.get(identity)
        before, tax_before = taken.get(identity, (0, 0))
        left = 0 if line is None else line.total_minor - before
        if line is None or not 0 <= amount <= left:
            raise CreditTooLargeError(identity, left_minor=left)
        tax = _share(line.tax_minor, before + amount, line.total_minor) - tax_before
        tax = min(max(tax, 0), amount)
        if amount:
            found.append(msgspec.structs.replace(line, total_minor=amount, tax_minor=tax))
    return tuple(found)


def show(invoice: Invoice) -> views.Invoice:
    """Return the invoice as its buyer sees it."""
    return views.Invoice(
        id=invoice.id,
        number=invoice.number,
        kind=invoice.kind,
        order=invoice.order_id,
        total=Money(amount_minor=invoice.total_minor, currency=invoice.currency),
        issued_at_ms=unix_ms(invoice.issued_at),
    )


def _share(whole: int, part: int, of: int) -> int:
    """Return `whole * part / of`, half up."""
    return 0 if of == 0 else (2 * whole * part + of) // (2 * of)
