"""Payment intents: their states, and what may happen in each."""

import pytest
import stripe

from tests.contracts.stripe.account import RETURN_URL, refused


class TestANewIntent:
    async def test_waits_for_a_payment_method(self, account):
        intent = await account.intent(metadata={"order_id": "ord_1"})

        assert intent.id.startswith("pi_")
        assert intent.status == "requires_payment_method"
        assert (intent.amount, intent.amount_received, intent.currency) == (1250, 0, "eur")
        assert intent.client_secret.startswith(f"{intent.id}_secret_")
        assert intent.metadata["order_id"] == "ord_1"
        assert intent.latest_charge is None
        assert intent.last_payment_error is None
        assert intent.livemode is False

    async def test_with_a_payment_method_waits_to_be_confirmed(self, account):
        intent = await account.intent(payment_method="pm_card_visa")

        assert intent.status == "requires_confirmation"
        assert intent.payment_method.startswith("pm_")

    async def test_offers_the_methods_of_the_account_when_none_are_named(self, api):
        intent = await api.payment_intents.create_async({"amount": 900, "currency": "usd"})

        assert intent.automatic_payment_methods.enabled is True
        assert intent.automatic_payment_methods.allow_redirects == "always"

    async def test_can_be_looked_up_and_listed(self, account, api):
        customer = await account.customer()
        first = await account.intent(customer=customer.id)
        second = await account.intent(customer=customer.id)

        found = await api.payment_intents.retrieve_async(first.id)
        listed = await api.payment_intents.list_async({"customer": customer.id})

        assert found.id == first.id
        assert [each.id for each in listed.data] == [second.id, first.id]

    async def test_that_does_not_exist_is_told(self, api):
        error = await refused(
            api.payment_intents.retrieve_async("pi_nothing"), stripe.InvalidRequestError
        )

        assert error.http_status == 404
        assert error.code == "resource_missing"

    async def test_can_be_changed_until_it_is_paid(self, account, api):
        intent = await account.intent(metadata={"keep": "1", "drop": "2"})

        changed = await api.payment_intents.update_async(
            intent.id, {"amount": 2000, "metadata": {"drop": "", "new": "3"}}
        )
        await api.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
        error = await refused(api.payment_intents.update_async(intent.id, {"amount": 3000}))

        assert changed.amount == 2000
        assert changed.metadata.to_dict() == {"keep": "1", "new": "3"}
        assert error.code == "payment_intent_unexpected_state"


class TestPaying:
    async def test_succeeds_with_a_good_card(self, account, api):
        intent = await account.intent()

        paid = await api.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
        )

        assert paid.status == "succeeded"
        assert paid.amount_received == 1250
        charge = paid.latest_charge
        assert charge.id.startswith(("ch_", "py_"))
        assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, True)
        assert charge.amount_captured == 1250
        assert charge.payment_method_details.card.last4 == "4242"
        assert charge.payment_intent == intent.id

    async def test_can_be_done_in_one_call(self, account):
        paid = await account.paid()

        assert paid.status == "succeeded"
        assert isinstance(paid.latest_charge, str)

    async def test_needs_a_payment_method(self, account, api):
        intent = await account.intent()

        error = await refused(api.payment_intents.confirm_async(intent.id))

        assert error.http_status == 400
        assert error.code == "payment_intent_unexpected_state"

    async def test_twice_is_refused(self, account, api):
        paid = await account.paid()

        error = await refused(
            api.payment_intents.confirm_async(paid.id, {"payment_method": "pm_card_visa"})
        )

        assert error.code == "payment_intent_unexpected_state"
        assert error.error.payment_intent.status == "succeeded"

    async def test_needs_a_way_back_if_methods_may_lead_away(self, api):
        asked = {
            "amount": 900,
            "currency": "usd",
            "automatic_payment_methods": {"enabled": True},
            "payment_method": "pm_card_visa",
            "confirm": True,
        }

        error = await refused(api.payment_intents.create_async(asked))
        paid = await api.payment_intents.create_async({**asked, "return_url": RETURN_URL})

        assert error.param == "return_url"
        assert paid.status == "succeeded"

    async def test_stays_on_the_page_if_redirects_are_switched_off(self, api):
        paid = await api.payment_intents.create_async(
            {
                "amount": 900,
                "currency": "usd",
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "payment_method": "pm_card_visa",
                "confirm": True,
            }
        )

        assert paid.status == "succeeded"

    @pytest.mark.parametrize(
        ("currency", "amount"), [("jpy", 1200), ("eur", 1200), ("usd", 1200), ("kwd", 1230)]
    )
    async def test_counts_in_the_minor_unit_of_each_currency(self, account, currency, amount):
        paid = await account.paid(currency=currency, amount=amount)

        assert (paid.status, paid.amount_received) == ("succeeded", amount)


class TestADeclinedCard:
    @pytest.mark.parametrize(
        ("card", "code", "decline_code"),
        [
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            (
                "pm_card_visa_chargeDeclinedInsufficientFunds",
                "card_declined",
                "insufficient_funds",
            ),
            ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
            ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
            ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
            (
                "pm_card_chargeDeclinedProcessingError",
                "processing_error",
                "processing_error",
            ),
        ],
    )
    async def test_says_why(self, account, card, code, decline_code):
        error = await refused(account.paid(card), stripe.CardError)

        assert error.http_status == 402
        assert error.code == code
        if code == "card_declined":
            assert error.error.decline_code == decline_code
        assert error.error.payment_intent.status == "requires_payment_method"

    async def test_leaves_the_intent_open_for_another(self, account, api):
        intent = await account.intent()
        await refused(
            api.payment_intents.confirm_async(
                intent.id, {"payment_method": "pm_card_visa_chargeDeclined"}
            ),
            stripe.CardError,
        )

        failed = await api.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
        paid = await api.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_visa"}
        )

        assert failed.status == "requires_payment_method"
        assert failed.last_payment_error.code == "card_declined"
        assert failed.latest_charge.status == "failed"
        assert failed.latest_charge.failure_code == "card_declined"
        assert failed.payment_method is None
        assert paid.status == "succeeded"
        assert paid.last_payment_error is None


class TestAuthenticating:
    async def test_sends_the_cardholder_to_the_bank(self, account):
        intent = await account.paid("pm_card_authenticationRequired", return_url=RETURN_URL)

        assert intent.status == "requires_action"
        assert intent.next_action.type == "redirect_to_url"
        assert intent.next_action.redirect_to_url.return_url == RETURN_URL
        assert intent.next_action.redirect_to_url.url.startswith("http")
        assert intent.amount_received == 0

    async def test_pays_when_the_cardholder_agrees(self, account, api, knobs):
        intent = await account.paid("pm_card_authenticationRequired", return_url=RETURN_URL)

        await knobs(f"payment_intents/{intent.id}/challenge", succeeds=True)

        paid = await api.payment_intents.retrieve_async(intent.id)
        assert paid.status == "succeeded"
        assert paid.next_action is None

    async def test_fails_when_the_cardholder_does_not(self, account, api, knobs):
        intent = await account.paid("pm_card_authenticationRequired", return_url=RETURN_URL)

        await knobs(f"payment_intents/{intent.id}/challenge", succeeds=False)

        failed = await api.payment_intents.retrieve_async(intent.id)
        assert failed.status == "requires_payment_method"
        assert failed.last_payment_error.code == "payment_intent_authentication_failure"

    async def test_may_still_end_in_a_decline(self, account, api, knobs):
        card = "pm_card_threeDSecureRequiredChargeDeclined"
        intent = await account.paid(card, return_url=RETURN_URL)

        await knobs(f"payment_intents/{intent.id}/challenge", succeeds=True)

        failed = await api.payment_intents.retrieve_async(intent.id)
        assert failed.status == "requires_payment_method"
        assert failed.last_payment_error.code == "card_declined"

    async def test_is_asked_for_by_the_merchant_too(self, account):
        options = {"card": {"request_three_d_secure": "any"}}

        intent = await account.paid("pm_card_threeDSecureOptional", payment_method_options=options)

        assert intent.status == "requires_action"

    async def test_is_not_possible_when_nobody_is_there(self, account):
        customer = await account.customer_with_card("pm_card_authenticationRequired")

        error = await refused(
            account.paid(
                customer.invoice_settings.default_payment_method,
                customer=customer.id,
                off_session=True,
            ),
            stripe.CardError,
        )

        assert error.code == "authentication_required"
        assert error.error.payment_intent.status == "requires_payment_method"

    async def test_can_be_refused_beforehand(self, account):
        error = await refused(
            account.paid("pm_card_authenticationRequired", error_on_requires_action=True),
            stripe.CardError,
        )

        assert error.code == "authentication_required"


class TestCapturingLater:
    async def test_holds_the_money_first(self, account, api):
        held = await account.paid(capture_method="manual")
        charge = await api.charges.retrieve_async(held.latest_charge)

        assert (held.status, held.amount_capturable) == ("requires_capture", 1250)
        assert (charge.captured, charge.paid) == (False, True)

    async def test_takes_all_or_a_part(self, account, api):
        whole = await account.paid(capture_method="manual")
        part = await account.paid(capture_method="manual")

        whole = await api.payment_intents.capture_async(whole.id)
        part = await api.payment_intents.capture_async(part.id, {"amount_to_capture": 1000})

        assert (whole.status, whole.amount_received) == ("succeeded", 1250)
        assert (part.status, part.amount_received, part.amount_capturable) == ("succeeded", 1000, 0)

    async def test_takes_no_more_than_was_held(self, account, api):
        held = await account.paid(capture_method="manual")

        error = await refused(
            api.payment_intents.capture_async(held.id, {"amount_to_capture": 1251})
        )

        assert error.code == "amount_too_large"

    async def test_is_done_once(self, account, api):
        held = await account.paid(capture_method="manual")
        await api.payment_intents.capture_async(held.id)

        error = await refused(api.payment_intents.capture_async(held.id))

        assert error.code == "payment_intent_unexpected_state"

    async def test_is_not_possible_once_let_go(self, account, api):
        held = await account.paid(capture_method="manual")

        canceled = await api.payment_intents.cancel_async(held.id)
        error = await refused(api.payment_intents.capture_async(held.id))

        assert (canceled.status, canceled.amount_capturable) == ("canceled", 0)
        assert error.code == "payment_intent_unexpected_state"


class TestCancelling:
    async def test_ends_an_open_intent(self, account, api):
        intent = await account.intent()

        canceled = await api.payment_intents.cancel_async(
            intent.id, {"cancellation_reason": "abandoned"}
        )
        error = await refused(
            api.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
        )

        assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
        assert canceled.canceled_at is not None
        assert error.code == "payment_intent_unexpected_state"

    async def test_does_not_undo_a_payment(self, account, api):
        paid = await account.paid()

        error = await refused(api.payment_intents.cancel_async(paid.id))

        assert error.code == "payment_intent_unexpected_state"


class TestABankDebit:
    async def test_is_processing_until_the_bank_has_answered(self, account, api, knobs):
        late = {"payment_method_types": ["us_bank_account"], "currency": "usd"}
        good = await account.paid("pm_usBankAccount_success", **late)
        bad = await account.paid("pm_usBankAccount_insufficientFunds", **late)

        await knobs(f"payment_intents/{good.id}/settle")
        await knobs(f"payment_intents/{bad.id}/settle")

        assert (good.status, bad.status) == ("processing", "processing")
        good = await api.payment_intents.retrieve_async(good.id)
        bad = await api.payment_intents.retrieve_async(bad.id)
        assert (good.status, good.amount_received) == ("succeeded", 1250)
        assert bad.status == "requires_payment_method"
        assert bad.last_payment_error.decline_code == "insufficient_funds"
