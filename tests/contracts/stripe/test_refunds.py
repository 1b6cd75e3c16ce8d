"""Refunds, and what the balance says of them."""

import asyncio

import pytest

from tests.contracts.stripe.account import refused


class TestARefund:
    async def test_gives_everything_back_if_no_amount_is_said(self, account, api):
        paid = await account.paid()

        refund = await api.refunds.create_async(
            {"payment_intent": paid.id, "metadata": {"refund_id": "rfd_1"}}
        )
        charge = await api.charges.retrieve_async(paid.latest_charge)

        assert (refund.amount, refund.status) == (1250, "succeeded")
        assert (refund.charge, refund.payment_intent) == (charge.id, paid.id)
        assert refund.metadata["refund_id"] == "rfd_1"
        assert (charge.refunded, charge.amount_refunded) == (True, 1250)

    async def test_may_be_one_of_several(self, account, api):
        paid = await account.paid()

        for amount in (500, 300):
            await api.refunds.create_async({"payment_intent": paid.id, "amount": amount})
        rest = await api.refunds.create_async({"charge": paid.latest_charge})
        listed = await api.refunds.list_async({"payment_intent": paid.id})

        assert rest.amount == 450
        assert [each.amount for each in listed.data] == [450, 300, 500]

    async def test_is_never_more_than_is_left(self, account, api):
        paid = await account.paid()
        await api.refunds.create_async({"payment_intent": paid.id, "amount": 750})

        error = await refused(api.refunds.create_async({"payment_intent": paid.id, "amount": 501}))
        await api.refunds.create_async({"payment_intent": paid.id, "amount": 500})
        nothing_left = await refused(api.refunds.create_async({"payment_intent": paid.id}))

        assert error.http_status == 400
        assert error.param == "amount"
        assert nothing_left.code == "charge_already_refunded"

    async def test_is_never_more_than_is_left_even_in_parallel(self, account, api):
        paid = await account.paid(amount=10_000)
        calls = [
            api.refunds.create_async({"payment_intent": paid.id, "amount": 6_000}) for _ in range(4)
        ]

        answers = await asyncio.gather(*calls, return_exceptions=True)

        made = [each for each in answers if not isinstance(each, Exception)]
        assert [each.amount for each in made] == [6_000]

    async def test_is_never_more_than_was_captured(self, account, api):
        held = await account.paid(capture_method="manual")
        await api.payment_intents.capture_async(held.id, {"amount_to_capture": 1000})

        error = await refused(api.refunds.create_async({"payment_intent": held.id, "amount": 1001}))
        refund = await api.refunds.create_async({"payment_intent": held.id})

        assert error.http_status == 400
        assert refund.amount == 1000

    async def test_needs_a_payment(self, account, api):
        intent = await account.intent()

        error = await refused(api.refunds.create_async({"payment_intent": intent.id}))

        assert error.http_status == 400

    @pytest.mark.parametrize(
        ("card", "outcome"),
        [("pm_card_pendingRefund", "succeeded"), ("pm_card_refundFail", "failed")],
    )
    async def test_may_end_late(self, account, api, knobs, card, outcome):
        paid = await account.paid(card)
        refund = await api.refunds.create_async({"payment_intent": paid.id, "amount": 400})

        await knobs("clock", advance_seconds=60)
        await knobs("clock", run=True)

        ended = await api.refunds.retrieve_async(refund.id)
        assert ended.status == outcome

    async def test_that_fails_counts_no_longer(self, account, api, knobs):
        paid = await account.paid()
        refund = await api.refunds.create_async({"payment_intent": paid.id})

        await knobs(f"refunds/{refund.id}/settle", outcome="failed")

        failed = await api.refunds.retrieve_async(
            refund.id, {"expand": ["failure_balance_transaction"]}
        )
        charge = await api.charges.retrieve_async(paid.latest_charge)
        again = await api.refunds.create_async({"payment_intent": paid.id})
        assert failed.status == "failed"
        assert failed.failure_reason
        assert failed.failure_balance_transaction.amount == 1250
        assert (charge.refunded, charge.amount_refunded) == (False, 0)
        assert again.amount == 1250


class TestTheBalance:
    async def test_gets_what_was_paid_less_the_fee(self, account, api):
        paid = await account.paid(amount=10_000, currency="usd")

        charge = await api.charges.retrieve_async(
            paid.latest_charge, {"expand": ["balance_transaction"]}
        )
        movement = charge.balance_transaction

        assert (movement.type, movement.amount, movement.source) == ("charge", 10_000, charge.id)
        assert movement.fee > 0
        assert movement.net == movement.amount - movement.fee
        assert sum(each.amount for each in movement.fee_details) == movement.fee

    async def test_of_the_standin_takes_the_fee_it_states(self, account, api):
        if account.is_real:
            pytest.skip("fees differ between real accounts")
        paid = await account.paid(amount=10_000, currency="usd")

        movements = await api.balance_transactions.list_async({"source": paid.latest_charge})

        assert movements.data[0].fee == 320

    async def test_gives_a_refund_back_without_the_fee(self, account, api):
        paid = await account.paid()

        refund = await api.refunds.create_async(
            {"payment_intent": paid.id, "amount": 400, "expand": ["balance_transaction"]}
        )

        movement = refund.balance_transaction
        assert (movement.type, movement.amount, movement.fee) == ("refund", -400, 0)

    async def test_is_pending_first_and_can_be_paid_out_later(self, account, api, knobs):
        await account.paid("pm_card_bypassPending", amount=50_000, currency="nzd")
        await account.paid(amount=7_000, currency="nzd")

        balance = await api.balance.retrieve_async()
        error = await refused(api.payouts.create_async({"amount": 60_000, "currency": "nzd"}))
        payout = await api.payouts.create_async({"amount": 1_000, "currency": "nzd"})
        await knobs(f"payouts/{payout.id}/settle")
        paid_out = await api.payouts.retrieve_async(payout.id)

        available = {each.currency: each.amount for each in balance.available}
        pending = {each.currency: each.amount for each in balance.pending}
        assert available["nzd"] == 50_000 - 1_480
        assert pending["nzd"] == 7_000 - 233
        assert error.code == "balance_insufficient"
        assert paid_out.status == "paid"
