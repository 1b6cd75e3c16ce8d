"""Disputes: from the first word of the cardholder to the bank's verdict."""

import pytest

from tests.contracts.stripe.account import refused


async def disputed(account, api, card="pm_card_createDispute"):
    paid = await account.paid(card, amount=2_000, currency="usd")
    listed = await api.disputes.list_async({"payment_intent": paid.id})
    return paid, listed.data[0]


class TestADispute:
    async def test_is_opened_by_the_documented_cards(self, account, api):
        if account.is_real:
            pytest.skip("Stripe opens it after a while")

        paid, dispute = await disputed(account, api)
        charge = await api.charges.retrieve_async(paid.latest_charge)

        assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
        assert (dispute.amount, dispute.charge) == (2_000, charge.id)
        assert charge.disputed is True
        assert dispute.evidence_details.due_by > dispute.created

    async def test_takes_the_money_and_a_fee(self, account, api, knobs):
        _, dispute = await disputed(account, api)

        movement = dispute.balance_transactions[0]
        assert (movement.type, movement.reporting_category) == ("adjustment", "dispute")
        assert (movement.amount, movement.fee) == (-2_000, 1_500)

    async def test_can_be_opened_on_demand(self, account, api, knobs):
        paid = await account.paid()

        await knobs(f"charges/{paid.latest_charge}/dispute", reason="product_not_received")

        listed = await api.disputes.list_async({"charge": paid.latest_charge})
        assert [each.reason for each in listed.data] == ["product_not_received"]

    async def test_bars_refunds(self, account, api, knobs):
        paid, _ = await disputed(account, api)

        error = await refused(api.refunds.create_async({"payment_intent": paid.id}))

        assert error.code == "charge_disputed"

    @pytest.mark.parametrize(
        ("evidence", "verdict", "movements"),
        [("winning_evidence", "won", [-2_000, 2_000]), ("losing_evidence", "lost", [-2_000])],
    )
    async def test_is_decided_by_the_evidence(
        self, account, api, knobs, evidence, verdict, movements
    ):
        _, dispute = await disputed(account, api)

        await api.disputes.update_async(
            dispute.id, {"evidence": {"uncategorized_text": evidence}, "submit": True}
        )

        decided = await api.disputes.retrieve_async(dispute.id)
        assert decided.status == verdict
        assert [each.amount for each in decided.balance_transactions] == movements

    async def test_may_be_prepared_before_it_is_answered(self, account, api, knobs):
        _, dispute = await disputed(account, api)

        draft = await api.disputes.update_async(
            dispute.id, {"evidence": {"customer_name": "Ada"}, "submit": False}
        )
        sent = await api.disputes.update_async(
            dispute.id, {"evidence": {"product_description": "A game"}}
        )

        assert (draft.status, draft.evidence_details.submission_count) == ("needs_response", 0)
        assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
        assert sent.evidence.customer_name == "Ada"

    async def test_can_be_given_up(self, account, api, knobs):
        _, dispute = await disputed(account, api)

        closed = await api.disputes.close_async(dispute.id)
        error = await refused(api.disputes.close_async(dispute.id))

        assert closed.status == "lost"
        assert error.http_status == 400

    async def test_as_an_inquiry_takes_no_money(self, account, api, knobs):
        paid, dispute = await disputed(account, api, "pm_card_createDisputeInquiry")

        refund = await api.refunds.create_async({"payment_intent": paid.id})

        assert dispute.status == "warning_needs_response"
        assert dispute.is_charge_refundable is True
        assert dispute.balance_transactions == []
        assert refund.status == "succeeded"

    async def test_tells_every_step(self, account, api, knobs):
        _, dispute = await disputed(account, api)

        await knobs(f"disputes/{dispute.id}/decide", verdict="won")

        assert await account.events_about(dispute.id) == [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
        ]


class TestAnEarlyFraudWarning:
    async def test_comes_with_the_documented_card(self, account, api, knobs):
        paid = await account.paid("pm_card_createIssuerFraudRecord")

        warnings = await api.radar.early_fraud_warnings.list_async({"payment_intent": paid.id})

        assert [each.actionable for each in warnings.data] == [True]
