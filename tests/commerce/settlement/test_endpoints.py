"""Where Stripe tells us what happened."""

import asyncio

import pytest

from commerce.app import create_app
from commerce.foundation.settings import StripeSettings
from commerce.settings import CommerceSettings
from commerce.settlement import service
from commerce.settlement.endpoints import WEBHOOK_BYTES_MAX
from tests.commerce.chat.test_statements import statements_of
from tests.commerce.settlement.test_model import an_event, header
from tests.fakes.clock import SettableClock

PATH = "/v1/webhooks/stripe"


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def client(database, redis, clock):
    stripe = StripeSettings(webhook_secrets=("whsec_new", "whsec_a"))
    settings = CommerceSettings(stripe=stripe)
    return create_app(settings, database=database, redis=redis, clock=clock).test_client()


async def tell(client, raw, signature=None):
    headers = {"stripe-signature": header(raw) if signature is None else signature}
    return await client.post(PATH, data=raw, headers=headers)


async def count(database, state):
    async with database.transaction() as tx:
        return await service.count_waiting(tx, state)


class TestAWebhook:
    async def test_is_written_down_before_it_is_answered(self, client, database):
        answer = await tell(client, an_event())

        assert answer.status_code == 200
        assert await count(database, "pending") == 1

    async def test_takes_one_statement(self, database):
        async with database.transaction() as tx:
            await service.accept(tx, an_event(id="evt_0"), is_live=False)
            with statements_of(tx) as sent:
                await service.accept(tx, an_event(), is_live=False)

        assert len(sent) == 1

    async def test_that_comes_many_times_at_once_is_written_down_once(self, client, database):
        answers = await asyncio.gather(*(tell(client, an_event()) for _ in range(6)))

        assert {answer.status_code for answer in answers} == {200}
        assert await count(database, "pending") == 1

    @pytest.mark.parametrize("kind", ["invoice.paid", "made.up"])
    async def test_of_no_concern_is_written_down_as_such(self, client, database, kind):
        assert (await tell(client, an_event(kind))).status_code == 200
        assert (await count(database, "ignored"), await count(database, "pending")) == (1, 0)

    @pytest.mark.parametrize("signature", ["", "t=1,v1=00", header(an_event(), age=-61)])
    async def test_without_a_good_signature_is_refused(self, client, database, signature):
        answer = await tell(client, an_event(), signature)

        assert (answer.status_code, (await answer.get_json())["code"]) == (400, "bad_signature")
        assert await count(database, "pending") == 0

    async def test_of_the_live_account_is_refused_by_a_test_shop(self, client):
        answer = await tell(client, an_event(livemode=True))

        assert (answer.status_code, (await answer.get_json())["code"]) == (400, "not_our_event")

    async def test_may_be_as_large_as_stripes_are(self, client):
        large = an_event(data={"object": {"id": "pi_1", "note": "x" * 200_000}})

        assert (await tell(client, large)).status_code == 200
        assert (await tell(client, b"x" * (WEBHOOK_BYTES_MAX + 1))).status_code == 413

    async def test_finds_no_door_in_a_shop_without_secrets(self, database, redis, clock):
        app = create_app(CommerceSettings(), database=database, redis=redis, clock=clock)

        assert (await tell(app.test_client(), an_event())).status_code == 400
