"""Refunds at the stand-in, by Stripe's own client: what is lost on the way is found again."""

import pytest

from commerce.refunds import service
from commerce.refunds.service.submitting import NO_PAYMENT, SAME_KEY_HOURS_MAX


@pytest.fixture
def submit(shop, gateway):
    async def submit(refund):
        return await service.submit(shop.database, gateway, refund.id)

    return submit


async def at_stripe(account, shop, order):
    attempt = await shop.attempt(order)
    found = await account.api.refunds.list_async({"payment_intent": attempt.intent_id})
    return [(each.amount, each.status) for each in found.data]


class TestARefundAtTheProcessor:
    async def test_is_made_once_and_recorded(self, shop, submit, account, payment_gateway):
        order = await shop.paid_at(payment_gateway, 1000, 500)
        refund = await shop.request(order, 600)

        done = await submit(refund)
        assert await submit(refund) == done

        assert done.state == "succeeded"
        assert await at_stripe(account, shop, order) == [(600, "succeeded")]
        assert (await shop.order(order)).refunded_minor == 600

    @pytest.mark.parametrize("kind", ["cut_after", "error_after"])
    async def test_of_which_the_answer_was_lost_is_found_again_and_not_made_twice(
        self, shop, submit, account, payment_gateway, kind, clock
    ):
        order = await shop.paid_at(payment_gateway, 1000)
        refund = await shop.request(order)
        await account.control("faults", kind=kind, count=5, method="POST", path="/v1/refunds")

        assert (await submit(refund)).state == "submitting"
        await account.control("faults", verb="DELETE")
        clock.advance(hours=SAME_KEY_HOURS_MAX + 1 if kind == "error_after" else 0, seconds=5)
        done = await submit(refund)

        assert done.state == "succeeded"
        assert await at_stripe(account, shop, order) == [(1000, "succeeded")]

    async def test_killed_between_the_call_and_the_record_is_finished_by_the_next_run(
        self, shop, gateway, account, payment_gateway, clock
    ):
        order = await shop.paid_at(payment_gateway, 1000)
        refund = await shop.request(order)

        class KilledError(Exception):
            pass

        class DiesAfterTheCall:
            is_open = True

            async def refund(self, wanted):
                await gateway.refund(wanted)
                raise KilledError

        with pytest.raises(KilledError):
            await service.submit(shop.database, DiesAfterTheCall(), refund.id)
        assert await service.submit_due(shop.database, gateway) == 0
        clock.advance(minutes=1)
        assert await service.submit_due(shop.database, gateway) == 1

        assert (await shop.order(order)).state == "refunded"
        assert await at_stripe(account, shop, order) == [(1000, "succeeded")]

    async def test_that_the_processor_refuses_fails_and_may_be_asked_for_anew(
        self, shop, submit, account, payment_gateway
    ):
        order = await shop.paid_at(payment_gateway, 1000)
        refund = await shop.request(order)
        attempt = await shop.attempt(order)
        await account.control(f"charges/{attempt.charge_id}/dispute", reason="fraudulent")

        failed = await submit(refund)

        assert (failed.state, failed.failure) == ("failed", "charge_disputed")
        assert (await shop.order(order)).refunded_minor == 0

    async def test_that_takes_days_is_asked_after_until_it_arrived(
        self, shop, submit, account, gateway, payment_gateway, clock
    ):
        order = await shop.paid_at(payment_gateway, 1000, card="pm_card_pendingRefund")
        pending = await submit(await shop.request(order))
        assert pending.state == "pending"
        assert (await shop.order(order)).refunded_minor == 0
        await account.control(f"refunds/{pending.stripe_refund_id}/settle", outcome="succeeded")

        clock.advance(hours=1)
        assert await service.submit_due(shop.database, gateway) == 1

        assert (await shop.order(order)).state == "refunded"

    async def test_of_an_order_without_a_payment_fails(self, shop, submit):
        refund = await shop.request(await shop.paid(1000))

        assert (await submit(refund)).failure == NO_PAYMENT


class TestWhatIsDoneAtTheProcessor:
    async def test_by_hand_is_taken_in(self, shop, account, gateway, payment_gateway):
        order = await shop.paid_at(payment_gateway, 1000)
        attempt = await shop.attempt(order)
        made = await account.api.refunds.create_async(
            {"payment_intent": attempt.intent_id, "amount": 300}
        )

        taken_in = await service.refresh_refund(shop.database, gateway, made.id)

        assert (taken_in.origin, taken_in.state) == ("processor", "succeeded")
        assert (await shop.order(order)).refunded_minor == 300

    @pytest.mark.parametrize(("verdict", "disputes"), [("won", 0), ("lost", 1000)])
    async def test_by_a_bank_is_followed_to_its_end(
        self, shop, account, gateway, payment_gateway, verdict, disputes
    ):
        order = await shop.paid_at(payment_gateway, 1000)
        attempt = await shop.attempt(order)
        opened = await account.control(f"charges/{attempt.charge_id}/dispute", reason="fraudulent")

        await service.refresh_dispute(shop.database, gateway, opened["id"])
        assert (await shop.order(order)).is_disputed
        assert (await shop.balances())["disputes"] == 1000
        await account.control(f"disputes/{opened['id']}/decide", verdict=verdict)
        await service.refresh_dispute(shop.database, gateway, opened["id"])

        assert (await shop.order(order)).dispute == verdict
        assert (await shop.balances())["disputes"] == disputes

    async def test_by_a_bank_that_only_warns_holds_the_order(
        self, shop, account, gateway, payment_gateway
    ):
        order = await shop.paid_at(payment_gateway, 1000)
        attempt = await shop.attempt(order)
        warning = await account.control(f"charges/{attempt.charge_id}/warn")

        assert await service.refresh_warning(shop.database, gateway, warning["id"])

        assert (await shop.order(order)).held
