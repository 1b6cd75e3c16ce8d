"""Failures on demand: what a client sees when Stripe or the way to it breaks."""

import httpx
import pytest
import stripe

from tests.commerce.waiting import until
from tests.contracts.stripe.account import WAIT_SECONDS_MAX, new_key, refused

HASTY = httpx.Timeout(WAIT_SECONDS_MAX, read=0.5)
"""Hasty only once the call has been sent."""
ASKED = {"amount": 1250, "currency": "eur", "payment_method_types": ["card"]}


@pytest.fixture
def intents_of(api):
    """Count what a customer's attempts have left behind."""

    async def count(customer):
        return len((await api.payment_intents.list_async({"customer": customer.id})).data)

    return count


class TestACallThatIsLost:
    @pytest.mark.parametrize(
        ("kind", "effects"),
        [
            ("cut_before", 0),
            ("cut_after", 1),
            ("timeout_before", 0),
            ("timeout_after", 1),
        ],
    )
    async def test_may_or_may_not_have_been_carried_out(
        self, account, knobs, intents_of, kind, effects
    ):
        customer = await account.customer()
        hasty = account.client_with(timeout=HASTY, max_network_retries=0).v1
        await knobs("faults", kind=kind, method="POST", path="/v1/payment_intents", seconds=2)

        await refused(
            hasty.payment_intents.create_async({**ASKED, "customer": customer.id}),
            stripe.APIConnectionError,
        )

        async def is_carried_out():
            return await intents_of(customer) >= effects

        await until(is_carried_out)  # the client may have given up before
        assert await intents_of(customer) == effects

    async def test_is_carried_out_once_if_its_key_is_used_again(
        self, account, api, knobs, intents_of
    ):
        customer = await account.customer()
        asked, key = {**ASKED, "customer": customer.id}, {"idempotency_key": new_key()}
        await knobs("faults", kind="cut_after", method="POST", path="/v1/payment_intents")

        await refused(api.payment_intents.create_async(asked, key), stripe.APIConnectionError)
        intent = await api.payment_intents.create_async(asked, key)

        assert intent.status == "requires_payment_method"
        assert await intents_of(customer) == 1

    async def test_is_tried_again_by_the_client_itself(self, account, knobs, intents_of):
        customer = await account.customer()
        patient = account.client_with(max_network_retries=2).v1
        await knobs("faults", kind="cut_after", method="POST", path="/v1/payment_intents")

        intent = await patient.payment_intents.create_async({**ASKED, "customer": customer.id})

        assert intent.status == "requires_payment_method"
        assert await intents_of(customer) == 1


class TestAnErrorOfStripe:
    @pytest.mark.parametrize(("kind", "effects"), [("error", 0), ("error_after", 1)])
    async def test_says_nothing_of_what_was_done(
        self, account, api, knobs, intents_of, kind, effects
    ):
        customer = await account.customer()
        asked, key = {**ASKED, "customer": customer.id}, {"idempotency_key": new_key()}
        await knobs("faults", kind=kind, method="POST", path="/v1/payment_intents")

        first = await refused(api.payment_intents.create_async(asked, key), stripe.APIError)
        second = await refused(api.payment_intents.create_async(asked, key), stripe.APIError)

        assert (first.http_status, second.http_status) == (500, 500)
        assert second.headers["idempotent-replayed"] == "true"
        assert await intents_of(customer) == effects

    async def test_before_anything_began_may_be_tried_again(self, account, knobs):
        patient = account.client_with(max_network_retries=1).v1
        await knobs("faults", kind="overload", method="POST", path="/v1/payment_intents")

        intent = await patient.payment_intents.create_async(ASKED)

        assert intent.status == "requires_payment_method"


class TestTheRateLimit:
    async def test_says_how_long_to_wait(self, account, api, knobs):
        await knobs("faults", kind="rate_limit", path="/v1/customers", retry_after=7)

        error = await refused(api.customers.list_async(), stripe.RateLimitError)

        assert error.http_status == 429
        assert error.headers["retry-after"] == "7"


class TestAFault:
    async def test_meets_only_the_calls_it_is_for(self, account, api, knobs):
        await knobs("faults", kind="error", path="/v1/refunds", skip=1, count=1)
        paid = await account.paid()
        asked = {"payment_intent": paid.id, "amount": 100}

        await api.refunds.create_async(asked)
        error = await refused(api.refunds.create_async(asked))
        await api.refunds.create_async(asked)

        assert error.http_status == 500
