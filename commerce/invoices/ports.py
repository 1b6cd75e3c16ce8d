"""What invoices need of the outside: somebody who prints them."""

from typing import Protocol

from commerce.invoices.model import Invoice


class Printer(Protocol):
    """Makes the file a buyer keeps."""

    async def print(self, invoice: Invoice) -> bytes:
        """Return the invoice as a PDF; the same invoice is always the same bytes."""
        ...
