"""What the rest of commerce may ask of invoices.

A number is taken under the row lock of its series, which every paying transaction wants: call
`issue`, `credit` and `restore` after everything else that locks rows, so that the lock is held for
a moment, and never waits for one that another payer holds.
"""

from typing import Final

import msgspec

from commerce.accounts import service as accounts
from commerce.foundation.database import Transaction
from commerce.foundation.invariants import Invariant
from commerce.invoices import repository
from commerce.invoices.errors import (
    CreditTooLargeError,
    InvoiceNotFoundError,
    NothingInvoicedError,
)
from commerce.invoices.model import (
    Bill,
    CreditNote,
    Invoice,
    Paper,
    PaperLine,
    Party,
    Place,
    Seller,
    bill_key,
    credit_key,
    credit_lines,
    restored_key,
    show,
    taxes_of,
)
from protocol.events import InvoiceIssued
from protocol.ids import EventId, InvoiceId, OrderId, RefundId, UserId
from protocol.topics import order_topic, user_topic


async def issue(tx: Transaction, bill: Bill) -> Invoice:
    """Give an order its invoice; the same order again gets the same one.

    Raises:
        BillDoesNotAddUpError: if a line is not its price less its discount, with its tax.
    """
    for line in bill.lines:
        line.check()
    buyer = bill.party or await _party(tx, bill.buyer, bill.country)
    key = bill_key(bill.order)
    place = await repository.take_place(tx, "invoice", key=key, at=tx.now)
    if place is None:
        return await _known(tx, key)
    paper = Paper(
        seller=place.seller,
        buyer=buyer,
        order_number=bill.order_number,
        lines=bill.lines,
        taxes=taxes_of(bill.lines),
        supplied_at=bill.supplied_at or tx.now,
    )
    sold = _Sold(order=bill.order, buyer=bill.buyer, currency=bill.currency)
    made = _invoice(tx, place, paper, key=key, sold=sold)
    return await _write(tx, place, made)


async def credit(tx: Transaction, note: CreditNote) -> Invoice:
    """Take from an order's invoice what a refund gives back; the same refund again changes nothing.

    The result's `tax_minor` is how much of it was tax, which the ledger's posting needs.

    Raises:
        NothingInvoicedError: if the order has no invoice.
        CreditTooLargeError: if more of a line is to be given back than is left of it.
    """
    key = credit_key(note.refund)
    place = await repository.take_place(tx, "credit_note", key=key, at=tx.now)
    if place is None:
        return await _known(tx, key)
    papers = await repository.of_order(tx, note.order)  # after the lock: nobody else credits now
    try:
        invoice = _first(papers, note.order)
        lines = credit_lines(invoice, papers, note.amounts)
    except (NothingInvoicedError, CreditTooLargeError):
        await repository.give_back(tx, place)  # whoever catches this leaves no gap
        raise
    return await _correct(tx, place, invoice, lines, key=key, reason=note.reason)


async def restore(tx: Transaction, refund: RefundId, *, reason: str = "") -> Invoice | None:
    """Invoice again what the credit note of a refund took, for the refund failed after all.

    None if there was no such credit note. The same refund again changes nothing.
    """
    note = await repository.by_key(tx, credit_key(refund))
    if note is None:
        return None
    key = restored_key(refund)
    place = await repository.take_place(tx, "invoice", key=key, at=tx.now)
    if place is None:
        return await _known(tx, key)
    invoice = _first(await repository.of_order(tx, note.order_id), note.order_id)
    return await _correct(tx, place, invoice, note.paper.lines, key=key, reason=reason)


async def of_order(tx: Transaction, order: OrderId) -> list[Invoice]:
    """Return all papers of an order, the invoice first."""
    return await repository.of_order(tx, order)


async def listed(
    tx: Transaction,
    buyer: UserId | None,
    *,
    order: OrderId | None = None,
    after: InvoiceId | None = None,
    limit: int,
) -> list[Invoice]:
    """Return a buyer's papers, or everybody's for the staff, the newest first."""
    return await repository.listed(tx, buyer, order=order, after=after, limit=limit)


async def view(tx: Transaction, viewer: UserId, invoice: InvoiceId) -> Invoice:
    """Return an invoice to its buyer, or to the shop's staff.

    Raises:
        InvoiceNotFoundError: if there is no such invoice, or it is another buyer's.
    """
    found = await repository.find(tx, invoice)
    if found is None or (found.buyer_id != viewer and not await accounts.is_staff(tx, viewer)):
        raise InvoiceNotFoundError(invoice)
    return found


async def seller(tx: Transaction) -> Seller:
    """Return who sells now."""
    return await repository.seller(tx)


async def set_seller(tx: Transaction, seller: Seller) -> None:
    """Say who sells, on papers that are issued from now on."""
    await repository.set_seller(tx, seller)


async def _party(tx: Transaction, buyer: UserId, country: str) -> Party:
    known = await accounts.find(tx, buyer)
    if known is None:
        return Party(country=country)
    return Party(name=known.name, email=known.email, country=country)


async def _known(tx: Transaction, key: str) -> Invoice:
    known = await repository.by_key(tx, key)
    assert known is not None
    return known


def _first(papers: list[Invoice], order: OrderId) -> Invoice:
    for paper in papers:
        if paper.key == bill_key(order):
            return paper
    raise NothingInvoicedError(order)


class _Sold(msgspec.Struct, frozen=True, kw_only=True):
    """Which order a paper is of."""

    order: OrderId
    buyer: UserId
    currency: str


async def _correct(
    tx: Transaction,
    place: Place,
    invoice: Invoice,
    lines: tuple[PaperLine, ...],
    *,
    key: str,
    reason: str,
) -> Invoice:
    paper = Paper(
        seller=place.seller,
        buyer=invoice.paper.buyer,
        order_number=invoice.paper.order_number,
        lines=lines,
        taxes=taxes_of(lines),
        supplied_at=invoice.paper.supplied_at,
        corrects_number=invoice.number,
        reason=reason,
    )
    sold = _Sold(order=invoice.order_id, buyer=invoice.buyer_id, currency=invoice.currency)
    made = _invoice(tx, place, paper, key=key, sold=sold)
    return await _write(tx, place, msgspec.structs.replace(made, corrects=invoice.id))


def _invoice(tx: Transaction, place: Place, paper: Paper, *, key: str, sold: _Sold) -> Invoice:
    return Invoice(
        id=InvoiceId(tx.mint("inv")),
        key=key,
        number=place.number,
        kind=place.kind,
        year=place.year,
        serial=place.serial,
        order_id=sold.order,
        buyer_id=sold.buyer,
        corrects=None,
        currency=sold.currency,
        total_minor=sum(line.total_minor for line in paper.lines),
        tax_minor=sum(line.tax_minor for line in paper.lines),
        issued_at=place.issued_at,
        paper=paper,
    )


async def _write(tx: Transaction, place: Place, made: Invoice) -> Invoice:
    if not await repository.add(tx, made):  # another issued it while this waited for the series
        await repository.give_back(tx, place)
        return await _known(tx, made.key)
    fact = InvoiceIssued(invoice=show(made))
    event_id = EventId(tx.mint("evt"))
    await tx.emit(order_topic(made.order_id), fact, event_id=event_id)
    await tx.emit(user_topic(made.buyer_id), fact, event_id=event_id)
    return made


async def _gapless(tx: Transaction) -> list[str]:
    return [
        f"{gap.kind}s of {gap.year}: {gap.found} up to number {gap.last}, but {gap.expected} given"
        for gap in await repository.gaps(tx)
    ]


async def _adds_up(tx: Transaction) -> list[str]:
    return [
        f"{number} is not the sum of its lines, or takes more than there is"
        for number in await repository.astray(tx)
    ]


INVARIANTS: Final = (
    Invariant(
        name="invoices.gapless",
        says="Numbers of invoices and credit notes are 1, 2, 3 in every year.",
        check=_gapless,
    ),
    Invariant(
        name="invoices.add_up",
        says="Papers are the sum of their lines, and credit never exceeds its invoice.",
        check=_adds_up,
    ),
)
