"""Facts about the books' papers, told on the order's topic and on the buyer's."""

from protocol.events.event import Event
from protocol.views import Invoice


class InvoiceIssued(Event, frozen=True, kw_only=True, tag="invoice_issued"):
    """An invoice or a credit note has its number."""

    invoice: Invoice
