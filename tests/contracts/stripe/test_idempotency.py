"""Idempotency keys: the same request twice is carried out once."""

import asyncio

import stripe

from tests.contracts.stripe.account import new_key, refused

ASKED = {"amount": 1250, "currency": "eur", "payment_method_types": ["card"]}


class TestTheSameKey:
    async def test_gives_the_same_answer_again(self, api):
        key = {"idempotency_key": new_key()}

        first = await api.payment_intents.create_async(ASKED, key)
        second = await api.payment_intents.create_async(ASKED, key)

        assert first.id == second.id
        assert second.last_response.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.last_response.headers

    async def test_gives_the_answer_as_it_was_then(self, api):
        key = {"idempotency_key": new_key()}
        first = await api.payment_intents.create_async(ASKED, key)
        await api.payment_intents.cancel_async(first.id)

        second = await api.payment_intents.create_async(ASKED, key)

        assert second.status == "requires_payment_method"

    async def test_gives_the_same_decline_again(self, account, api):
        key = {"idempotency_key": new_key()}
        intent = await account.intent()
        declined = {"payment_method": "pm_card_visa_chargeDeclined"}

        first = await refused(api.payment_intents.confirm_async(intent.id, declined, key))
        second = await refused(api.payment_intents.confirm_async(intent.id, declined, key))
        charges = await api.charges.list_async({"payment_intent": intent.id})

        assert isinstance(second, stripe.CardError)
        assert first.error.charge == second.error.charge
        assert len(charges.data) == 1

    async def test_refunds_once(self, account, api):
        paid = await account.paid()
        key = {"idempotency_key": new_key()}
        asked = {"payment_intent": paid.id, "amount": 500}

        first = await api.refunds.create_async(asked, key)
        second = await api.refunds.create_async(asked, key)
        charge = await api.charges.retrieve_async(paid.latest_charge)

        assert first.id == second.id
        assert charge.amount_refunded == 500

    async def test_is_refused_for_other_parameters(self, api):
        key = {"idempotency_key": new_key()}
        await api.payment_intents.create_async(ASKED, key)

        error = await refused(
            api.payment_intents.create_async({**ASKED, "amount": 9999}, key),
            stripe.IdempotencyError,
        )

        assert error.http_status == 400

    async def test_is_refused_for_another_address(self, api):
        key = {"idempotency_key": new_key()}
        await api.customers.create_async({}, key)

        error = await refused(api.products.create_async({}, key), stripe.StripeError)

        assert error.http_status == 400

    async def test_is_not_used_up_by_a_request_that_makes_no_sense(self, api):
        key = {"idempotency_key": new_key()}

        error = await refused(api.payment_intents.create_async({"currency": "eur"}, key))
        intent = await api.payment_intents.create_async(ASKED, key)

        assert error.code == "parameter_missing"
        assert intent.status == "requires_payment_method"

    async def test_carries_out_one_of_many_at_once(self, api):
        key = {"idempotency_key": new_key()}
        calls = [api.payment_intents.create_async(ASKED, key) for _ in range(8)]

        answers = await asyncio.gather(*calls, return_exceptions=True)

        made = {each.id for each in answers if not isinstance(each, Exception)}
        refusals = {each.http_status for each in answers if isinstance(each, Exception)}
        assert len(made) == 1
        assert refusals <= {409}


class TestAKeyInUse:
    async def test_is_refused_and_may_be_tried_again(self, account, api, knobs):
        key = {"idempotency_key": new_key()}
        await knobs("faults", kind="hold", method="POST", path="/v1/payment_intents")
        first = asyncio.create_task(api.payment_intents.create_async(ASKED, key))
        await knobs("held/1", verb="GET")

        error = await refused(api.payment_intents.create_async(ASKED, key))
        await knobs("release")
        made = await first
        again = await api.payment_intents.create_async(ASKED, key)

        assert error.http_status == 409
        assert error.error.code == "idempotency_key_in_use"
        assert error.headers["stripe-should-retry"] == "true"
        assert made.id == again.id


class TestWithoutAKey:
    async def test_the_same_request_is_carried_out_twice(self, account):
        first, second = await account.intent(), await account.intent()

        assert first.id != second.id


class TestAnOldKey:
    async def test_is_forgotten_after_a_day(self, api, knobs):
        key = {"idempotency_key": new_key()}
        first = await api.payment_intents.create_async(ASKED, key)

        await knobs("clock", advance_seconds=24 * 3600 + 1)
        second = await api.payment_intents.create_async(ASKED, key)
        await knobs("clock", run=True)

        assert first.id != second.id
