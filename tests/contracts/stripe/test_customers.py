"""Customers, what they pay with, and cards set up for later."""

import stripe

from tests.contracts.stripe.account import RETURN_URL, refused


class TestACustomer:
    async def test_can_be_made_changed_found_and_deleted(self, account, api):
        email = "ada-of-the-contract@example.com"
        customer = await account.customer(email=email, name="Ada", metadata={"user": "usr_1"})

        changed = await api.customers.update_async(customer.id, {"name": "Ada L."})
        listed = await api.customers.list_async({"email": email})
        gone = await api.customers.delete_async(customer.id)
        after = await api.customers.retrieve_async(customer.id)

        assert customer.id.startswith("cus_")
        assert (changed.name, changed.email) == ("Ada L.", email)
        assert customer.id in [each.id for each in listed.data]
        assert gone.deleted is True
        assert after.deleted is True


class TestAPaymentMethod:
    async def test_can_be_attached_listed_and_detached(self, account, api):
        customer = await account.customer()

        method = await api.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        listed = await api.customers.payment_methods.list_async(customer.id, {"type": "card"})
        detached = await api.payment_methods.detach_async(method.id)
        after = await api.payment_methods.list_async({"customer": customer.id, "type": "card"})

        assert method.card.last4 == "4242"
        assert method.card.fingerprint
        assert [each.id for each in listed.data] == [method.id]
        assert detached.customer is None
        assert after.data == []

    async def test_is_not_used_again_once_detached(self, account, api):
        customer = await account.customer_with_card()
        method = customer.invoice_settings.default_payment_method
        await api.payment_methods.detach_async(method)

        attaching = await refused(
            api.payment_methods.attach_async(method, {"customer": customer.id})
        )
        paying = await refused(account.paid(method, customer=customer.id))
        after = await api.customers.retrieve_async(customer.id)

        assert attaching.http_status == 400
        assert paying.http_status == 400
        assert after.invoice_settings.default_payment_method is None

    async def test_of_one_customer_does_not_pay_for_another(self, account):
        owner = await account.customer_with_card()
        other = await account.customer()

        error = await refused(
            account.paid(owner.invoice_settings.default_payment_method, customer=other.id)
        )

        assert error.http_status == 400

    async def test_that_the_bank_refuses_is_not_attached(self, account, api):
        customer = await account.customer()

        error = await refused(
            api.payment_methods.attach_async(
                "pm_card_visa_chargeDeclined", {"customer": customer.id}
            ),
            stripe.CardError,
        )

        assert error.code == "card_declined"

    async def test_may_be_refused_only_when_it_is_charged(self, account):
        customer = await account.customer_with_card("pm_card_chargeCustomerFail")

        error = await refused(
            account.paid(customer.invoice_settings.default_payment_method, customer=customer.id),
            stripe.CardError,
        )

        assert error.code == "card_declined"

    async def test_is_never_made_of_a_number(self, api):
        error = await refused(
            api.payment_methods.create_async(
                {
                    "type": "card",
                    "card": {
                        "number": "4242424242424242",
                        "exp_month": 12,
                        "exp_year": 2034,
                        "cvc": "123",
                    },
                }
            )
        )

        assert error.http_status in {400, 402}

    async def test_is_kept_by_a_payment_that_asks_for_it(self, account, api):
        customer = await account.customer()

        paid = await account.paid(customer=customer.id, setup_future_usage="off_session")
        listed = await api.customers.payment_methods.list_async(customer.id)
        again = await account.paid(
            listed.data[0].id, customer=customer.id, off_session=True, amount=700
        )

        assert paid.payment_method == listed.data[0].id
        assert again.status == "succeeded"


class TestASetupIntent:
    async def test_keeps_a_card_for_later(self, account, api):
        customer = await account.customer()

        intent = await api.setup_intents.create_async(
            {
                "customer": customer.id,
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )
        later = await account.paid(intent.payment_method, customer=customer.id, off_session=True)

        assert (intent.status, intent.usage) == ("succeeded", "off_session")
        assert later.status == "succeeded"

    async def test_waits_for_a_card(self, account, api):
        intent = await api.setup_intents.create_async({"payment_method_types": ["card"]})

        error = await refused(api.setup_intents.confirm_async(intent.id))
        canceled = await api.setup_intents.cancel_async(intent.id)

        assert intent.status == "requires_payment_method"
        assert intent.client_secret.startswith(f"{intent.id}_secret_")
        assert error.http_status == 400
        assert canceled.status == "canceled"

    async def test_authenticates_once_for_all_later_payments(self, account, api, knobs):
        customer = await account.customer()
        intent = await api.setup_intents.create_async(
            {
                "customer": customer.id,
                "payment_method": "pm_card_authenticationRequiredOnSetup",
                "payment_method_types": ["card"],
                "confirm": True,
                "return_url": RETURN_URL,
            }
        )

        await knobs(f"setup_intents/{intent.id}/challenge", succeeds=True)

        done = await api.setup_intents.retrieve_async(intent.id)
        later = await account.paid(done.payment_method, customer=customer.id, off_session=True)
        assert intent.status == "requires_action"
        assert intent.next_action.redirect_to_url.return_url == RETURN_URL
        assert done.status == "succeeded"
        assert later.status == "succeeded"

    async def test_fails_if_the_cardholder_does(self, account, api, knobs):
        intent = await api.setup_intents.create_async(
            {
                "payment_method": "pm_card_authenticationRequired",
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )

        await knobs(f"setup_intents/{intent.id}/challenge", succeeds=False)

        failed = await api.setup_intents.retrieve_async(intent.id)
        assert failed.status == "requires_payment_method"
        assert failed.last_setup_error.code == "setup_intent_authentication_failure"

    async def test_is_refused_by_the_bank(self, account, api):
        customer = await account.customer()

        error = await refused(
            api.setup_intents.create_async(
                {
                    "customer": customer.id,
                    "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
                    "payment_method_types": ["card"],
                    "confirm": True,
                }
            ),
            stripe.CardError,
        )

        assert error.error.decline_code == "insufficient_funds"
        assert error.error.setup_intent.status == "requires_payment_method"
