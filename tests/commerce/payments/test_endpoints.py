"""Who takes payments, and what a buyer keeps to pay with."""

import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.foundation.settings import StripeSettings
from commerce.settings import CommerceSettings
from protocol.views import Person
from shared.clock import SystemClock
from tests.commerce.caller import Caller, sign_in
from tests.commerce.payments.conftest import KEY
from tests.commerce.shop import ADA, BEN

METHODS = "/v1/payment-methods"


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture
def app(database, redis, clock, standin_url, stripe_api):
    settings = CommerceSettings(stripe=StripeSettings(api_key=KEY, url=standin_url))
    return create_app(settings, database=database, redis=redis, clock=clock, stripe=stripe_api)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def ben(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))


async def keep(caller, account, card="pm_card_visa", *, key="k1"):
    """Begin to keep a card, and give it as the browser would."""
    begun = await caller.post(METHODS, None, **{"Idempotency-Key": key})
    assert begun.status == 201, begun.body
    asked = {"payment_method": card, "return_url": "https://shop.example/back"}
    await account.api.setup_intents.confirm_async(begun.body["setup_intent"], asked)
    return begun.body


class TestWhoTakesPayments:
    async def test_is_told_to_anybody(self, app):
        told = await Caller(app).get("/v1/payments/config")

        assert told.body == {"taker": "stand_in", "publishable_key": "", "is_live": False}

    async def test_may_be_nobody(self, database, redis, clock):
        app = create_app(CommerceSettings(), database=database, redis=redis, clock=clock)

        assert (await Caller(app).get("/v1/payments/config")).body["taker"] == "nobody"

    async def test_is_stripe_with_a_key_of_its_own(self, database, redis, clock):
        stripe = StripeSettings(api_key="sk_test_a", publishable_key="pk_test_a")
        settings = CommerceSettings(stripe=stripe)
        app = create_app(settings, database=database, redis=redis, clock=clock)

        told = (await Caller(app).get("/v1/payments/config")).body

        assert (told["taker"], told["publishable_key"]) == ("stripe", "pk_test_a")


class TestMethods:
    async def test_are_none_at_first(self, ada):
        assert (await ada.get(METHODS)).body == {"items": []}

    async def test_are_kept_listed_preferred_and_forgotten(self, ada, account):
        begun = await keep(ada, account)
        assert begun["pay_url"].startswith(account.url)
        await keep(ada, account, "pm_card_mastercard", key="k2")
        kept = (await ada.get(METHODS)).body["items"]
        preferred = await ada.put(f"{METHODS}/{kept[1]['id']}/default", None)
        gone = await ada.delete(f"{METHODS}/{kept[0]['id']}")
        left = (await ada.get(METHODS)).body["items"]

        assert {each["brand"] for each in kept} == {"visa", "mastercard"}
        assert {each["is_default"] for each in kept} == {False}
        assert [each["is_default"] for each in preferred.body["items"]] == [False, True]
        assert gone.status == 204
        assert [each["id"] for each in left] == [kept[1]["id"]]

    async def test_show_no_more_of_a_card_than_its_end(self, ben, account):
        await keep(ben, account, key="k3")

        shown = (await ben.get(METHODS)).body["items"][0]

        assert set(shown) == {"id", "kind", "brand", "last4", "expires", "is_default"}
        assert len(shown["last4"]) == 4

    async def test_of_others_are_not_there(self, ada, ben, account):
        await keep(ada, account, key="k4")
        of_ada = (await ada.get(METHODS)).body["items"][0]

        taken = await ben.delete(f"{METHODS}/{of_ada['id']}")
        preferred = await ben.put(f"{METHODS}/{of_ada['id']}/default", None)

        assert (taken.code, preferred.code) == ("payment_method_not_found",) * 2
        assert of_ada in (await ada.get(METHODS)).body["items"]

    async def test_begin_once_for_each_key(self, ada):
        assert (await ada.post(METHODS, None)).code == "key_missing"
        first = await ada.post(METHODS, None, **{"Idempotency-Key": "k5"})
        second = await ada.post(METHODS, None, **{"Idempotency-Key": "k5"})

        assert first.body == second.body

    async def test_are_refused_by_a_shop_without_an_account(self, database, redis, clock):
        app = create_app(CommerceSettings(), database=database, redis=redis, clock=clock)
        ada = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))

        answer = await ada.post(METHODS, None, **{"Idempotency-Key": "k6"})

        assert (answer.status, answer.code) == (503, "payments_closed")
