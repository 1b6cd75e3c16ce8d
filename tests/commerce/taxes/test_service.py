"""Rates by country, class and day, and the staff's door to them."""

from datetime import date

import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.settings import CommerceSettings
from commerce.taxes import service as taxes
from commerce.taxes.errors import TaxRateExistsError
from commerce.taxes.model import NO_TAX, TaxRate
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in
from tests.commerce.shop import ADA

NEW = TaxRate(
    country="DE",
    tax_class="digital",
    valid_from=date(2040, 1, 1),
    valid_until=None,
    name="USt. 21 %",
    rate_ppm=210_000,
    is_inclusive=True,
)


async def ppm(database, country, day, tax_class="digital"):
    async with database.transaction() as tx:
        return (await taxes.rates(tx, country, day)).rate(tax_class).rate_ppm


class TestARate:
    @pytest.mark.parametrize(
        ("day", "rate_ppm"),
        [
            (date(2020, 6, 30), 190_000),
            (date(2020, 7, 1), 160_000),
            (date(2020, 12, 31), 160_000),
            (date(2021, 1, 1), 190_000),
        ],
    )
    async def test_holds_on_its_days(self, database, day, rate_ppm):
        assert await ppm(database, "DE", day) == rate_ppm

    async def test_is_that_of_the_class_and_else_that_of_most_goods(self, database):
        day = date(2026, 1, 1)

        assert await ppm(database, "DE", day, "books") == 70_000
        assert await ppm(database, "DE", day, "maps") == 190_000
        assert await ppm(database, "GB", day, "books") == 0

    async def test_is_none_where_there_is_no_table(self, database):
        async with database.transaction() as tx:
            table = await taxes.rates(tx, "US", date(2026, 1, 1))

        assert table.rate("digital") == NO_TAX

    async def test_ends_where_the_next_one_begins(self, database):
        async with database.transaction() as tx:
            await taxes.add(tx, NEW)

        assert await ppm(database, "DE", date(2039, 12, 31)) == 190_000
        assert await ppm(database, "DE", date(2040, 1, 1)) == 210_000

    async def test_that_was_used_stays(self, database):
        async with database.transaction() as tx:
            await taxes.add(tx, NEW)
            with pytest.raises(TaxRateExistsError):
                await taxes.add(tx, NEW)


@pytest_asyncio.fixture
async def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


class TestTheDoor:
    async def test_lists_the_countries_to_anybody(self, app):
        answer = await Caller(app).get("/v1/tax-countries")

        assert {"DE", "FR", "JP"} <= set(answer.body["items"])

    async def test_lets_staff_add_a_rate_and_see_all(self, app, redis, clock):
        staff = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"), roles=("staff",))
        rate = {
            "country": "US",
            "tax_class": "digital",
            "valid_from": "2026-01-01",
            "name": "Sales tax",
            "rate_ppm": 80_000,
            "is_inclusive": False,
        }

        assert (await staff.post("/v1/admin/tax-rates", rate)).status == 201
        assert (await staff.post("/v1/admin/tax-rates", rate)).code == "tax_rate_exists"
        never = rate | {"valid_from": "2027-01-01", "valid_until": "2027-01-01"}
        assert (await staff.post("/v1/admin/tax-rates", never)).status == 422
        listed = await staff.get("/v1/admin/tax-rates", country="US")
        assert [each["rate_ppm"] for each in listed.body["items"]] == [80_000]

    async def test_is_closed_to_others(self, app, redis, clock):
        buyer = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))

        assert (await buyer.get("/v1/admin/tax-rates")).status == 403
