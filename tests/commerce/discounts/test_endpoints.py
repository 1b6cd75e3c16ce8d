"""The staff's door to discounts."""

import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in
from tests.commerce.shop import ADA

PATH = "/v1/admin/discounts"


@pytest_asyncio.fixture
async def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def staff(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"), roles=("staff",))


class TestStaff:
    async def test_make_list_and_end_discounts(self, staff, clock):
        made = await staff.post(PATH, {"code": "spring", "percent_ppm": 200_000})
        assert (made.status, made.body["code"], made.body["kind"]) == (201, "SPRING", "percent")

        ended = await staff.post(f"{PATH}/{made.body['id']}/end", None)
        assert ended.status == 200
        assert ended.body["ends_at_ms"] == made.body["starts_at_ms"]

        listed = await staff.get(PATH)
        assert [each["code"] for each in listed.body["items"]] == ["SPRING"]

    async def test_are_told_that_a_code_is_taken(self, staff):
        await staff.post(PATH, {"code": "SPRING", "percent_ppm": 1})

        assert (await staff.post(PATH, {"code": "spring", "percent_ppm": 2})).code == (
            "discount_code_taken"
        )

    @pytest.mark.parametrize(
        "facts",
        [
            {},
            {"percent_ppm": 1, "amount_minor": 5, "currency": "EUR"},
            {"amount_minor": 5},
            {"currency": "EUR", "percent_ppm": 1},
            {"percent_ppm": 0},
            {"percent_ppm": 1_000_001},
            {
                "percent_ppm": 1,
                "starts_at": "2026-01-02T00:00:00Z",
                "ends_at": "2026-01-01T00:00:00Z",
            },
        ],
    )
    async def test_are_told_what_is_no_discount(self, staff, facts):
        assert (await staff.post(PATH, {"code": "SPRING"} | facts)).status == 422

    async def test_are_told_that_there_is_no_such_product_or_discount(self, staff):
        nowhere = "01JD0000000000000000000000"
        asked = {"code": "SPRING", "percent_ppm": 1, "product": f"prd_{nowhere}"}

        assert (await staff.post(PATH, asked)).code == "product_not_found"
        assert (await staff.post(f"{PATH}/dsc_{nowhere}/end", None)).code == "discount_not_found"


class TestOthers:
    async def test_are_kept_out(self, app, redis, clock):
        buyer = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))

        assert (await buyer.get(PATH)).status == 403
        assert (await buyer.post(PATH, {"code": "SPRING", "percent_ppm": 1})).status == 403
        assert (await Caller(app).get(PATH)).status == 401
