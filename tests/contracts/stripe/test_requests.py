"""What every request shares: keys, versions, parameters, lists, expansion."""

import pytest
import stripe

from tests.contracts.stripe.account import Account, refused


class TestAKey:
    async def test_that_is_wrong_is_refused(self, account):
        stranger = Account(url=account.url, secret_key="sk_test_of_nobody_at_all")

        error = await refused(stranger.intent(), stripe.AuthenticationError)
        await stranger.close()

        assert error.http_status == 401


class TestAnAnswer:
    async def test_names_its_request_and_the_version(self, account):
        intent = await account.intent()

        assert intent.last_response.headers["request-id"].startswith("req_")
        assert intent.last_response.headers["stripe-version"] == stripe.api_version


class TestAParameter:
    @pytest.mark.parametrize(
        ("changes", "code", "param"),
        [
            ({"nonsense": "1"}, "parameter_unknown", "nonsense"),
            ({"amount": "much"}, "parameter_invalid_integer", "amount"),
            ({"amount": 1}, "amount_too_small", "amount"),
            ({"amount": 100_000_000}, "amount_too_large", "amount"),
            ({"currency": "xyz"}, None, "currency"),
            ({"customer": "cus_nobody"}, "resource_missing", "customer"),
            ({"payment_method": "pm_nothing"}, "resource_missing", "payment_method"),
            ({"payment_method": "pm_card_visa", "off_session": True}, None, "off_session"),
        ],
    )
    async def test_that_is_wrong_is_named(self, account, changes, code, param):
        error = await refused(account.intent(**changes), stripe.InvalidRequestError)

        assert error.error.type == "invalid_request_error"
        if code is not None:
            assert error.code == code
        assert error.param == param

    async def test_that_is_missing_is_named(self, api):
        error = await refused(api.payment_intents.create_async({"amount": 1250}))

        assert (error.code, error.param) == ("parameter_missing", "currency")

    async def test_that_is_unknown_further_in_is_named_with_its_path(self, account):
        error = await refused(
            account.intent(
                payment_method_types=None,
                automatic_payment_methods={"enabled": True, "nonsense": 1},
            )
        )

        assert error.param == "automatic_payment_methods[nonsense]"

    async def test_may_be_nested(self, api):
        customer = await api.customers.create_async(
            {"name": "Ada", "address": {"city": "Torino", "country": "IT"}}
        )

        assert (customer.address.city, customer.address.country) == ("Torino", "IT")


class TestMetadata:
    @pytest.mark.parametrize(
        "metadata",
        [
            {f"key_{number}": "x" for number in range(51)},
            {"k" * 41: "x"},
            {"key": "v" * 501},
        ],
    )
    async def test_is_bounded(self, account, metadata):
        error = await refused(account.intent(metadata=metadata))

        assert error.http_status == 400

    async def test_may_count(self, account):
        intent = await account.intent(metadata={"0": "zero", "1": "one"})

        assert intent.metadata.to_dict() == {"0": "zero", "1": "one"}


class TestAList:
    async def test_goes_page_by_page_in_both_directions(self, account, api):
        customer = await account.customer()
        made = [(await account.intent(customer=customer.id)).id for _ in range(5)]
        newest_first = made[::-1]
        which = {"customer": customer.id, "limit": 2}

        first = await api.payment_intents.list_async(which)
        second = await api.payment_intents.list_async(
            {**which, "starting_after": first.data[-1].id}
        )
        back = await api.payment_intents.list_async({**which, "ending_before": second.data[0].id})
        every = [each.id async for each in first.auto_paging_iter()]

        assert [each.id for each in first.data] == newest_first[:2]
        assert first.has_more is True
        assert [each.id for each in second.data] == newest_first[2:4]
        assert [each.id for each in back.data] == newest_first[:2]
        assert every == newest_first

    async def test_refuses_pages_of_more_than_100(self, api):
        error = await refused(api.payment_intents.list_async({"limit": 101}))

        assert error.param == "limit"


class TestExpanding:
    async def test_fills_in_what_is_named(self, account, api):
        customer = await account.customer(email="ada@example.com")
        paid = await account.paid(customer=customer.id)

        found = await api.payment_intents.retrieve_async(
            paid.id,
            {"expand": ["customer", "payment_method", "latest_charge.balance_transaction"]},
        )
        listed = await api.payment_intents.list_async(
            {"customer": customer.id, "expand": ["data.latest_charge"]}
        )

        assert found.customer.email == "ada@example.com"
        assert found.payment_method.card.last4 == "4242"
        assert found.latest_charge.balance_transaction.amount > 0
        assert listed.data[0].latest_charge.paid is True

    async def test_refuses_what_cannot_be_filled_in(self, account, api):
        intent = await account.intent()

        error = await refused(
            api.payment_intents.retrieve_async(intent.id, {"expand": ["nonsense"]})
        )

        assert error.http_status == 400
