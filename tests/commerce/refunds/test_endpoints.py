import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.refunds.settings import RefundSettings
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import sign_in
from tests.commerce.shop import ADA, BEN


@pytest.fixture
def auto_days():
    return 0


@pytest.fixture
def app(database, redis, clock, auto_days):
    settings = CommerceSettings(refunds=RefundSettings(auto_days=auto_days))
    return create_app(settings, database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def ben(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))


def key(text):
    return {"Idempotency-Key": text}


class TestABuyer:
    async def test_asks_for_a_line_and_takes_it_back(self, shop, ada):
        order = await shop.paid(1000, 250)
        wanted = {"lines": [{"line": order.lines[0].id}], "reason": "it broke"}

        asked = await ada.post(f"/v1/orders/{order.id}/refunds", wanted, **key("one"))
        again = await ada.post(f"/v1/orders/{order.id}/refunds", wanted, **key("one"))
        other = await ada.post(f"/v1/orders/{order.id}/refunds", {}, **key("two"))
        request = asked.body["request"]
        withdrawn = await ada.post(f"/v1/refunds/{request['id']}/withdraw", None)

        assert (asked.status, again.body, other.code) == (
            201,
            asked.body,
            "refund_asked_already",
        )
        assert asked.body["refund"] is None
        assert request["amount"] == {
            "amount_minor": order.lines[0].total_minor,
            "currency": "EUR",
        }
        assert withdrawn.body["state"] == "withdrawn"

    async def test_must_give_a_key(self, shop, ada):
        order = await shop.paid(1000)

        assert (await ada.post(f"/v1/orders/{order.id}/refunds", {})).status == 400

    @pytest.mark.parametrize("auto_days", [14])
    async def test_is_given_the_money_at_once_where_the_shop_allows(self, shop, ada):
        order = await shop.paid(1000)

        asked = await ada.post(f"/v1/orders/{order.id}/refunds", {}, **key("one"))
        listed = await ada.get(f"/v1/orders/{order.id}/refunds")

        assert asked.body["refund"]["state"] == "reserved"
        assert listed.body["refunds"] == [asked.body["refund"]]
        assert [each["state"] for each in listed.body["requests"]] == ["approved"]

    @pytest.mark.parametrize(
        ("wanted", "code"),
        [
            ({"amount_minor": 1001}, "refund_too_large"),
            ({"amount_minor": 0}, "invalid"),
            ({"lines": [{"line": "lin_x"}]}, "refund_too_large"),
            ({"everything": True}, "invalid"),
        ],
    )
    async def test_is_refused_what_does_not_fit(self, shop, ada, wanted, code):
        order = await shop.paid(1000)

        answer = await ada.post(f"/v1/orders/{order.id}/refunds", wanted, **key("one"))

        assert answer.code == code

    async def test_sees_nothing_of_the_order_of_another(self, shop, ben):
        order = await shop.paid(1000)

        assert (await ben.get(f"/v1/orders/{order.id}/refunds")).status == 404
        asked = await ben.post(f"/v1/orders/{order.id}/refunds", {}, **key("one"))
        assert asked.code == "order_not_found"
