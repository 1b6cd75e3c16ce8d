"""Plans and subscriptions over HTTP."""

import pytest_asyncio

from commerce.app import create_app
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in
from tests.commerce.shop import ADA, BEN


@pytest_asyncio.fixture
async def app(database, redis, clock, shop):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def ben(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"), roles=("staff",))


async def subscribe(ada, shop):
    plan = await shop.plan()
    started = await ada.post("/v1/subscriptions", {"plan": plan.id}, **{"idempotency-key": "one"})
    await shop.pay(started.body["order"])
    await shop.follow(started.body["order"])
    return started.body["subscription"]["id"]


class TestPlans:
    async def test_are_made_by_staff_and_seen_by_everybody(self, app, ada, ben, shop):
        variant = await shop.add("Library")
        new = {
            "variant": variant,
            "title": "Library",
            "unit": "month",
            "prices": [{"currency": "EUR", "amount_minor": 900}],
            "entitlements": ["library"],
        }

        assert (await ada.post("/v1/admin/plans", new)).status == 403
        made = await ben.post("/v1/admin/plans", new)

        assert made.status == 201
        listed = await Caller(app).get("/v1/plans")
        assert [each["title"] for each in listed.body["items"]] == ["Library"]

        await ben.post(f"/v1/admin/plans/{made.body['id']}/end", None)
        assert (await ada.get("/v1/plans")).body["items"] == []
        assert (await ada.get(f"/v1/plans/{made.body['id']}")).body["active"] is False

    async def test_have_one_price_in_a_currency(self, ben, shop):
        price = {"currency": "EUR", "amount_minor": 900}
        new = {
            "variant": await shop.add("Library"),
            "title": "Library",
            "unit": "month",
            "prices": [price, price],
        }

        assert (await ben.post("/v1/admin/plans", new)).status == 422


class TestSubscriptions:
    async def test_begin_with_an_order_and_need_a_key(self, ada, shop):
        plan = await shop.plan()

        assert (await ada.post("/v1/subscriptions", {"plan": plan.id})).status == 400
        started = await ada.post(
            "/v1/subscriptions", {"plan": plan.id}, **{"idempotency-key": "one"}
        )

        assert started.status == 201
        assert started.body["subscription"]["state"] == "incomplete"
        order = await ada.get(f"/v1/orders/{started.body['order']}")
        assert order.body["order"]["subscription"] == started.body["subscription"]["id"]

    async def test_are_shown_with_what_was_charged_and_what_happened(self, ada, ben, shop):
        sub = await subscribe(ada, shop)

        found = await ada.get(f"/v1/subscriptions/{sub}")

        assert found.body["subscription"]["state"] == "active"
        assert [each["kind"] for each in found.body["charges"]] == ["start"]
        assert [each["fact"] for each in found.body["steps"]] == ["started", "activated"]
        assert [each["id"] for each in (await ada.get("/v1/subscriptions")).body["items"]] == [sub]
        assert (await ben.get(f"/v1/subscriptions/{sub}")).status == 404
        assert (await ada.get("/v1/entitlements")).body == {"items": ["basic"]}

    async def test_tell_what_a_change_costs_before_it_is_made(self, ada, shop):
        sub = await subscribe(ada, shop)
        pro = await shop.plan("Pro", price=3000)
        wanted = {"plan": pro.id}

        found = await ada.post(f"/v1/subscriptions/{sub}/preview", wanted)
        changed = await ada.post(
            f"/v1/subscriptions/{sub}/change", wanted, **{"idempotency-key": "two"}
        )

        assert found.body["due"] == {"amount_minor": 2000, "currency": "EUR"}
        assert changed.body["subscription"]["title"] == "Basic"
        assert changed.body["subscription"]["order"] == changed.body["order"]

    async def test_are_paused_resumed_and_ended(self, ada, shop):
        sub = await subscribe(ada, shop)
        states = [
            (await ada.post(f"/v1/subscriptions/{sub}/{act}", body)).body
            for act, body in (
                ("pause", {}),
                ("resume", None),
                ("cancel", {}),
                ("keep", None),
                ("cancel", {"when": "now"}),
            )
        ]

        assert [each["state"] for each in states] == [
            "paused",
            "active",
            "active",
            "active",
            "canceled",
        ]
        assert [each.get("cancels_at_period_end", False) for each in states] == [
            False,
            False,
            True,
            False,
            False,
        ]
        assert (await ada.post(f"/v1/subscriptions/{sub}/resume", None)).status == 409

    async def test_are_not_tried_again_if_nothing_is_owed(self, ada, shop):
        sub = await subscribe(ada, shop)

        again = await ada.post(
            f"/v1/subscriptions/{sub}/retry", None, **{"idempotency-key": "three"}
        )

        assert again.code == "illegal_subscription_step"
