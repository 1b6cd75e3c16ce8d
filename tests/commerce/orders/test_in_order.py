"""The invariants that bind orders, ledger and papers, seen to find what they are for."""

import pytest

from commerce.foundation.invariants import look_at
from commerce.invariants.across import INVARIANTS
from commerce.ledger import model as books, service as ledger
from protocol.ids import OrderId

ORDER = OrderId("ord_01JD00000000000000000000A1")


async def broken(database):
    return {
        each.name: each.breaches for each in await look_at(database, INVARIANTS) if each.breaches
    }


async def test_a_sale_without_an_invoice_is_found(database):
    async with database.transaction() as tx:
        posting = books.sale(ORDER, total_minor=1190, tax_minor=190, currency="EUR")
        await ledger.post(tx, posting)

    found = await broken(database)

    assert list(found) == ["books.sales_are_invoiced"]
    assert found["books.sales_are_invoiced"] == [f"{ORDER}: sold for 1190, invoiced for 0"]


@pytest.mark.usefixtures("in_order")
async def test_nothing_is_found_where_nothing_is(database):
    assert await broken(database) == {}
