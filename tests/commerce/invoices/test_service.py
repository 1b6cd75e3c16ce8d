from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from commerce.accounts import service as accounts
from commerce.accounts.model import NewUser
from commerce.invoices import repository, service
from commerce.invoices.errors import (
    BillDoesNotAddUpError,
    CreditTooLargeError,
    InvoiceNotFoundError,
    NothingInvoicedError,
)
from commerce.invoices.model import CreditNote, Seller
from protocol.events import InvoiceIssued
from protocol.topics import order_topic, user_topic
from tests.commerce.invoices.world import FONT, SOUND, a_bill, a_refund, an_order
from tests.commerce.outbox import everything_told
from tests.commerce.racing import lost, race, won
from tests.commerce.shop import ADA, BEN

pytestmark = pytest.mark.usefixtures("in_order")


class TestIssuing:
    async def test_sums_up_what_is_billed(self, desk):
        invoice = await desk.issue(a_bill())

        assert (invoice.number, invoice.kind) == ("R-I-2026-000001", "invoice")
        assert (invoice.total_minor, invoice.tax_minor) == (2880, 380)
        (tax,) = invoice.paper.taxes
        assert (tax.ppm, tax.taxable_minor, tax.tax_minor) == (190_000, 2000, 380)

    async def test_the_same_order_twice_gets_the_same_number(self, desk):
        first, second = await desk.issue(a_bill()), await desk.issue(a_bill())
        another = await desk.issue(a_bill(2))

        assert first == second
        assert another.serial == first.serial + 1

    async def test_is_told_once_to_the_order_and_to_the_buyer(self, desk):
        await desk.issue(a_bill())
        await desk.issue(a_bill())

        told = [
            row
            for row in await everything_told(desk.database)
            if isinstance(row.event, InvoiceIssued)
        ]
        assert {row.topic for row in told} == {order_topic(an_order()), user_topic(ADA)}
        assert len(told) == 2
        assert len({row.event_id for row in told}) == 1

    async def test_begins_each_year_anew_in_the_sellers_time_zone(self, desk, clock):
        clock._moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
        async with desk.database.transaction() as tx:
            await service.set_seller(tx, Seller(name="Ten Crowns", time_zone="Europe/Oslo"))

        invoice = await desk.issue(a_bill())

        assert invoice.number == "R-I-2027-000001"
        assert invoice.paper.seller.name == "Ten Crowns"

    async def test_keeps_what_was_true_when_it_was_issued(self, desk):
        before = await desk.issue(a_bill())
        async with desk.database.transaction() as tx:
            await service.set_seller(tx, Seller(name="Another Name"))

        again = await desk.issue(a_bill())

        assert again.paper == before.paper
        assert (await desk.issue(a_bill(2))).paper.seller.name == "Another Name"

    async def test_names_the_buyer_as_their_account_does(self, desk):
        async with desk.database.transaction() as tx:
            new = NewUser(id=ADA, email="ada@example.org", name="Ada L.")
            await accounts.import_user(tx, new)

        party = (await desk.issue(a_bill())).paper.buyer

        assert (party.name, party.email, party.country) == ("Ada L.", "ada@example.org", "DE")

    async def test_is_never_dated_before_the_number_before_it(self, desk, clock):
        first = await desk.issue(a_bill())
        clock.advance(seconds=-5)

        second = await desk.issue(a_bill(2))

        assert second.issued_at >= first.issued_at

    async def test_refuses_a_line_that_does_not_add_up(self, desk):
        bill = a_bill()
        wrong = msgspec.structs.replace(bill.lines[0], total_minor=2381)

        with pytest.raises(BillDoesNotAddUpError):
            await desk.issue(msgspec.structs.replace(bill, lines=(wrong,)))

    async def test_of_a_time_zone_that_there_is_not_is_refused(self, desk):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            async with desk.database.transaction() as tx:
                await service.set_seller(tx, Seller(time_zone="Mars/Olympus"))


class TestCrediting:
    async def test_takes_the_tax_along(self, desk):
        invoice = await desk.issue(a_bill())

        note = await desk.credit({FONT: 1190}, reason="Wrong size")

        assert (note.number, note.kind) == ("R-C-2026-000001", "credit_note")
        assert (note.total_minor, note.tax_minor, note.corrects) == (1190, 190, invoice.id)
        assert (note.paper.corrects_number, note.paper.reason) == (invoice.number, "Wrong size")

    async def test_the_same_refund_twice_takes_once(self, desk):
        await desk.issue(a_bill())

        assert await desk.credit({FONT: 1190}) == await desk.credit({FONT: 1190})

    @pytest.mark.parametrize("parts", [[1, 2379], [1, 1, 1, 2377], [793, 793, 794], [7] * 340])
    async def test_in_parts_takes_exactly_the_whole_tax(self, desk, parts):
        await desk.issue(a_bill())

        notes = [
            await desk.credit({FONT: part}, refund=number)
            for number, part in enumerate(parts, start=1)
        ]

        assert sum(note.tax_minor for note in notes) == 380
        assert all(0 <= note.tax_minor <= note.total_minor for note in notes)

    async def test_more_than_is_left_is_refused_and_takes_no_number(self, desk):
        await desk.issue(a_bill())
        await desk.credit({SOUND: 400})

        async with desk.database.transaction() as tx:
            with pytest.raises(CreditTooLargeError, match="only 100 is left"):
                await service.credit(tx, _note({SOUND: 101}, refund=2))
        after = await desk.credit({SOUND: 100}, refund=3)

        assert after.number == "R-C-2026-000002"

    async def test_what_was_never_invoiced_is_refused(self, desk):
        with pytest.raises(NothingInvoicedError):
            await desk.credit({SOUND: 1})

    async def test_is_taken_back_when_the_refund_fails(self, desk):
        await desk.issue(a_bill())
        note = await desk.credit({FONT: 2380, SOUND: 500})

        restored, twice = await desk.restore(), await desk.restore()

        assert restored == twice
        assert (restored.kind, restored.total_minor) == ("invoice", note.total_minor)
        assert (await desk.credit({FONT: 2380}, refund=2)).tax_minor == 380

    async def test_is_not_taken_back_when_there_was_none(self, desk):
        assert await desk.restore() is None


class TestWhoSees:
    async def test_an_invoice_is_its_buyers(self, desk):
        invoice = await desk.issue(a_bill())

        async with desk.database.transaction() as tx:
            assert await service.view(tx, ADA, invoice.id) == invoice
            with pytest.raises(InvoiceNotFoundError):
                await service.view(tx, BEN, invoice.id)

    async def test_the_newest_come_first(self, desk, clock):
        for number in (1, 2, 3):
            await desk.issue(a_bill(number))
            clock.advance(seconds=1)

        async with desk.database.transaction() as tx:
            first = await service.listed(tx, ADA, limit=2)
            rest = await service.listed(tx, ADA, after=first[-1].id, limit=2)
            everybodys = await service.listed(tx, None, limit=5)

        assert [each.serial for each in (*first, *rest)] == [3, 2, 1]
        assert everybodys == [*first, *rest]


class TestRaces:
    async def test_many_payers_get_numbers_without_a_gap(self, desk):
        outcomes = await race(desk.database, *(_issuing(number) for number in range(1, 8)))

        assert sorted(each.serial for each in won(outcomes)) == list(range(1, 8))
        await _without_gaps(desk)

    async def test_a_payer_who_fails_leaves_no_gap(self, desk):
        outcomes = await race(
            desk.database,
            *(_issuing(number, fails=number % 2 == 0) for number in range(1, 8)),
        )

        assert sorted(each.serial for each in won(outcomes)) == [1, 2, 3, 4]
        assert lost(outcomes) == [RuntimeError] * 3
        await _without_gaps(desk)

    async def test_the_same_order_at_once_gets_one_number(self, desk):
        outcomes = await race(desk.database, *[_issuing(1)] * 6)

        assert {each.number for each in won(outcomes)} == {"R-I-2026-000001"}
        assert len(won(outcomes)) == 6
        assert (await desk.issue(a_bill(2))).serial == 2
        await _without_gaps(desk)

    async def test_two_refunds_at_once_take_no_more_than_there_is(self, desk):
        await desk.issue(a_bill())

        outcomes = await race(
            desk.database,
            *(lambda tx, n=n: service.credit(tx, _note({SOUND: 300}, refund=n)) for n in (1, 2)),
        )

        assert (len(won(outcomes)), lost(outcomes)) == (1, [CreditTooLargeError])
        await _without_gaps(desk)


class TestTheDatabaseItself:
    @pytest.mark.parametrize(
        "change",
        ["update invoices set total_minor = 1", "delete from invoices", "truncate invoices"],
    )
    async def test_rewrites_nothing(self, desk, change):
        await desk.issue(a_bill())

        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await desk.run(change)

    async def test_takes_no_number_that_leaves_a_gap(self, desk):
        await desk.run(
            "insert into invoice_series values ('shop', 'invoice', 2026, 5, '2026-01-01')"
        )

        with pytest.raises(asyncpg.CheckViolationError, match="leaves a gap"):
            await desk.issue(a_bill())
        async with desk.database.transaction() as tx:
            assert len(await repository.gaps(tx)) == 1
        await desk.run("delete from invoice_series")


def _issuing(number, *, fails=False):
    async def act(tx):
        invoice = await service.issue(tx, a_bill(number))
        if fails:
            raise RuntimeError("the card's bank is away")
        return invoice

    return act


def _note(amounts, *, refund):
    return CreditNote(refund=a_refund(refund), order=an_order(), amounts=amounts)


async def _without_gaps(desk):
    async with desk.database.transaction() as tx:
        assert await repository.gaps(tx) == []
