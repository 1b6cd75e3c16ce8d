"""The papers that are printed, and the bytes that are sent."""

import hashlib

import msgspec
import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.invoices.adapters.typst_printer import TypstPrinter, amount, percent
from commerce.invoices.jobs import jobs
from commerce.invoices.model import PaperLine, Party
from commerce.invoices.settings import SellerSettings
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import sign_in
from tests.commerce.invoices.world import FONT, SOUND, a_bill
from tests.commerce.shop import ADA, BEN


@pytest_asyncio.fixture
async def printer():
    return TypstPrinter()


class TestPrinting:
    async def test_the_same_paper_is_always_the_same_bytes(self, desk, printer):
        invoice = await desk.issue(a_bill())

        first, second = await printer.print(invoice), await TypstPrinter().print(invoice)

        assert first.startswith(b"%PDF-")
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()

    async def test_prints_credit_notes(self, desk, printer):
        await desk.issue(a_bill())

        note = await desk.credit({FONT: 1190, SOUND: 500}, reason="Wrong size")

        assert len(await printer.print(note)) > 10_000

    @pytest.mark.parametrize(
        "name",
        ["#panic()", "*Ada* _L_ $x$ @b", '"]) #read("/etc/passwd")', "Zażółć Ελένη Привет", ""],
    )
    async def test_takes_whatever_people_and_things_are_called(self, desk, printer, name):
        bill = a_bill(party=Party(name=name, address=(name, name), tax_id=name))
        line = msgspec.structs.replace(bill.lines[0], title=name)
        invoice = await desk.issue(msgspec.structs.replace(bill, lines=(line,)))

        assert (await printer.print(invoice)).startswith(b"%PDF-")

    async def test_takes_as_many_lines_as_an_order_has(self, desk, printer):
        lines = tuple(
            PaperLine(line=f"lin_{n}", title="T", quantity=1, unit_price_minor=n, total_minor=n)
            for n in range(300)
        )

        assert await printer.print(await desk.issue(a_bill(lines=lines)))

    @pytest.mark.parametrize(
        ("minor", "currency", "shown"),
        [
            (123450, "EUR", "1\u202f234.50"),
            (5, "USD", "0.05"),
            (1900, "JPY", "1\u202f900"),
            (6400, "KWD", "6.400"),
        ],
    )
    def test_writes_amounts_in_the_places_of_their_currency(self, minor, currency, shown):
        assert amount(minor, currency) == shown

    @pytest.mark.parametrize(("ppm", "shown"), [(190_000, "19"), (55_000, "5.5"), (0, "0")])
    def test_writes_rates_as_people_read_them(self, ppm, shown):
        assert percent(ppm) == shown


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def ben(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))


@pytest_asyncio.fixture
async def boss(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"), roles=("staff",))


class TestTheDoor:
    async def test_shows_a_buyer_their_own(self, desk, ada, ben):
        invoice = await desk.issue(a_bill())

        mine, others = await ada.get("/v1/invoices"), await ben.get("/v1/invoices")
        shown = await ada.get(f"/v1/invoices/{invoice.id}")

        assert [each["number"] for each in mine.body["items"]] == ["R-I-2026-000001"]
        assert others.body["items"] == []
        assert shown.body["taxes"][0]["tax_minor"] == 380
        assert shown.body["lines"][1]["discount_minor"] == 100
        assert (await ben.get(f"/v1/invoices/{invoice.id}")).code == "invoice_not_found"
        assert (await ben.get(f"/v1/invoices/{invoice.id}/pdf")).status == 404

    async def test_shows_the_staff_everybodys(self, desk, boss, ben):
        for number in (1, 2):
            await desk.issue(a_bill(number))

        everybodys = await boss.get("/v1/invoices", everybody="true")
        of_one = await boss.get("/v1/invoices", everybody="true", order=a_bill(2).order)

        assert len(everybodys.body["items"]) == 2
        assert [each["number"] for each in of_one.body["items"]] == ["R-I-2026-000002"]
        assert (await ben.get("/v1/invoices", everybody="true")).code == "forbidden"

    async def test_sends_the_file_whole_and_in_parts(self, desk, ada, printer):
        invoice = await desk.issue(a_bill())
        content = await printer.print(invoice)

        whole = await ada.fetch(f"/v1/invoices/{invoice.id}/pdf")
        tag = whole.headers["etag"]
        part = await ada.fetch(whole.path, range="bytes=100-199", **{"if-range": tag})
        end = await ada.fetch(whole.path, range="bytes=-50")
        changed = await ada.fetch(whole.path, range="bytes=100-199", **{"if-range": '"other"'})
        beyond = await ada.fetch(whole.path, range="bytes=9999999-")
        known = await ada.fetch(whole.path, **{"if-none-match": tag})

        assert (whole.status, whole.body) == (200, content)
        assert whole.headers["content-type"] == "application/pdf"
        assert 'filename="R-I-2026-000001.pdf"' in whole.headers["content-disposition"]
        assert (part.status, part.body) == (206, content[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(content)}"
        assert (end.status, end.body) == (206, content[-50:])
        assert (changed.status, changed.body) == (200, content)
        assert beyond.status == 416
        assert (known.status, known.body) == (304, b"")


class TestTheSeller:
    async def test_is_who_the_settings_name(self, desk):
        (keep,) = jobs(SellerSettings(name="Ten Crowns", invoice_prefix="TC"))
        async with desk.database.transaction() as tx:
            await keep.run(tx)

        invoice = await desk.issue(a_bill())

        assert (invoice.paper.seller.name, invoice.number) == ("Ten Crowns", "TC-I-2026-000001")
