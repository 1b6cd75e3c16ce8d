"""Prints invoices with Typst, from the template beside this file.

What is printed goes in as data and never as source, so nothing a buyer is called can be markup. A
paper is dated by itself, and only fonts that come along are used, so it is always the same bytes.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import typst
from typing_extensions import override

from commerce.invoices.model import Invoice, PaperLine, Party, Seller, TaxTotal
from commerce.invoices.ports import Printer
from protocol.money import decimals

_TEMPLATE: Final = Path(__file__).with_name("paper.typ").read_bytes()
_STANDARD: Final = "ua-1"
"""PDF/UA: readable by screen readers, with headings, tables and a language."""

_AT_ONCE_MAX: Final = 2
_PPM_A_PERCENT: Final = 10_000


class TypstPrinter(Printer):
    """Prints in threads, two papers at once at most."""

    def __init__(self, *, fonts_dir: str = "") -> None:
        self._fonts = typst.Fonts(
            include_system_fonts=False, font_paths=[Path(fonts_dir)] if fonts_dir else []
        )
        self._turn = asyncio.Semaphore(_AT_ONCE_MAX)

    @override
    async def print(self, invoice: Invoice) -> bytes:
        paper = msgspec.json.encode(_printed(invoice)).decode()
        async with self._turn:
            return await asyncio.to_thread(self._compile, paper)

    def _compile(self, paper: str) -> bytes:
        made = typst.compile(
            _TEMPLATE,
            format="pdf",
            sys_inputs={"paper": paper},
            font_paths=self._fonts,
            pdf_standards=_STANDARD,
        )
        assert isinstance(made, bytes)
        return made


def _printed(invoice: Invoice) -> dict[str, object]:
    """Return what the template shows, every amount and date written out."""
    paper, currency = invoice.paper, invoice.currency
    return {
        "kind": invoice.kind,
        "number": invoice.number,
        "order": paper.order_number,
        "corrects": paper.corrects_number or "",
        "reason": paper.reason,
        "issued": [invoice.issued_at.year, invoice.issued_at.month, invoice.issued_at.day],
        "supplied": "" if paper.supplied_at is None else f"{paper.supplied_at:%Y-%m-%d}",
        "currency": currency,
        "seller": _address(paper.seller),
        "prefix": paper.seller.name,
        "buyer": _address(paper.buyer),
        "lines": [_line(line, currency, invoice) for line in paper.lines],
        "taxes": [_tax(tax, currency) for tax in paper.taxes],
        "untaxed": not paper.taxes,
        "net": amount(invoice.total_minor - invoice.tax_minor, currency),
        "total": amount(invoice.total_minor, currency),
    }


def _address(party: Party | Seller) -> dict[str, object]:
    lines: Sequence[str] = (*party.address, party.country)
    return {
        "name": party.name,
        "lines": [line for line in lines if line],
        "email": party.email,
        "tax_id": party.tax_id,
    }


def _line(line: PaperLine, currency: str, invoice: Invoice) -> dict[str, object]:
    whole = invoice.corrects is None
    return {
        "title": line.title,
        "quantity": str(line.quantity) if whole else "",
        "price": amount(line.unit_price_minor, currency) if whole else "",
        "discount": amount(line.discount_minor, currency) if whole and line.discount_minor else "",
        "tax": f"{percent(line.tax_ppm)} %" if line.tax_name else "",
        "total": amount(line.total_minor, currency),
    }


def _tax(tax: TaxTotal, currency: str) -> dict[str, str]:
    kind = "included" if tax.inclusive else "added"
    return {
        "name": f"{tax.name} {percent(tax.ppm)} %, {kind}",
        "taxable": amount(tax.taxable_minor, currency),
        "tax": amount(tax.tax_minor, currency),
    }


def amount(minor: int, currency: str) -> str:
    """Return an amount as people read it, such as `1 234.50`, in the places its currency has."""
    places = decimals(currency)
    whole, part = divmod(minor, 10**places)
    grouped = f"{whole:,}".replace(",", "\u202f")
    return f"{grouped}.{part:0{places}d}" if places else grouped


def percent(ppm: int) -> str:
    """Return a rate as people read it, such as `19` or `5.5`."""
    whole, part = divmod(ppm, _PPM_A_PERCENT)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")
