"""Bills to issue, and short ways to issue them."""

import msgspec

from commerce.invoices import service
from commerce.invoices.model import Bill, CreditNote, PaperLine
from protocol.ids import OrderId, OrderLineId, RefundId
from tests.commerce.shop import ADA

FONT = OrderLineId("lin_01JD00000000000000000000A1")
SOUND = OrderLineId("lin_01JD00000000000000000000B1")


def an_order(number=1):
    return OrderId(f"ord_{number:026d}")


def a_refund(number=1):
    return RefundId(f"rfd_{number:026d}")


def a_bill(number=1, **facts):
    """Two lines of 23.80 and 5.00 euro; in the first there are 3.80 of tax."""
    font = PaperLine(
        line=FONT,
        title="Halden Grotesk",
        quantity=2,
        unit_price_minor=1190,
        total_minor=2380,
        tax_minor=380,
        tax_name="VAT",
        tax_ppm=190_000,
    )
    sound = PaperLine(
        line=SOUND,
        title="Rain on Tin",
        quantity=1,
        unit_price_minor=600,
        discount_minor=100,
        total_minor=500,
    )
    return msgspec.structs.replace(
        Bill(
            order=an_order(number),
            order_number=f"R-2026-{number:06d}",
            buyer=ADA,
            currency="EUR",
            country="DE",
            lines=(font, sound),
        ),
        **facts,
    )


class Desk:
    """Each act is a transaction of its own."""

    def __init__(self, database):
        self.database = database

    async def issue(self, bill):
        async with self.database.transaction() as tx:
            return await service.issue(tx, bill)

    async def credit(self, amounts, *, number=1, refund=1, reason=""):
        note = CreditNote(
            refund=a_refund(refund), order=an_order(number), amounts=amounts, reason=reason
        )
        async with self.database.transaction() as tx:
            return await service.credit(tx, note)

    async def restore(self, refund=1):
        async with self.database.transaction() as tx:
            return await service.restore(tx, a_refund(refund))

    async def of_order(self, number=1):
        async with self.database.transaction() as tx:
            return await service.of_order(tx, an_order(number))

    async def run(self, sql, *arguments):
        async with self.database.transaction() as tx:
            await tx.execute(sql, *arguments)
