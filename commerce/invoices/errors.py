"""What can go wrong with an invoice."""

from protocol.ids import InvoiceId, OrderId, OrderLineId
from shared.errors import ExpectedError


class InvoiceNotFoundError(ExpectedError):
    """No such invoice, or not yours to see."""

    code = "invoice_not_found"
    http_status = 404

    def __init__(self, invoice: InvoiceId) -> None:
        super().__init__(f"There is no invoice {invoice} of yours.")


class NothingInvoicedError(ExpectedError):
    """An order without an invoice was to be credited."""

    code = "nothing_invoiced"
    http_status = 409

    def __init__(self, order: OrderId) -> None:
        super().__init__(f"Order {order} has no invoice to take from.")


class CreditTooLargeError(ExpectedError):
    """More of a line was to be credited than is left of it."""

    code = "credit_too_large"
    http_status = 409

    def __init__(self, line: OrderLineId, *, left_minor: int) -> None:
        super().__init__(f"Of line {line} only {left_minor} is left to credit.")


class BillDoesNotAddUpError(ValueError):
    """A line of a bill is not its price less its discount, with its tax: a mistake of ours."""

    def __init__(self, line: OrderLineId) -> None:
        super().__init__(f"Line {line} does not add up.")
