"""The HTTP door of invoices: a buyer's own, and everybody's for the staff."""

import hashlib
from typing import Final

from commerce.foundation.downloads import Download
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, decode_cursor, page_of
from commerce.invoices import service
from commerce.invoices.adapters.typst_printer import TypstPrinter
from commerce.invoices.errors import InvoiceNotFoundError
from commerce.invoices.model import Invoice, show
from commerce.invoices.schemas import (
    PDF,
    InvoiceDetails,
    InvoiceQuery,
    IssuedAfter,
    Line,
    Tax,
)
from protocol import views
from protocol.ids import InvoiceId

door: Final = Door("invoices")

STAFF_ROLE: Final = "staff"


@door.api("GET", "/v1/invoices", query=InvoiceQuery, out=Page[views.Invoice])
async def listed(call: Call[None, InvoiceQuery]) -> Page[views.Invoice]:
    """List invoices and credit notes, the newest first."""
    query = call.query
    after = None if query.after is None else decode_cursor(IssuedAfter, query.after).id
    if query.everybody:
        call.require_role(STAFF_ROLE)
    async with call.database.transaction() as tx:
        found = await service.listed(
            tx,
            None if query.everybody else call.principal.user,
            order=query.order,
            after=after,
            limit=query.limit + 1,
        )
    page = page_of(found, limit=query.limit, key=lambda each: IssuedAfter(id=each.id))
    return Page(items=[show(each) for each in page.items], next=page.next)


@door.api("GET", "/v1/invoices/{invoice}", out=InvoiceDetails, errors=(InvoiceNotFoundError,))
async def details(call: Call[None, None]) -> InvoiceDetails:
    """Show an invoice and what is on it."""
    async with call.database.transaction() as tx:
        found = await service.view(tx, call.principal.user, InvoiceId(call.path["invoice"]))
    return _details(found)


@door.api("GET", "/v1/invoices/{invoice}/pdf", out=Download, errors=(InvoiceNotFoundError,))
async def pdf(call: Call[None, None]) -> Download:
    """Download an invoice as a PDF; it is the same file each time."""
    async with call.database.transaction() as tx:
        found = await service.view(tx, call.principal.user, InvoiceId(call.path["invoice"]))
    content = await call.service(TypstPrinter).print(found)
    return Download(
        content=content,
        media_type=PDF,
        name=f"{found.number}.pdf",
        tag=hashlib.sha256(content).hexdigest(),
    )


def _details(invoice: Invoice) -> InvoiceDetails:
    paper = invoice.paper
    return InvoiceDetails(
        invoice=show(invoice),
        seller=paper.seller.name,
        buyer=paper.buyer.name,
        order_number=paper.order_number,
        lines=[
            Line(
                title=line.title,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
                discount_minor=line.discount_minor,
                tax_minor=line.tax_minor,
                total_minor=line.total_minor,
            )
            for line in paper.lines
        ],
        taxes=[
            Tax(
                name=tax.name,
                rate_ppm=tax.ppm,
                is_inclusive=tax.inclusive,
                taxable_minor=tax.taxable_minor,
                tax_minor=tax.tax_minor,
            )
            for tax in paper.taxes
        ],
        pdf=f"/v1/invoices/{invoice.id}/pdf",
        corrects_number=paper.corrects_number,
        reason=paper.reason,
    )
