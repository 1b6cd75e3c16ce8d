"""Subscriptions, with the time that passes moved by a test clock."""

from calendar import timegm

import pytest
import pytest_asyncio
import stripe

from tests.contracts.stripe.account import refused
from tests.contracts.stripe.billing import DAY, START, item_of, new_subscriber, period_of

LAST_OF_FEBRUARY = timegm((2027, 2, 28, 12, 0, 0))
LAST_OF_MARCH = timegm((2027, 3, 31, 12, 0, 0))
LAST_OF_APRIL = timegm((2027, 4, 30, 12, 0, 0))


@pytest_asyncio.fixture
async def subscriber(account, api):
    found = await new_subscriber(account)
    yield found
    await api.test_helpers.test_clocks.delete_async(found.clock_id)


class TestSubscribing:
    async def test_charges_the_first_period_at_once(self, subscriber):
        subscription = await subscriber.subscribe()
        [invoice] = await subscriber.invoices(subscription)

        assert subscription.status == "active"
        assert period_of(subscription) == (START, LAST_OF_FEBRUARY)
        assert (invoice.status, invoice.amount_paid) == ("paid", 1000)
        assert invoice.billing_reason == "subscription_create"
        assert invoice.parent.subscription_details.subscription == subscription.id

    async def test_is_incomplete_while_the_first_payment_fails(self, subscriber):
        await subscriber.pay_with("pm_card_chargeCustomerFail")

        subscription = await subscriber.subscribe()
        [invoice] = await subscriber.invoices(subscription)

        assert subscription.status == "incomplete"
        assert (invoice.status, invoice.attempt_count) == ("open", 1)

    async def test_begins_when_the_first_payment_succeeds_after_all(self, subscriber, api):
        await subscriber.pay_with("pm_card_chargeCustomerFail")
        subscription = await subscriber.subscribe()
        good = await subscriber.pay_with("pm_card_visa")

        await api.invoices.pay_async(subscription.latest_invoice, {"payment_method": good})

        assert (await subscriber.found(subscription)).status == "active"

    async def test_expires_if_it_never_does(self, subscriber):
        await subscriber.pay_with("pm_card_chargeCustomerFail")
        subscription = await subscriber.subscribe()

        await subscriber.advance(START + DAY)

        assert (await subscriber.found(subscription)).status == "incomplete_expired"

    async def test_may_be_all_or_nothing(self, subscriber, api):
        await subscriber.pay_with("pm_card_chargeCustomerFail")

        error = await refused(
            subscriber.subscribe(payment_behavior="error_if_incomplete"), stripe.CardError
        )
        listed = await api.subscriptions.list_async({"customer": subscriber.id, "status": "all"})

        assert error.http_status == 402
        assert listed.data == []

    async def test_may_leave_the_first_payment_to_the_browser(self, subscriber, api):
        subscription = await subscriber.subscribe(
            payment_behavior="default_incomplete",
            expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
        )
        invoice = subscription.latest_invoice
        intent = invoice.payments.data[0].payment.payment_intent

        await api.payment_intents.confirm_async(intent, {"payment_method": "pm_card_visa"})

        paid = await api.invoices.retrieve_async(invoice.id)
        assert subscription.status == "incomplete"
        assert invoice.confirmation_secret.client_secret.startswith(f"{intent}_secret_")
        assert paid.status == "paid"
        assert (await subscriber.found(subscription)).status == "active"

    async def test_waits_for_the_cardholder_if_the_bank_wants_it(self, subscriber, api, knobs):
        await subscriber.pay_with("pm_card_authenticationRequired")
        subscription = await subscriber.subscribe(expand=["latest_invoice.payments"])
        intent = subscription.latest_invoice.payments.data[0].payment.payment_intent

        await knobs(f"payment_intents/{intent}/challenge", succeeds=True)

        assert subscription.status == "incomplete"
        assert (await subscriber.found(subscription)).status == "active"

    async def test_needs_something_to_pay_with(self, account, api):
        poor = await new_subscriber(account, card=None)

        error = await refused(poor.subscribe())

        assert error.http_status == 400

    async def test_takes_recurring_prices_only(self, subscriber, api):
        once = await api.prices.create_async(
            {"currency": "usd", "unit_amount": 900, "product_data": {"name": "A game"}}
        )

        error = await refused(subscriber.subscribe(once))

        assert error.param == "items[0][price]"


class TestRenewing:
    async def test_keeps_the_day_of_the_month_where_there_is_one(self, subscriber):
        subscription = await subscriber.subscribe()
        seen = [period_of(subscription)]

        for end in (LAST_OF_FEBRUARY, LAST_OF_MARCH):
            await subscriber.advance(end + 2 * 3600)
            seen.append(period_of(await subscriber.found(subscription)))

        assert seen == [
            (START, LAST_OF_FEBRUARY),
            (LAST_OF_FEBRUARY, LAST_OF_MARCH),
            (LAST_OF_MARCH, LAST_OF_APRIL),
        ]

    async def test_drafts_an_invoice_and_charges_it_an_hour_later(self, subscriber):
        subscription = await subscriber.subscribe()

        await subscriber.advance(LAST_OF_FEBRUARY + 60)
        drafted = await subscriber.invoices(subscription)
        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)
        charged = await subscriber.invoices(subscription)

        assert [each.status for each in drafted] == ["paid", "draft"]
        assert [each.status for each in charged] == ["paid", "paid"]
        assert charged[1].billing_reason == "subscription_cycle"

    async def test_is_past_due_when_the_card_is_refused(self, subscriber, api):
        subscription = await subscriber.subscribe()
        await subscriber.pay_with("pm_card_chargeCustomerFail")

        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)
        refused_once = await subscriber.found(subscription)
        good = await subscriber.pay_with("pm_card_visa")
        await api.invoices.pay_async(refused_once.latest_invoice, {"payment_method": good})

        assert refused_once.status == "past_due"
        assert (await subscriber.found(subscription)).status == "active"

    async def test_is_tried_again_by_itself(self, subscriber):
        subscription = await subscriber.subscribe()
        await subscriber.pay_with("pm_card_chargeCustomerFail")
        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)
        invoice = (await subscriber.invoices(subscription))[-1]
        await subscriber.pay_with("pm_card_visa")

        await subscriber.advance(invoice.next_payment_attempt + 3600)

        assert (await subscriber.invoices(subscription))[-1].status == "paid"
        assert (await subscriber.found(subscription)).status == "active"

    async def test_of_the_standin_ends_after_the_last_retry(self, account, subscriber):
        if account.is_real:
            pytest.skip("what follows the last retry is a setting of a real account")
        subscription = await subscriber.subscribe()
        await subscriber.pay_with("pm_card_chargeCustomerFail")

        await subscriber.advance(LAST_OF_FEBRUARY + 20 * DAY)

        ended = await subscriber.found(subscription)
        assert ended.status == "canceled"
        assert ended.cancellation_details.reason == "payment_failed"

    async def test_goes_a_year_at_a_time(self, subscriber):
        yearly = await subscriber.price(12_000, "year")
        subscription = await subscriber.subscribe(yearly)
        end = timegm((2028, 1, 31, 12, 0, 0))

        await subscriber.advance(end + 2 * 3600)

        charged = await subscriber.invoices(subscription)
        assert period_of(await subscriber.found(subscription))[0] == end
        assert [each.amount_paid for each in charged] == [12_000, 12_000]


class TestATrial:
    async def test_costs_nothing_and_then_is_charged(self, subscriber):
        subscription = await subscriber.subscribe(trial_period_days=14)
        [first] = await subscriber.invoices(subscription)

        await subscriber.advance(START + 14 * DAY + 2 * 3600)

        after = await subscriber.found(subscription)
        charged = await subscriber.invoices(subscription)
        assert (subscription.status, subscription.trial_end) == ("trialing", START + 14 * DAY)
        assert (first.status, first.amount_due) == ("paid", 0)
        assert (after.status, charged[-1].amount_paid) == ("active", 1000)

    async def test_is_announced_before_it_ends(self, account, subscriber):
        subscription = await subscriber.subscribe(trial_period_days=14)

        await subscriber.advance(START + 12 * DAY)

        types = ["customer.subscription.trial_will_end"]
        assert await account.events_about(subscription.id, types=types) == types

    async def test_can_be_ended_now(self, subscriber, api):
        subscription = await subscriber.subscribe(trial_period_days=14)

        ended = await api.subscriptions.update_async(subscription.id, {"trial_end": "now"})

        charged = await subscriber.invoices(subscription)
        assert ended.status == "active"
        assert charged[-1].amount_paid == 1000

    @pytest.mark.parametrize(("behaviour", "status"), [("cancel", "canceled"), ("pause", "paused")])
    async def test_without_a_card_ends_as_was_said(self, account, behaviour, status):
        poor = await new_subscriber(account, card=None)
        subscription = await poor.subscribe(
            trial_period_days=7,
            trial_settings={"end_behavior": {"missing_payment_method": behaviour}},
        )

        await poor.advance(START + 8 * DAY)

        assert (await poor.found(subscription)).status == status

    async def test_that_was_paused_goes_on_with_a_card(self, account, api):
        poor = await new_subscriber(account, card=None)
        subscription = await poor.subscribe(
            trial_period_days=7,
            trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
        )
        await poor.advance(START + 8 * DAY)
        await poor.pay_with("pm_card_visa")

        resumed = await api.subscriptions.resume_async(subscription.id)

        assert resumed.status == "active"
        assert (await poor.invoices(subscription))[-1].amount_paid == 1000


class TestChangingThePlan:
    async def test_can_be_previewed_to_the_cent(self, subscriber, api):
        subscription = await subscriber.subscribe(await subscriber.price(1000))
        dearer = await subscriber.price(3000)
        await subscriber.advance(START + 14 * DAY)
        change = {"items": [{"id": item_of(subscription).id, "price": dearer.id}]}
        half = START + 14 * DAY

        preview = await api.invoices.create_preview_async(
            {
                "subscription": subscription.id,
                "subscription_details": {
                    **change,
                    "proration_behavior": "always_invoice",
                    "proration_date": half,
                },
            }
        )
        await api.subscriptions.update_async(
            subscription.id,
            {**change, "proration_behavior": "always_invoice", "proration_date": half},
        )

        charged = (await subscriber.invoices(subscription))[-1]
        assert preview.total == 1000  # half of 3000, less half of 1000
        assert [line.amount for line in preview.lines.data] == [-500, 1500]
        assert (charged.total, charged.status) == (preview.total, "paid")
        assert charged.billing_reason == "subscription_update"

    async def test_leaves_no_trace_when_it_is_only_previewed(self, subscriber, api):
        subscription = await subscriber.subscribe()
        dearer = await subscriber.price(3000)

        await api.invoices.create_preview_async(
            {
                "subscription": subscription.id,
                "subscription_details": {
                    "items": [{"id": item_of(subscription).id, "price": dearer.id}]
                },
            }
        )

        after = await subscriber.found(subscription)
        items = await api.invoice_items.list_async({"customer": subscriber.id})
        assert item_of(after).price.unit_amount == 1000
        assert len(await subscriber.invoices(subscription)) == 1
        assert items.data == []

    async def test_puts_the_difference_on_the_next_invoice(self, subscriber, api):
        subscription = await subscriber.subscribe(await subscriber.price(1000))
        dearer = await subscriber.price(3000)
        await subscriber.advance(START + 14 * DAY)
        await api.subscriptions.update_async(
            subscription.id, {"items": [{"id": item_of(subscription).id, "price": dearer.id}]}
        )

        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)

        charged = await subscriber.invoices(subscription)
        assert [each.total for each in charged] == [1000, 1000 + 3000]

    async def test_to_a_cheaper_one_leaves_a_credit(self, subscriber, api):
        subscription = await subscriber.subscribe(await subscriber.price(3000))
        cheaper = await subscriber.price(1000)
        await subscriber.advance(START + 14 * DAY)
        await api.subscriptions.update_async(
            subscription.id,
            {
                "items": [{"id": item_of(subscription).id, "price": cheaper.id}],
                "proration_behavior": "always_invoice",
            },
        )
        credited = await api.customers.retrieve_async(subscriber.id)

        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)

        renewed = (await subscriber.invoices(subscription))[-1]
        assert credited.balance == -1000
        assert (renewed.total, renewed.amount_due, renewed.amount_paid) == (1000, 0, 0)

    async def test_without_proration_changes_the_next_period_only(self, subscriber, api):
        subscription = await subscriber.subscribe(await subscriber.price(1000))
        dearer = await subscriber.price(3000)
        await api.subscriptions.update_async(
            subscription.id,
            {
                "items": [{"id": item_of(subscription).id, "price": dearer.id}],
                "proration_behavior": "none",
            },
        )

        upcoming = await api.invoices.create_preview_async({"subscription": subscription.id})

        assert upcoming.total == 3000

    async def test_to_another_interval_begins_a_new_period(self, subscriber, api):
        subscription = await subscriber.subscribe(await subscriber.price(1000))
        yearly = await subscriber.price(10_000, "year")
        half = START + 14 * DAY
        await subscriber.advance(half)

        changed = await api.subscriptions.update_async(
            subscription.id, {"items": [{"id": item_of(subscription).id, "price": yearly.id}]}
        )

        charged = (await subscriber.invoices(subscription))[-1]
        assert period_of(changed)[0] >= half
        assert charged.total == 10_000 - 500


class TestPausing:
    @pytest.mark.parametrize(
        ("behaviour", "status"),
        [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")],
    )
    async def test_collects_nothing_meanwhile(self, subscriber, api, behaviour, status):
        subscription = await subscriber.subscribe()
        paused = await api.subscriptions.update_async(
            subscription.id, {"pause_collection": {"behavior": behaviour}}
        )

        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)

        assert paused.pause_collection.behavior == behaviour
        assert (await subscriber.found(subscription)).status == "active"
        assert (await subscriber.invoices(subscription))[-1].status == status

    async def test_ends_when_it_is_taken_back(self, subscriber, api):
        subscription = await subscriber.subscribe()
        await api.subscriptions.update_async(
            subscription.id, {"pause_collection": {"behavior": "void"}}
        )

        resumed = await api.subscriptions.update_async(subscription.id, {"pause_collection": ""})
        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)

        assert resumed.pause_collection is None
        assert (await subscriber.invoices(subscription))[-1].status == "paid"


class TestCancelling:
    async def test_now_ends_it_now(self, account, subscriber, api):
        subscription = await subscriber.subscribe()

        ended = await api.subscriptions.cancel_async(subscription.id)
        error = await refused(api.subscriptions.cancel_async(subscription.id))

        types = ["customer.subscription.deleted"]
        assert ended.status == "canceled"
        assert ended.ended_at is not None
        assert error.code == "resource_missing"
        assert await account.events_about(subscription.id, types=types) == types

    async def test_at_the_end_of_the_period_ends_it_then(self, subscriber, api):
        subscription = await subscriber.subscribe()
        ending = await api.subscriptions.update_async(
            subscription.id, {"cancel_at_period_end": True}
        )

        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)

        assert (ending.status, ending.cancel_at_period_end) == ("active", True)
        assert (await subscriber.found(subscription)).status == "canceled"
        assert len(await subscriber.invoices(subscription)) == 1

    async def test_can_be_thought_better_of(self, subscriber, api):
        subscription = await subscriber.subscribe()
        await api.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
        await api.subscriptions.update_async(subscription.id, {"cancel_at_period_end": False})

        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)

        assert (await subscriber.found(subscription)).status == "active"


class TestADiscount:
    async def test_once_is_for_the_first_invoice(self, subscriber, api):
        coupon = await api.coupons.create_async({"percent_off": 25, "duration": "once"})
        subscription = await subscriber.subscribe(discounts=[{"coupon": coupon.id}])

        await subscriber.advance(LAST_OF_FEBRUARY + 2 * 3600)

        charged = await subscriber.invoices(subscription)
        assert [each.total for each in charged] == [750, 1000]
        assert charged[0].total_discount_amounts[0].amount == 250

    async def test_for_some_months_ends_after_them(self, subscriber, api):
        coupon = await api.coupons.create_async(
            {
                "amount_off": 300,
                "currency": "usd",
                "duration": "repeating",
                "duration_in_months": 2,
            }
        )
        subscription = await subscriber.subscribe(discounts=[{"coupon": coupon.id}])

        for end in (LAST_OF_FEBRUARY, LAST_OF_MARCH):
            await subscriber.advance(end + 2 * 3600)

        charged = await subscriber.invoices(subscription)
        assert [each.total for each in charged] == [700, 700, 1000]

    async def test_is_redeemed_no_more_often_than_allowed(self, account, subscriber, api):
        coupon = await api.coupons.create_async(
            {"percent_off": 25, "duration": "once", "max_redemptions": 1}
        )
        await subscriber.subscribe(discounts=[{"coupon": coupon.id}])

        error = await refused(subscriber.subscribe(discounts=[{"coupon": coupon.id}]))
        spent = await api.coupons.retrieve_async(coupon.id)

        assert error.http_status == 400
        assert (spent.times_redeemed, spent.valid) == (1, False)


class TestATestClock:
    async def test_goes_forward_only(self, subscriber, api):
        clocks = api.test_helpers.test_clocks

        error = await refused(clocks.advance_async(subscriber.clock_id, {"frozen_time": START - 1}))

        assert error.http_status == 400

    async def test_goes_two_periods_at_a_time_at_most(self, subscriber, api):
        await subscriber.subscribe()

        error = await refused(
            api.test_helpers.test_clocks.advance_async(
                subscriber.clock_id, {"frozen_time": START + 100 * DAY}
            )
        )

        assert error.http_status == 400
