"""R11 to R16 of the races on money: whoever wins, no more goes back than was paid."""

import asyncio

import pytest

from commerce.orders import service as orders
from commerce.refunds import service
from commerce.refunds.errors import OrderDisputedError, RefundTooLargeError
from commerce.refunds.model import WarningTold
from commerce.refunds.service.disputing import HELD_FOR_FRAUD
from tests.commerce.racing import lost, race, won
from tests.commerce.refunds.conftest import dispute_of, told_of
from tests.commerce.shop import BEN

TRIES = 6


def wanted(order, amount_minor=None):
    return service.Wanted(order=order.id, amount_minor=amount_minor)


def refunding(order, amount_minor=None):
    return lambda tx: service.request(tx, wanted(order, amount_minor), origin="staff", actor=BEN)


class TestR11TwoPartialRefundsThatTogetherExceedWhatWasPaid:
    async def test_one_is_reserved_and_the_other_refused(self, shop):
        order = await shop.paid(10_000)

        outcomes = await race(shop.database, *[refunding(order, 6_000)] * TRIES)

        assert len(won(outcomes)) == 1
        assert lost(outcomes) == [RefundTooLargeError] * (TRIES - 1)

    async def test_of_many_small_ones_exactly_those_that_fit_are_reserved(self, shop):
        order = await shop.paid(1_000)

        outcomes = await race(shop.database, *[refunding(order, 300)] * TRIES)

        assert len(won(outcomes)) == 3


class TestR12ARefundWhileTheBankAsksForTheMoney:
    async def test_whichever_comes_first_the_order_is_true(self, shop):
        for number in range(4):
            order = await shop.paid(1000, 1 + number)
            told = dispute_of(order, "needs_response", name=f"dp_{number}")

            refund, dispute = await race(
                shop.database,
                refunding(order),
                lambda tx, told=told: service.apply_dispute(tx, told),
            )

            assert dispute.status == "needs_response"
            assert (await shop.order(order)).is_disputed
            if isinstance(refund, BaseException):
                assert isinstance(refund, OrderDisputedError)
            else:  # The processor refuses it, and its sum is free again.
                async with shop.database.transaction() as tx:
                    await service.refuse(tx, refund.id, code="charge_disputed")
            assert (await shop.order(order)).refunded_minor == 0

    async def test_a_refund_that_was_made_first_is_told_though_the_order_is_disputed(self, shop):
        order = await shop.paid(1000)
        refund = await shop.request(order, 400)
        await shop.hear_of_dispute(dispute_of(order, "needs_response"))

        await shop.hear(refund, "succeeded")

        after = await shop.order(order)
        assert (after.is_disputed, after.refunded_minor) == (True, 400)


class TestR13TheWebhookBeforeTheRecord:
    async def test_finds_the_intent_that_was_committed_before_the_call(self, shop):
        order = await shop.paid(1000)
        refund = await shop.request(order)

        outcomes = await race(
            shop.database,
            *[lambda tx: service.apply(tx, told_of(refund, "succeeded"))] * TRIES,
        )

        assert lost(outcomes) == []
        assert (await shop.order(order)).refunded_minor == 1000
        assert await shop.papers(order) == [("credit_note", 1000), ("invoice", 1000)]

    async def test_of_a_refund_made_elsewhere_told_many_times_at_once_takes_in_one(self, shop):
        order = await shop.paid(1000)
        refund = await shop.request(order, 100)
        elsewhere = told_of(refund, "succeeded", refund=None, amount_minor=500)

        outcomes = await race(shop.database, *[lambda tx: service.apply(tx, elsewhere)] * TRIES)

        assert len({each.id for each in outcomes}) == 1
        assert (await shop.order(order)).refunded_minor == 500


class TestR14ARefundThatFailsDaysLater:
    async def test_puts_the_order_and_the_books_back_as_they_were(self, shop, clock):
        order = await shop.paid(1000, 500)
        refund = await shop.refunded(order, 900)
        clock.advance(days=5)

        await shop.hear(refund, "failed", failure="expired_or_canceled_card")

        after = await shop.order(order)
        assert (after.state, after.refunded_minor) == ("paid", 0)
        assert await shop.papers(order) == [
            ("credit_note", 900),
            ("invoice", 900),
            ("invoice", 1500),
        ]
        assert await shop.balances() == {
            "processor": 1500,
            "sales": -1261,
            "tax_payable": -239,
            "refunds": 0,
        }
        assert (await shop.refunded(order)).amount_minor == 1500

    @pytest.mark.parametrize("number", range(4))
    async def test_while_it_is_told_that_it_succeeded_ends_the_same(self, shop, number):
        order = await shop.paid(1000 + number)
        refund = await shop.request(order)

        async def told(outcome):
            async with shop.database.transaction() as tx:
                await service.apply(tx, told_of(refund, outcome))

        await asyncio.gather(told("succeeded"), told("failed"), told("pending"))
        await told("succeeded")

        async with shop.database.transaction() as tx:
            assert (await service.find(tx, refund.id)).state == "failed"
        assert (await shop.order(order)).refunded_minor == 0


class TestR15ADisputeOfMoreThanWasPaid:
    async def test_is_kept_as_it_is_and_posted_whole(self, shop):
        order = await shop.paid(1000)
        told = dispute_of(order, "needs_response", amount_minor=1093, withdrawn_minor=1093)

        dispute = await shop.hear_of_dispute(told)

        assert dispute.amount_minor == 1093
        assert (await shop.balances())["disputes"] == 1093
        assert (await shop.balances())["processor"] == -93

    async def test_that_is_won_brings_all_of_it_back(self, shop):
        order = await shop.paid(1000)
        more = {"amount_minor": 1093}
        await shop.hear_of_dispute(
            dispute_of(order, "needs_response", withdrawn_minor=1093, **more)
        )

        await shop.hear_of_dispute(dispute_of(order, "won", withdrawn_minor=0, **more))
        await shop.hear_of_dispute(dispute_of(order, "under_review", withdrawn_minor=1093, **more))

        assert (await shop.order(order)).dispute == "won"
        assert (await shop.balances())["disputes"] == 0
        assert (await shop.refunded(order)).amount_minor == 1000

    async def test_that_is_lost_is_the_end_of_it(self, shop):
        order = await shop.paid(1000)
        await shop.hear_of_dispute(dispute_of(order, "needs_response"))
        await shop.hear_of_dispute(dispute_of(order, "lost"))

        assert (await shop.order(order)).dispute == "lost"
        assert (await shop.balances())["disputes"] == 1000
        with pytest.raises(OrderDisputedError):
            await shop.request(order)

    async def test_told_many_times_at_once_is_one(self, shop):
        order = await shop.paid(1000)
        told = dispute_of(order, "needs_response")

        outcomes = await race(shop.database, *[lambda tx: service.apply_dispute(tx, told)] * TRIES)

        assert lost(outcomes) == []
        assert len({each.id for each in outcomes}) == 1
        assert (await shop.balances())["disputes"] == 1000

    async def test_has_its_evidence_put_together(self, shop):
        order = await shop.paid(1000)
        await shop.refunded(order, 100)
        dispute = await shop.hear_of_dispute(dispute_of(order, "needs_response"))

        async with shop.database.transaction() as tx:
            evidence = await service.evidence(tx, dispute.id)

        assert evidence.order.id == order.id
        assert [refund.amount_minor for refund in evidence.refunds] == [100]
        assert evidence.steps[-1].type == "order_disputed"


class TestR16TheBanksWarningWhileTheStaffRefunds:
    async def test_holds_the_order_unless_its_money_is_back_and_never_refunds_twice(self, shop):
        for number in range(4):
            order = await shop.paid(2000, 1 + number)
            warning = WarningTold(
                stripe_warning_id=f"issfr_{number}",
                order=order.id,
                kind="made_with_stolen_card",
                is_actionable=True,
                warned_at=order.placed_at,
            )

            async def refund(tx, order=order):
                reserved = await service.request(tx, wanted(order), origin="staff")
                return await service.apply(tx, told_of(reserved, "succeeded"))

            outcomes = await race(
                shop.database,
                refund,
                lambda tx, warning=warning: service.apply_warning(tx, warning),
                lambda tx, warning=warning: service.apply_warning(tx, warning),
            )

            assert lost(outcomes) == []
            assert sorted(outcomes[1:]) == [False, True]
            after = await shop.order(order)
            assert after.state == "refunded"
            assert after.held_reason in {"", f"{HELD_FOR_FRAUD}: made_with_stolen_card"}

    async def test_of_a_payment_not_refunded_holds_the_order(self, shop):
        order = await shop.paid(1000)
        warning = WarningTold(
            stripe_warning_id="issfr_1",
            order=order.id,
            kind="misc",
            is_actionable=True,
            warned_at=order.placed_at,
        )

        async with shop.database.transaction() as tx:
            await service.apply_warning(tx, warning)
            assert (await orders.of(tx, order.id)).held
