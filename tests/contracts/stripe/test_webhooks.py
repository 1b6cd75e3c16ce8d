"""Events, and how endpoints hear of them."""

import pytest
import pytest_asyncio
import stripe

from tests.contracts.stripe.account import told_of
from tests.contracts.stripe.listener import Listener

CREATED = ["payment_intent.created"]


@pytest_asyncio.fixture
async def listener(account, api, knobs):
    """An endpoint that hears of new intents; everything is as before when the test has ended."""
    async with Listener() as listening:
        endpoint = await api.webhook_endpoints.create_async(
            {"url": listening.url, "enabled_events": CREATED}
        )
        listening.id, listening.secret = endpoint.id, endpoint.secret
        yield listening
        await api.webhook_endpoints.delete_async(endpoint.id)
        await knobs("webhooks")


class TestAnEndpoint:
    async def test_hears_signed_events(self, account, listener):
        intent = await account.intent()

        await listener.wait_heard(1)
        _, body, headers = listener.heard[0]
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], listener.secret)
        assert event.type == "payment_intent.created"
        assert event.data.object.id == intent.id
        assert event.api_version == stripe.api_version

    async def test_hears_only_what_it_asked_for(self, account, listener, knobs):
        await account.paid()

        await knobs("webhooks/idle", verb="GET")
        assert listener.types == CREATED

    async def test_cannot_be_fooled_with_another_body_or_secret(self, account, listener):
        await account.intent()

        await listener.wait_heard(1)
        _, body, headers = listener.heard[0]
        for forged, secret in ((body + b" ", listener.secret), (body, "whsec_other")):
            with pytest.raises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(forged, headers["stripe-signature"], secret)

    async def test_is_signed_to_with_both_secrets_while_one_is_rolled(
        self, account, listener, knobs
    ):
        rolled = await knobs(f"webhook_endpoints/{listener.id}/roll")
        await account.intent()

        await listener.wait_heard(1)
        _, body, headers = listener.heard[0]
        for secret in (listener.secret, rolled["secret"]):
            assert stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)

    async def test_hears_again_after_it_has_failed(self, account, listener, knobs):
        await knobs("webhooks", retry_seconds=[0.01, 0.01, 0.01])
        listener.answers = [500, 503]

        await account.intent()
        await knobs("webhooks/idle", verb="GET")

        assert len(listener.heard) == 3
        assert len({each["id"] for each in listener.events}) == 1

    async def test_is_given_up_after_the_last_retry(self, account, api, listener, knobs):
        await knobs("webhooks", retry_seconds=[0.01])
        listener.answers = [500, 500, 500]

        intent = await account.intent()
        await knobs("webhooks/idle", verb="GET")
        missed = await api.events.list_async({"delivery_success": False, "limit": 5})

        assert len(listener.heard) == 2
        assert missed.data[0].data.object.id == intent.id
        assert missed.data[0].pending_webhooks == 1


class TestTheKnobs:
    async def test_double_what_is_delivered(self, account, listener, knobs):
        await knobs("webhooks", copies=3)

        await account.intent()
        await knobs("webhooks/idle", verb="GET")

        assert len(listener.heard) == 3
        assert len({each["id"] for each in listener.events}) == 1

    async def test_hold_events_back_and_turn_their_order_round(self, account, listener, knobs):
        await knobs("webhooks", paused=True)
        made = [(await account.intent()).id for _ in range(3)]
        heard_while_paused = len(listener.heard)

        await knobs("webhooks", order="reversed")
        await knobs("webhooks/idle", verb="GET")

        assert heard_while_paused == 0
        assert [each["data"]["object"]["id"] for each in listener.events] == made[::-1]

    async def test_delay_events(self, account, listener, knobs):
        await knobs("webhooks", delay_seconds=0.2)

        await account.intent()

        await listener.wait_heard(1)

    async def test_lose_events(self, account, api, listener, knobs):
        await knobs("webhooks", lose=1)

        lost, kept = await account.intent(), await account.intent()
        await knobs("webhooks/idle", verb="GET")
        missed = await api.events.list_async({"delivery_success": False, "limit": 5})

        assert [each["data"]["object"]["id"] for each in listener.events] == [kept.id]
        assert missed.data[0].data.object.id == lost.id

    async def test_deliver_an_event_once_more(self, account, api, listener, knobs):
        await account.intent()
        await listener.wait_heard(1)

        await knobs(f"events/{listener.events[0]['id']}/send")

        await listener.wait_heard(2)
        assert listener.events[0]["id"] == listener.events[1]["id"]


class TestTheListOfEvents:
    async def test_tells_the_story_of_a_payment(self, account):
        paid = await account.paid()

        types = await account.events_about(paid.id)

        assert types == ["payment_intent.created", "payment_intent.succeeded"]

    async def test_tells_of_a_decline(self, account, api):
        intent = await account.intent()
        with pytest.raises(stripe.CardError):
            await api.payment_intents.confirm_async(
                intent.id, {"payment_method": "pm_card_visa_chargeDeclined"}
            )

        types = await account.events_about(intent.id)

        assert types == ["payment_intent.created", "payment_intent.payment_failed"]

    async def test_shows_an_object_as_it_was(self, account, api):
        intent = await account.intent(metadata={"at": "first"})
        await api.payment_intents.update_async(intent.id, {"metadata": {"at": "later"}})

        events = await api.events.list_async({"type": "payment_intent.created", "limit": 20})

        told = next(each for each in events.data if each.data.object.id == intent.id)
        assert told.data.object.metadata["at"] == "first"
        assert told.request.id.startswith("req_")

    async def test_goes_forward_from_the_last_one_known(self, account, api):
        await account.intent()
        newest = (await api.events.list_async({"limit": 1})).data[0]
        made = [(await account.intent()).id for _ in range(3)]

        missed = await api.events.list_async(
            {"ending_before": newest.id, "types": CREATED, "limit": 100}
        )

        assert [each.data.object.id for each in reversed(missed.data)] == made

    async def test_can_be_asked_for_a_time(self, account, api):
        intent = await account.intent()

        since = await api.events.list_async({"created": {"gte": intent.created}, "limit": 100})
        before = await api.events.list_async({"created": {"lt": intent.created}, "limit": 100})

        assert intent.id in [told_of(each) for each in since.data]
        assert intent.id not in [told_of(each) for each in before.data]
