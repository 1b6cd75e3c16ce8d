import asyncio

import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.foundation.commands import Caller as CommandCaller
from commerce.orders.reactions import COMMANDS
from commerce.payments.adapters.stripe_gateway import StripeGateway
from commerce.settings import CommerceSettings
from protocol.commands import CancelOrder, OrderResult, PlaceOrder
from protocol.ids import OrderId, SessionId
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in
from tests.commerce.orders.gateways import ScriptedGateway
from tests.commerce.shop import ADA, BEN

KEY = "Idempotency-Key"


@pytest.fixture
def app(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def ben(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))


async def put(caller, variant, quantity=1, **more):
    return await caller.put(f"/v1/cart/lines/{variant}", {"quantity": quantity, **more})


async def place(caller, cart):
    return await caller.post("/v1/orders", {"cart_version": cart.body["version"]})


class TestTheCart:
    async def test_is_filled_and_read(self, ada, shop):
        variant = await shop.add(price=1900)

        filled = await put(ada, variant, 2)

        assert filled.status == 200
        assert (await ada.get("/v1/cart")).body == filled.body
        assert filled.body["total"] == {"amount_minor": 3800, "currency": "EUR"}

    async def test_says_which_version_it_is_at_to_a_tab_that_is_behind(self, ada, shop):
        variant = await shop.add()
        await put(ada, variant)

        behind = await put(ada, variant, 2, version=0)

        assert (behind.status, behind.code) == (409, "cart_changed_meanwhile")
        assert "version 1" in behind.body["detail"]

    @pytest.mark.parametrize("body", [{"quantity": 100}, {"quantity": -1}, {}, {"quantity": "2"}])
    async def test_refuses_quantities_there_are_not(self, ada, shop, body):
        variant = await shop.add()

        answer = await ada.put(f"/v1/cart/lines/{variant}", body)

        assert (answer.status, answer.code) == (422, "invalid")

    @pytest.mark.parametrize("variant", ["var_nothing", "prd_01JD0000000000000000000000", "%20"])
    async def test_refuses_what_is_not_sold(self, ada, shop, variant):
        assert (await put(ada, variant)).code == "variant_not_found"

    async def test_is_there_for_guests_too_but_orders_are_not(self, app, shop):
        assert (await Caller(app).get("/v1/cart")).body["lines"] == []
        assert (await Caller(app).post("/v1/orders", {"cart_version": 0})).status == 401


class TestAnOrder:
    async def test_is_placed_listed_shown_and_canceled(self, ada, shop):
        cart = await put(ada, await shop.add(price=1900, stock=3), 2)

        placed = await place(ada, cart)

        assert placed.status == 201
        assert placed.body["state"] == "awaiting_payment"
        listed = await ada.get("/v1/orders")
        assert listed.body == {"items": [placed.body], "next": None}
        shown = await ada.get(f"/v1/orders/{placed.body['id']}")
        assert shown.body["order"] == placed.body
        assert [(step["version"], step["type"]) for step in shown.body["events"]] == [
            (1, "order_placed")
        ]
        canceled = await ada.post(f"/v1/orders/{placed.body['id']}/cancel", None)
        assert canceled.body["state"] == "canceled"
        again = await ada.post(f"/v1/orders/{placed.body['id']}/cancel", None)
        assert (again.status, again.code) == (409, "illegal_transition")

    async def test_that_is_free_is_paid_at_once(self, ada, shop):
        placed = await place(ada, await put(ada, await shop.add(price=0)))

        shown = await ada.get(f"/v1/orders/{placed.body['id']}")

        assert [step["state"] for step in shown.body["events"]] == [
            "awaiting_payment",
            "paid",
        ]

    async def test_is_placed_once_by_a_request_that_is_repeated(self, ada, shop):
        cart = await put(ada, await shop.add())
        body = {"cart_version": cart.body["version"]}

        first = await ada.post("/v1/orders", body, **{KEY: "one-intent"})
        again = await ada.post("/v1/orders", body, **{KEY: "one-intent"})

        assert first.status == 201
        assert again == first
        assert len((await ada.get("/v1/orders")).body["items"]) == 1

    async def test_is_placed_once_by_two_tabs(self, ada, shop):
        cart = await put(ada, await shop.add())

        answers = await asyncio.gather(*(place(ada, cart) for _ in range(4)))

        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]

    async def test_of_somebody_else_cannot_be_seen(self, ada, ben, shop):
        placed = await place(ada, await put(ada, await shop.add()))
        path = f"/v1/orders/{placed.body['id']}"

        assert (await ben.get(path)).code == "order_not_found"
        assert (await ben.post(f"{path}/cancel", None)).code == "order_not_found"
        assert (await ben.get("/v1/orders")).body["items"] == []

    async def test_is_listed_page_by_page(self, ada, shop, clock):
        for number in range(3):
            clock.advance(seconds=1)
            await place(ada, await put(ada, await shop.add(f"No {number}", price=0)))

        first = (await ada.get("/v1/orders", limit=2)).body
        rest = (await ada.get("/v1/orders", limit=2, after=first["next"])).body

        numbers = [order["number"] for order in first["items"] + rest["items"]]
        assert numbers == ["R-2026-000003", "R-2026-000002", "R-2026-000001"]
        assert rest["next"] is None


class TestTheCommands:
    async def test_place_and_cancel_as_the_endpoints_do(self, shop):
        caller = CommandCaller(user=ADA, name="Ada", session=SessionId("ses_1"), key="key-00001")
        cart = await shop.put(await shop.add(stock=2))
        async with shop.database.transaction() as tx:
            placed = await COMMANDS[PlaceOrder](tx, caller, PlaceOrder(cart_version=cart.version))
            canceled = await COMMANDS[CancelOrder](
                tx, caller, CancelOrder(order=OrderId(placed.order))
            )

        assert placed == OrderResult(order=placed.order, number="R-2026-000001", version=1)
        assert canceled == OrderResult(order=placed.order, number="R-2026-000001", version=2)


class TestPayingAnOrder:
    @pytest.fixture
    def gateway(self, app, clock, monkeypatch):
        """Have the app's till take money as a test says."""
        gateway = ScriptedGateway(clock)
        monkeypatch.setattr(StripeGateway, "submit", lambda _, *a, **k: gateway.submit(*a, **k))
        monkeypatch.setattr(
            StripeGateway, "new_customer", lambda _, user: gateway.new_customer(user)
        )
        monkeypatch.setattr(StripeGateway, "cancel", lambda _, attempt: gateway.cancel(attempt))
        return gateway

    async def test_begins_with_what_the_browser_needs(self, ada, shop, gateway):
        placed = await place(ada, await put(ada, await shop.add(price=1900)))

        begun = await ada.post(
            f"/v1/orders/{placed.body['id']}/payments", {}, **{KEY: "pay-this-one"}
        )

        assert begun.status == 201
        assert begun.body["payment"]["state"] == "requires_method"
        assert begun.body["client_secret"]
        assert begun.body["order"]["state"] == "awaiting_payment"

    async def test_wants_an_idempotency_key(self, ada, shop, gateway):
        placed = await place(ada, await put(ada, await shop.add(price=1900)))

        refused = await ada.post(f"/v1/orders/{placed.body['id']}/payments", {})

        assert refused.status == 400
        assert gateway.calls == []

    async def test_is_not_for_others(self, ada, ben, shop, gateway):
        placed = await place(ada, await put(ada, await shop.add(price=1900)))

        refused = await ben.post(f"/v1/orders/{placed.body['id']}/payments", {}, **{KEY: "mine"})

        assert (refused.status, refused.code) == (404, "order_not_found")

    async def test_is_called_off_with_the_order(self, ada, shop, gateway):
        placed = await place(ada, await put(ada, await shop.add(price=1900)))
        path = f"/v1/orders/{placed.body['id']}"
        await ada.post(f"{path}/payments", {}, **{KEY: "pay-this-one"})

        canceled = await ada.post(f"{path}/cancel", None)

        assert canceled.body["state"] == "canceled"
        assert [each["state"] for each in gateway.intents.values()] == ["canceled"]

    async def test_is_refused_in_a_shop_without_an_account(self, ada, shop):
        placed = await place(ada, await put(ada, await shop.add(price=1900)))

        refused = await ada.post(
            f"/v1/orders/{placed.body['id']}/payments", {}, **{KEY: "pay-this-one"}
        )

        assert (refused.status, refused.code) == (503, "payments_closed")


class TestAQuoteByRest:
    async def test_is_asked_for_shown_and_ordered(self, ada, shop):
        cart = await put(ada, await shop.add(price=1900), 2)

        quoted = await ada.post(
            "/v1/quotes", {"cart_version": cart.body["version"], "country": "CA"}
        )
        shown = await ada.get(f"/v1/quotes/{quoted.body['id']}")
        placed = await ada.post("/v1/orders", {"quote": quoted.body["id"]})

        assert (quoted.status, shown.body) == (201, quoted.body)
        assert quoted.body["total"] == {"amount_minor": 3990, "currency": "EUR"}
        assert placed.body["total"] == quoted.body["total"]
        again = await ada.get(f"/v1/quotes/{quoted.body['id']}")
        assert again.body["order"] == placed.body["id"]

    @pytest.mark.parametrize(
        "body", [{}, {"quote": "quo_01JD0000000000000000000000", "cart_version": 1}]
    )
    async def test_and_a_cart_version_exclude_each_other(self, ada, body):
        assert (await ada.post("/v1/orders", body)).code == "invalid"

    async def test_asks_before_it_sells_something_again(self, ada, shop):
        variant = await shop.add(price=0)
        await place(ada, await put(ada, variant))
        cart = await put(ada, variant)
        body = {"cart_version": cart.body["version"]}

        assert (await ada.post("/v1/orders", body)).code == "already_owned"
        assert (await ada.post("/v1/orders", body | {"confirm_repeat": True})).status == 201


class TestTheTimelineOfAnOrder:
    async def test_goes_on_after_a_version(self, ada, shop):
        placed = await place(ada, await put(ada, await shop.add(price=0)))

        rest = await ada.get(f"/v1/orders/{placed.body['id']}", after_version=1)

        assert [step["version"] for step in rest.body["events"]] == [2]
