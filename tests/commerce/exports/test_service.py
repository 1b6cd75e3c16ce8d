import asyncio
import csv
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.catalog.settings import CatalogSettings
from commerce.exports import jobs, service
from commerce.exports.errors import ExportNotReadyError, TooManyExportsError
from commerce.exports.model import ATTEMPTS_MAX, KEPT_DAYS, LEASE_SECONDS, WAITING_MAX, Filters
from commerce.exports.repository import queue
from commerce.exports.repository.tables import TABLES
from commerce.exports.settings import folder_in
from commerce.ledger import model as books, service as ledger
from commerce.settings import CommerceSettings
from protocol.events import ExportChanged
from protocol.ids import OrderId
from protocol.topics import user_topic
from protocol.views import Person
from shared.environment import process_variables
from tests.commerce.caller import sign_in
from tests.commerce.outbox import events_told
from tests.commerce.racing import race, won
from tests.commerce.shop import ADA, BEN, Shop
from tests.commerce.waiting import until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path):
    return folder_in(tmp_path / "files").path


@pytest_asyncio.fixture
async def shop(database):
    shop = Shop(database)
    await shop.open()
    return shop


@pytest_asyncio.fixture
async def desk(database, folder):
    return Desk(database, folder)


class Desk:
    def __init__(self, database, folder):
        self.database, self.folder = database, folder

    async def ask(self, kind="ledger", file_format="csv", **filters):
        async with self.database.transaction() as tx:
            return await service.ask(
                tx, ADA, kind=kind, file_format=file_format, filters=Filters(**filters)
            )

    async def write(self):
        return await service.write_next(self.database, self.folder)

    async def find(self, export):
        async with self.database.transaction() as tx:
            return await service.find(tx, export.id)

    async def rows(self, **asked):
        await self.ask(**asked)
        done = await self.write()
        assert done.state == "ready", done.error
        with (self.folder / done.file_name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    async def sell(self, number, currency="EUR", total=1190):
        order = OrderId(f"ord_{number:026d}")
        async with self.database.transaction() as tx:
            await ledger.post(
                tx, books.sale(order, total_minor=total, tax_minor=190, currency=currency)
            )


class TestWhatIsInAFile:
    async def test_the_ledger_comes_to_nothing_in_it(self, desk):
        await desk.sell(1)
        await desk.sell(2, currency="JPY")

        rows = await desk.rows()
        euros = await desk.rows(currency="EUR", only=("sales",))

        assert len(rows) == 6
        assert [row["amount"] for row in rows[:3]] == ["11.90", "-10.00", "-1.90"]
        assert [(row["account"], row["amount"]) for row in euros] == [("sales", "-10.00")]

    async def test_orders_and_their_lines(self, desk, shop, clock):
        variant = await shop.add("Sums", price=0, variants=("=1+1",))
        order = await shop.buy(variant, 2)
        clock.advance(hours=1)
        await shop.buy(variant, 1, user=BEN)

        orders = await desk.rows(kind="orders")
        early = await desk.rows(kind="orders", until=clock.now() - timedelta(minutes=30))
        lines = await desk.rows(kind="lines")

        assert [row["buyer"] for row in orders] == [ADA, BEN]
        assert [row["number"] for row in early] == [order.number]
        assert [(row["title"], row["quantity"]) for row in lines] == [
            ("Sums (=1+1)", "2"),
            ("Sums (=1+1)", "1"),
        ]

    @pytest.mark.parametrize("file_format", ["csv", "jsonl", "xlsx"])
    async def test_nothing_is_a_file_too(self, desk, file_format):
        await desk.ask(file_format=file_format)

        done = await desk.write()

        assert (done.state, done.rows_done) == ("ready", 0)
        assert (desk.folder / done.file_name).stat().st_size == done.size_bytes

    @pytest.mark.parametrize("kind", TABLES)
    def test_every_column_is_a_field_of_its_rows(self, kind):
        table = TABLES[kind]
        fields = {field.name for field in msgspec.structs.fields(table.shape)}

        for column in table.columns:
            assert (f"{column.name}_minor" if column.kind == "amount" else column.name) in fields


class TestAskingAndWriting:
    async def test_is_told_to_who_asked_until_it_is_ready(self, desk):
        await desk.sell(1)
        asked = await desk.ask()

        done = await desk.write()

        told = [
            event.export
            for event in await events_told(desk.database, user_topic(ADA))
            if isinstance(event, ExportChanged)
        ]
        assert [each.state for each in told] == [
            "waiting",
            "running",
            "running",
            "running",
            "ready",
        ]
        assert [each.version for each in told] == [1, 2, 3, 4, 5]
        assert told[-1].rows_done == told[-1].rows_expected == 3
        assert told[-1].size_bytes == done.size_bytes
        assert (done.id, await desk.write()) == (asked.id, None)

    async def test_too_many_at_once_are_refused(self, desk):
        for _ in range(WAITING_MAX):
            await desk.ask()

        with pytest.raises(TooManyExportsError):
            await desk.ask()

    async def test_one_that_keeps_failing_has_failed(self, desk):
        asked = await desk.ask()
        desk.folder.parent.mkdir(parents=True)
        desk.folder.write_text("a file where the folder should be")

        states = [(await desk.write()).state for _ in range(ATTEMPTS_MAX)]

        assert states == ["waiting"] * (ATTEMPTS_MAX - 1) + ["failed"]
        assert "Not a directory" in (await desk.find(asked)).error
        assert await desk.write() is None

    async def test_a_canceled_one_is_not_written(self, desk):
        asked = await desk.ask()
        async with desk.database.transaction() as tx:
            await service.cancel(tx, asked.id)

        assert await desk.write() is None
        async with desk.database.transaction() as tx:
            with pytest.raises(ExportNotReadyError):
                await service.cancel(tx, asked.id)

    async def test_old_ones_go_with_their_files(self, desk, clock):
        await desk.ask()
        done = await desk.write()
        clock.advance(days=KEPT_DAYS, seconds=1)

        async with desk.database.transaction() as tx:
            assert await service.forget_old(tx, desk.folder) == 1

        assert not (desk.folder / done.file_name).exists()


class TestRaces:
    async def test_many_programs_write_each_file_once(self, desk):
        for _ in range(3):
            await desk.ask()

        outcomes = await race(desk.database, *[queue.claim] * 5)

        claimed = [each.id for each in won(outcomes) if each is not None]
        assert len(claimed) == len(set(claimed)) == 3

    async def test_a_program_that_lost_its_lease_finishes_nothing(self, desk, clock):
        asked = await desk.ask()
        async with desk.database.transaction() as tx:
            slow = await queue.claim(tx)
        clock.advance(seconds=LEASE_SECONDS)

        done = await desk.write()

        async with desk.database.transaction() as tx:
            assert await queue.finish(tx, slow, rows=9, size_bytes=9, tag="x") is None
            assert await queue.advance(tx, slow, rows_done=9, rows_expected=9) is None
        assert (done.id, done.fence) == (asked.id, slow.fence + 1)


@pytest.mark.fault
class TestKilledInTheMiddle:
    async def test_the_next_program_begins_again(self, desk, clock, database_url, tmp_path):
        await _many_postings(desk.database, 30_000)
        asked = await desk.ask(file_format="xlsx")
        variables = {
            "PATH": process_variables()["PATH"],
            "RIALTO_DATABASE_URL": database_url,
            "RIALTO_FILES_DIR": str(tmp_path / "files"),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "commerce", "export", cwd=ROOT, env=variables
        )

        async def halfway():
            return (await desk.find(asked)).rows_done > 0

        await until(halfway, seconds_max=60)
        process.kill()
        await process.wait()
        assert (await desk.find(asked)).state == "running"
        async with desk.database.transaction() as tx:
            await tx.execute("update exports set lease_until = $1", clock.now())

        done = await desk.write()

        assert (done.state, done.rows_done, done.attempts) == ("ready", 90_000, 2)
        assert [path.name for path in desk.folder.iterdir()] == [done.file_name]


async def _many_postings(database, count):
    async with database.transaction() as tx:
        postings = [
            books.sale(OrderId(f"ord_{n:026d}"), total_minor=1190, tax_minor=190, currency="EUR")
            for n in range(count)
        ]
        await ledger.import_past(tx, postings)


class TestTheErrand:
    async def test_starts_no_program_when_there_is_nothing_to_write(self, database):
        await jobs.write_due(database)


class TestTheDoor:
    @pytest_asyncio.fixture
    async def app(self, database, redis, clock, tmp_path):
        settings = CommerceSettings(catalog=CatalogSettings(files_dir=str(tmp_path / "files")))
        return create_app(settings, database=database, redis=redis, clock=clock)

    @pytest_asyncio.fixture
    async def boss(self, app, redis, clock):
        return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"), roles=("staff",))

    async def test_is_for_the_staff(self, app, redis, clock, desk):
        ben = await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))
        asked = await desk.ask()

        refused = [
            await ben.post("/v1/admin/exports", {"kind": "orders", "format": "csv"}),
            await ben.get("/v1/admin/exports"),
            await ben.get(f"/v1/admin/exports/{asked.id}"),
            await ben.get(f"/v1/admin/exports/{asked.id}/file"),
            await ben.delete(f"/v1/admin/exports/{asked.id}"),
        ]

        assert {answer.code for answer in refused} == {"forbidden"}

    async def test_gives_the_file_whole_and_in_parts(self, boss, desk):
        await desk.sell(1)
        asked = await boss.post(
            "/v1/admin/exports",
            {"kind": "ledger", "format": "csv", "since": "2026-01-01T00:00:00Z"},
        )
        path = f"/v1/admin/exports/{asked.body['export']['id']}"
        early = await boss.get(f"{path}/file")
        done = await desk.write()

        shown = await boss.get(path)
        whole = await boss.fetch(shown.body["file"])
        tag = whole.headers["etag"]
        part = await boss.fetch(shown.body["file"], range="bytes=10-", **{"if-range": tag})

        assert (asked.status, early.code) == (201, "export_not_ready")
        assert whole.body == (desk.folder / done.file_name).read_bytes()
        assert (part.status, part.body) == (206, whole.body[10:])
        assert whole.headers["content-disposition"].startswith('attachment; filename="ledger-2026')

    async def test_serves_no_export_as_a_picture(self, app, desk):
        await desk.ask()
        done = await desk.write()

        answer = await app.test_client().get(f"/media/exports/{done.file_name}")

        assert answer.status_code == 404

    async def test_takes_an_export_back(self, boss, desk):
        asked = await desk.ask()
        await desk.write()

        canceled = await boss.delete(f"/v1/admin/exports/{asked.id}")

        assert canceled.body["export"]["state"] == "canceled"
        assert (await boss.get(f"/v1/admin/exports/{asked.id}/file")).code == "export_not_ready"
        assert len((await boss.get("/v1/admin/exports")).body["items"]) == 1


@pytest.mark.parametrize("kind", TABLES)
async def test_every_kind_of_file_can_be_written(desk, kind):
    assert await desk.rows(kind=kind, currency="EUR", only=("paid",)) == []
