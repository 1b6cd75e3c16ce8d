"""Requests that move money, whose web process is killed half way, and which nobody repeats."""

import asyncio
import re
import signal
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio

from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.model import User
from commerce.app import create_app, doors, web_context
from commerce.foundation.completing import Completer
from commerce.foundation.settings import StripeSettings
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import sign_in
from tests.commerce.payments.conftest import KEY
from tests.commerce.settlement.test_races import worker_variables
from tests.commerce.shop import ADA
from tests.commerce.test_programs import Program
from tests.commerce.waiting import until

pytestmark = pytest.mark.usefixtures("in_order")

NAMED = {"Idempotency-Key": "k1"}
METHODS = "/v1/payment-methods"
OVER = """
    update idempotency_keys
       set lease_until = now() - interval '1 s', resume_at = now() - interval '1 s'
     where status is null
"""


class TestAWebProcessKilledHalfWay:
    @pytest.mark.parametrize("kind", ["hold", "timeout_after"])
    async def test_through_a_payment_is_made_good_by_the_next_one(
        self, till, account, kind, token, variables, tmp_path
    ):
        """It is killed before Stripe did anything (`hold`), or after and before it heard."""
        order = await till.order()
        path = f"/v1/orders/{order.id}/payments"
        intents = {"method": "POST", "path": "/v1/payment_intents"}
        await account.control("faults", kind=kind, seconds=30, **intents)
        async with shop_on(variables, tmp_path / "first") as (first, client):
            asking = asyncio.create_task(ask(client, path, token, {}))
            if kind == "hold":
                await account.control("held/1", verb="GET")
            else:
                await until(lambda: intents_of(account, order))
            await kill(first, asking)
        await account.control("release")
        await account.control("faults", verb="DELETE")
        before = await standing(till.database)
        await lease_is_over(till.database)

        async with shop_on(variables, tmp_path / "second") as (_, client):
            await until(lambda: is_answered(till.database), seconds_max=60)
            answer = await ask(client, path, token, {})

        assert before == ("payment_opened", None)
        assert (answer.status_code, answer.headers["idempotency-replayed"]) == (201, "true")
        assert answer.json()["client_secret"]
        assert len(await intents_of(account, order)) == 1

    async def test_through_a_cancellation_is_made_good_by_the_next_one(
        self, till, account, token, variables, tmp_path
    ):
        order = await till.order()
        attempt = await till.open(order, method=None)
        attempt = await till.record(attempt, await till.submit(attempt))
        path = f"/v1/payment_intents/{attempt.intent_id}/cancel"
        await account.control("faults", kind="hold", method="POST", path=path)
        asked = f"/v1/orders/{order.id}/cancel"
        async with shop_on(variables, tmp_path / "first") as (first, client):
            asking = asyncio.create_task(ask(client, asked, token))
            await account.control("held/1", verb="GET")
            await kill(first, asking)
        await account.control("release")
        await account.control("faults", verb="DELETE")
        before = (await standing(till.database), await till.state(order))
        await lease_is_over(till.database)

        async with shop_on(variables, tmp_path / "second") as (_, client):
            await until(lambda: is_answered(till.database), seconds_max=60)
            answer = await ask(client, asked, token)

        assert before == (("canceling", None), "awaiting_payment")
        assert await till.state(order) == "canceled"
        assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
        assert answer.headers["idempotency-replayed"] == "true"


class TestARequestBrokenOff:
    async def test_after_its_order_was_canceled_is_answered_with_the_canceled_order(
        self, till, ada, completer
    ):
        order = await till.order()
        attempt = await till.open(order, method=None)
        attempt = await till.record(attempt, await till.submit(attempt))
        path = f"/v1/orders/{order.id}/cancel"
        first = await ada.post(path, None, **NAMED)
        await forget_answer(till.database, "orders.cancel", order=order.id)

        taken = await completer.complete_due()
        answer = await ada.post(path, None, **NAMED)

        assert (taken, answer) == (1, first)
        assert answer.body["state"] == "canceled"

    async def test_after_a_method_was_begun_begins_no_other(self, till, ada, completer):
        first = await ada.post(METHODS, None, **NAMED)
        await forget_answer(till.database, "payments.begin_method")

        assert await completer.complete_due() == 1
        again = await ada.post(METHODS, None, **NAMED)
        assert (again.status, again.body) == (201, first.body)

    async def test_after_a_method_was_forgotten_is_answered_as_if_it_had_not(
        self, till, account, ada, completer
    ):
        for kept in (await ada.get(METHODS)).body["items"]:  # of other tests of this run
            await ada.delete(f"{METHODS}/{kept['id']}")
        begun = await ada.post(METHODS, None, **{"Idempotency-Key": "k0"})
        given = {"payment_method": "pm_card_visa", "return_url": "https://shop.example"}
        await account.api.setup_intents.confirm_async(begun.body["setup_intent"], given)
        (kept,) = (await ada.get(METHODS)).body["items"]
        path = f"{METHODS}/{kept['id']}"
        assert (await ada.delete(path, **NAMED)).status == 204
        await forget_answer(till.database, "payments.detach", method=kept["id"])

        assert await completer.complete_due() == 1
        assert (await ada.delete(path, **NAMED)).status == 204
        assert (await ada.delete(path)).status == 404


@pytest.fixture
def variables(standin_url, database_url, redis_url):
    more = {"RIALTO_WEB_PORT": "0", "RIALTO_WEB_OPERATOR_PORT": "0"}
    return worker_variables(standin_url, database_url, redis_url) | more


@pytest.fixture
def settings(standin_url):
    return CommerceSettings(stripe=StripeSettings(api_key=KEY, url=standin_url))


@pytest_asyncio.fixture
async def token(redis, clock):
    user = User(id=ADA, email="ada@example.org", name="Ada")
    token, _ = await RedisSessions(redis, clock).begin(user)
    return token


@pytest_asyncio.fixture
async def ada(settings, database, redis, clock, stripe_api):
    app = create_app(settings, database=database, redis=redis, clock=clock, stripe=stripe_api)
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest.fixture
def completer(settings, database, redis, clock, stripe_api):
    context = web_context(settings, database=database, redis=redis, clock=clock, stripe=stripe_api)
    return Completer(doors(settings), context)


@asynccontextmanager
async def shop_on(variables, log):
    """Run the web program; give it and a client of it."""
    program = Program("web", variables, log)
    try:
        await program.operator_address()
        address = await until(lambda: shop_address(program), seconds_max=60)
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as client:
            yield program.process, client
    finally:
        program.process.kill()
        program.process.wait(timeout=15)


async def shop_address(program):
    opened = [line for line in program.lines() if line["event"] == "port.opened"]
    return next((line["address"] for line in opened if line["app"] == "commerce"), None)


async def ask(client, path, token, body=None):
    headers = {"authorization": f"Bearer {token}"} | NAMED
    return await client.post(path, json=body, headers=headers)


async def kill(process, asking):
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=15)
    (gone,) = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(gone, httpx.TransportError)


async def intents_of(account, order):
    intents = (await account.api.payment_intents.list_async({"limit": 100})).data
    return [each for each in intents if each.metadata.to_dict().get("rialto_order") == order.id]


async def lease_is_over(database):
    async with database.transaction() as tx:
        await tx.execute(OVER)


async def forget_answer(database, route, **path):
    """Make a request as if its process had been killed just before it wrote its answer down."""
    principal = {"user": ADA, "name": "Ada", "session": "ses_1", "roles": []}
    request = {"route": route, "path": path, "query": {}, "body": "", "principal": principal}
    async with database.transaction() as tx:
        await tx.execute(
            """
            update idempotency_keys
               set status = null, headers = null, body = null, request = $1, lease_until = now(),
                   resume_at = now()
             where key = 'k1'
            """,
            request,
        )
    await lease_is_over(database)


async def standing(database):
    async with database.transaction() as tx:
        told = await tx.value(
            str, "select recovery_point || ' ' || coalesce(status::text, '') from idempotency_keys"
        )
    point, status = re.split(" ", told)
    return point, int(status) if status else None


async def is_answered(database):
    return (await standing(database))[1] is not None
