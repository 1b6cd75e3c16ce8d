"""What the invoice endpoints take and give."""

from typing import Final

import msgspec

from commerce.foundation.pagination import PageQuery
from protocol import views
from protocol.ids import InvoiceId, OrderId

PDF: Final = "application/pdf"


class IssuedAfter(msgspec.Struct, frozen=True, kw_only=True):
    """The cursor of a list of invoices."""

    id: InvoiceId


class InvoiceQuery(PageQuery, frozen=True, kw_only=True):
    """Which invoices: one's own, of one order if it is named, or everybody's (for the staff)."""

    order: OrderId | None = None
    everybody: bool = False


class Tax(msgspec.Struct, frozen=True, kw_only=True):
    """What one rate comes to. A rate of 20 % is 200 000 ppm."""

    name: str
    rate_ppm: int
    is_inclusive: bool
    taxable_minor: int
    tax_minor: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line; on a credit note the total and the tax are what is given back."""

    title: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int


class InvoiceDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice and what is on it; `pdf` is where it can be had to keep."""

    invoice: views.Invoice
    seller: str
    buyer: str
    order_number: str
    lines: list[Line]
    taxes: list[Tax]
    pdf: str
    corrects_number: str | None = None
    reason: str = ""
