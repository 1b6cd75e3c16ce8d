import asyncpg
import msgspec
import pytest

from commerce.orders import service as orders
from commerce.orders.errors import OrderNotFoundError
from commerce.refunds import service
from commerce.refunds.errors import (
    AskedAlreadyError,
    NothingPaidError,
    RefundDiffersError,
    RefundNotFoundError,
    RefundOfUnknownPaymentError,
    RefundTooLargeError,
    RequestDecidedError,
)
from commerce.refunds.model import Part
from commerce.refunds.service.requesting import LATE_REASON
from protocol.events import OrderRefunded, RefundChanged
from protocol.ids import RefundId
from protocol.topics import order_topic
from tests.commerce.outbox import events_told, forget_what_was_told
from tests.commerce.refunds.conftest import told_of
from tests.commerce.shop import ADA, BEN


class TestARefund:
    async def test_of_everything_gives_back_each_line_and_corrects_the_books(self, shop):
        order = await shop.paid(1000, 250)

        refund = await shop.refunded(order)

        after = await shop.order(order)
        assert (refund.state, refund.amount_minor) == ("succeeded", 1250)
        assert (after.state, after.refunded_minor) == ("refunded", 1250)
        assert await shop.papers(order) == [("credit_note", 1250), ("invoice", 1250)]
        assert await shop.balances() == {
            "processor": 0,
            "sales": -1050,
            "tax_payable": 0,
            "refunds": 1050,
        }

    async def test_of_a_part_leaves_the_rest_to_be_given_back(self, shop):
        order = await shop.paid(1000, 500)

        await shop.refunded(order, parts=[Part(line=order.lines[1].id)])
        assert (await shop.order(order)).state == "partially_refunded"
        await shop.refunded(order)

        after = await shop.order(order)
        assert after.state == "refunded"
        assert sorted(line.refunded_minor for line in after.lines) == [500, 1000]

    async def test_counts_from_the_moment_it_is_reserved(self, shop):
        order = await shop.paid(1000)
        await shop.request(order, 600)

        with pytest.raises(RefundTooLargeError, match="400"):
            await shop.request(order, 401)

        await shop.request(order, 400)

    async def test_is_told_on_the_orders_topic_step_by_step(self, shop):
        order = await shop.paid(1000)
        await forget_what_was_told(shop.database)

        await shop.refunded(order)

        told = await events_told(shop.database, order_topic(order.id))
        steps = [each.refund.state for each in told if isinstance(each, RefundChanged)]
        assert steps == ["reserved", "succeeded"]
        assert sum(isinstance(each, OrderRefunded) for each in told) == 1

    async def test_of_limited_goods_puts_them_back_if_so_wanted(self, shop):
        order = await shop.paid(1000, quantity=3, stock=10)
        variant = order.lines[0].variant_id

        one = [Part(line=order.lines[0].id, quantity=1)]
        await shop.refunded(order, parts=one, restocks=True)
        assert await shop.stock(variant) == 8
        await shop.refunded(order, parts=one)
        assert await shop.stock(variant) == 8
        await shop.refunded(order, restocks=True)
        assert await shop.stock(variant) == 9

    async def test_of_an_order_that_is_not_paid_is_refused(self, shop):
        variant = await shop.add(price=0)
        order = await shop.buy(variant)

        with pytest.raises(NothingPaidError):
            await shop.request(order)

    async def test_above_what_was_paid_is_refused_by_the_database_itself(self, shop):
        order = await shop.paid(1000)
        await shop.request(order, 600)

        with pytest.raises(asyncpg.CheckViolationError, match="1200 would be given back"):
            async with shop.database.transaction() as tx:
                await tx.execute(
                    "insert into refunds (id, order_id, buyer_id, state, version, amount_minor,"
                    " currency, origin, created_at)"
                    " select 'rfd_x', order_id, buyer_id, state, version, amount_minor, currency,"
                    " origin, created_at from refunds"
                )

    async def test_has_every_step_written_down_for_good(self, shop):
        refund = await shop.refunded(await shop.paid(1000))

        async with shop.database.transaction() as tx:
            steps = await service.steps(tx, refund.id)
        assert [(step.from_state, step.to_state) for step in steps] == [
            ("new", "reserved"),
            ("reserved", "succeeded"),
        ]
        with pytest.raises(asyncpg.RaiseError):
            async with shop.database.transaction() as tx:
                await tx.execute("delete from refund_steps")


class TestWhatTheProcessorTells:
    async def test_twice_or_late_changes_nothing(self, shop):
        order = await shop.paid(1000)
        refund = await shop.refunded(order, 400)
        await forget_what_was_told(shop.database)

        for outcome in ("succeeded", "pending", "succeeded"):
            assert await shop.hear(refund, outcome) == refund

        assert await events_told(shop.database) == []
        assert (await shop.order(order)).refunded_minor == 400

    async def test_of_a_refund_made_elsewhere_is_taken_in_once(self, shop):
        order = await shop.paid(1000, 500)
        refund = await shop.request(order, 300)
        elsewhere = told_of(refund, "succeeded", refund=None, amount_minor=900)

        for _ in range(2):
            async with shop.database.transaction() as tx:
                taken_in = await service.apply(tx, elsewhere)

        assert (taken_in.origin, taken_in.amount_minor) == ("processor", 900)
        assert (await shop.order(order)).refunded_minor == 900

    async def test_of_a_payment_that_is_not_known_is_told_again_later(self, shop):
        refund = await shop.request(await shop.paid(1000))
        unknown = told_of(refund, "succeeded", refund=None, order=None)

        with pytest.raises(RefundOfUnknownPaymentError):
            async with shop.database.transaction() as tx:
                await service.apply(tx, unknown)

    async def test_of_another_sum_is_not_believed(self, shop):
        refund = await shop.request(await shop.paid(1000), 500)

        with pytest.raises(RefundDiffersError):
            await shop.hear(refund, "succeeded", amount_minor=501)

    async def test_as_a_refusal_frees_the_sum(self, shop):
        order = await shop.paid(1000)
        refund = await shop.request(order)

        async with shop.database.transaction() as tx:
            refused = await service.refuse(tx, refund.id, code="charge_disputed")

        assert (refused.state, refused.failure) == ("failed", "charge_disputed")
        assert (await shop.refunded(order)).state == "succeeded"


class TestMoneyThatCameTooLate:
    async def test_goes_back_once_however_often_it_is_heard_of(self, shop):
        order = await shop.paid(1000, late=True)

        async with shop.database.transaction() as tx:
            refund = await service.give_back_late(tx, order.id)
        async with shop.database.transaction() as tx:
            assert await service.give_back_late(tx, order.id) is None
            assert await service.sweep_late(tx) == 0
        await shop.hear(refund, "succeeded")

        assert (refund.origin, refund.reason) == ("late", LATE_REASON)
        assert (await shop.order(order)).state == "refunded"
        assert await shop.papers(order) == []
        assert await shop.balances() == {"processor": 0, "customer_funds": 0}

    async def test_is_found_though_nobody_told_of_it(self, shop):
        await shop.paid(1000, late=True)

        async with shop.database.transaction() as tx:
            assert await service.sweep_late(tx) == 1

    async def test_is_given_back_once_more_when_that_failed(self, shop, clock):
        order = await shop.paid(1000, late=True)
        async with shop.database.transaction() as tx:
            refund = await service.give_back_late(tx, order.id)
        await shop.hear(refund, "succeeded")
        await shop.hear(refund, "failed", failure="lost_or_stolen_card")

        async with shop.database.transaction() as tx:
            found = await service.refunds_of_order(tx, order.id)
        (again,) = [each for each in found if each.id != refund.id]
        assert (again.state, again.amount_minor) == ("reserved", 1000)
        assert (again.next_try_at - clock.now()).total_seconds() == 6 * 3600
        assert (await shop.order(order)).state == "paid_late"
        assert (await shop.balances())["customer_funds"] == -1000


class TestABuyer:
    async def test_asks_and_is_answered(self, shop):
        order = await shop.paid(1000)
        asked = await shop.ask(order, 400)
        assert asked.refund is None
        with pytest.raises(AskedAlreadyError):
            await shop.ask(order)

        async with shop.database.transaction() as tx:
            refund = await service.approve(tx, BEN, asked.request.id)

        assert (refund.id, refund.amount_minor) == (asked.request.id, 400)
        assert (refund.state, refund.origin, refund.actor_id) == ("reserved", "buyer", BEN)
        with pytest.raises(RequestDecidedError):
            async with shop.database.transaction() as tx:
                await service.deny(tx, BEN, asked.request.id, answer="no")

    async def test_is_denied_with_a_reason_and_may_ask_again(self, shop):
        order = await shop.paid(1000)
        asked = await shop.ask(order)

        async with shop.database.transaction() as tx:
            denied = await service.deny(tx, BEN, asked.request.id, answer="it works")

        assert (denied.state, denied.answer, denied.decided_by) == ("denied", "it works", BEN)
        assert (await shop.ask(order)).request.state == "asked"

    async def test_takes_back_what_was_asked_and_nobody_else_may(self, shop):
        asked = await shop.ask(await shop.paid(1000))
        with pytest.raises(RefundNotFoundError):
            async with shop.database.transaction() as tx:
                await service.withdraw(tx, BEN, asked.request.id)

        async with shop.database.transaction() as tx:
            assert (await service.withdraw(tx, ADA, asked.request.id)).state == "withdrawn"

    async def test_gets_it_at_once_in_the_days_the_shop_allows(self, shop, clock):
        early, late = await shop.paid(1000), await shop.paid(2000)

        assert (await shop.ask(early, auto_days=14)).refund.state == "reserved"
        clock.advance(days=14)
        assert (await shop.ask(late, auto_days=14)).refund is None

    async def test_does_not_get_it_at_once_while_the_order_is_held(self, shop):
        order = await shop.paid(1000)
        async with shop.database.transaction() as tx:
            await orders.set_held(tx, order.id, held=True, reason="odd")

        assert (await shop.ask(order, auto_days=14)).refund is None

    async def test_cannot_ask_for_the_order_of_another(self, shop):
        order = await shop.paid(1000)

        with pytest.raises(OrderNotFoundError):
            await shop.ask(order, user=BEN)
        with pytest.raises(OrderNotFoundError):
            await shop.ask(msgspec.structs.replace(order, id="ord_00000000000000000000000000"))

    async def test_cannot_be_given_what_was_given_back_meanwhile(self, shop):
        order = await shop.paid(1000)
        asked = await shop.ask(order, 700)
        await shop.refunded(order, 400)

        with pytest.raises(RefundTooLargeError):
            async with shop.database.transaction() as tx:
                await service.approve(tx, BEN, asked.request.id)

    async def test_has_requests_the_staff_finds(self, shop):
        asked = await shop.ask(await shop.paid(1000))

        async with shop.database.transaction() as tx:
            assert await service.search_requests(tx, state="asked", limit=5) == [asked.request]
            assert await service.search_requests(tx, state="denied", limit=5) == []
            with pytest.raises(RefundNotFoundError):
                await service.find(tx, RefundId("rfd_00000000000000000000000000"))
