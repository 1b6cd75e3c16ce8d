"""What an order makes of its money, told once, twice, late or out of turn."""

import pytest
import pytest_asyncio

from commerce.catalog import service as catalog
from commerce.invoices import service as invoices
from commerce.ledger import service as ledger
from commerce.orders import service as orders
from commerce.orders.model import PaymentTold
from protocol.events import (
    OrderHeld,
    OrderPaid,
    OrderPaidLate,
    OrderPaymentFailed,
    OrderProcessing,
)
from protocol.ids import PaymentId
from protocol.topics import order_topic
from tests.commerce.orders.gateways import NoGateway
from tests.commerce.outbox import events_told, forget_what_was_told
from tests.commerce.racing import lost, race
from tests.commerce.shop import ADA, BEN

FIRST, SECOND = (
    PaymentId("pay_01JD00000000000000000000P1"),
    PaymentId("pay_01JD00000000000000000000P2"),
)


def told(order, state, version=1, *, payment=FIRST, amount=None, currency="EUR", failure=None):
    return PaymentTold(
        payment=payment,
        version=version,
        state=state,
        amount_minor=order.total_minor if amount is None else amount,
        currency=currency,
        failure=failure,
    )


async def hear(shop, order, *news):
    for each in news:
        async with shop.database.transaction() as tx:
            order = await orders.hear(tx, order.id, each)
    return order


@pytest_asyncio.fixture
async def variant(shop):
    return await shop.add(price=1900, stock=5)


@pytest_asyncio.fixture
async def order(shop, variant):
    order = await shop.buy(variant, 2)
    await forget_what_was_told(shop.database)
    return order


async def facts(shop, order):
    return [type(event) for event in await events_told(shop.database, order_topic(order.id))]


async def books(shop, order):
    async with shop.database.transaction() as tx:
        postings = [posting.key for posting in await ledger.of_order(tx, order.id)]
        papers = [paper.number for paper in await invoices.of_order(tx, order.id)]
    return postings, papers


class TestMoneyThatCame:
    async def test_pays_the_order_with_all_that_goes_with_it(self, shop, order, variant):
        paid = await hear(shop, order, told(order, "succeeded"))

        assert (paid.state, paid.captured_minor, paid.payment) == ("paid", 3800, "paid")
        assert await books(shop, order) == ([f"sale:{order.id}"], ["R-I-2026-000001"])
        assert OrderPaid in await facts(shop, order)
        async with shop.database.transaction() as tx:
            await catalog.change_stock(tx, variant, 3)
        assert await shop.stock(variant) == 3

    async def test_pays_it_once_however_often_it_is_told(self, shop, order):
        paid = await hear(shop, order, *[told(order, "succeeded")] * 3, told(order, "succeeded", 2))

        assert paid.version == 2
        assert await books(shop, order) == ([f"sale:{order.id}"], ["R-I-2026-000001"])

    async def test_pays_it_once_when_it_is_told_by_many_at_once(self, shop, order):
        outcomes = await race(
            shop.database,
            *[lambda tx: orders.hear(tx, order.id, told(order, "succeeded"))] * 4,
        )

        assert lost(outcomes) == []
        assert {outcome.version for outcome in outcomes} == {2}
        assert (await facts(shop, order)).count(OrderPaid) == 1

    @pytest.mark.parametrize("late", ["processing", "failed", "requires_method", "canceled"])
    async def test_is_not_taken_back_by_older_news(self, shop, order, late):
        paid = await hear(
            shop, order, told(order, "succeeded", 5), told(order, late, 2, failure="card_declined")
        )

        assert (paid.state, paid.version) == ("paid", 2)

    async def test_is_set_aside_when_it_is_another_sum(self, shop, order):
        held = await hear(shop, order, *[told(order, "succeeded", amount=3799)] * 2)

        assert (held.state, held.held, held.version) == ("awaiting_payment", True, 2)
        assert await books(shop, order) == ([f"late:{FIRST}"], [])
        assert await facts(shop, order) == [OrderHeld]

    async def test_is_set_aside_when_the_order_is_paid_already(self, shop, order):
        paid = await hear(
            shop,
            order,
            told(order, "succeeded"),
            *[told(order, "succeeded", payment=SECOND)] * 2,
        )

        assert (paid.state, paid.held, paid.version) == ("paid", True, 3)
        assert await books(shop, order) == (
            [f"sale:{order.id}", f"late:{SECOND}"],
            ["R-I-2026-000001"],
        )


class TestMoneyOnItsWay:
    async def test_keeps_the_order_waiting_for_days_and_its_stock(self, shop, order, clock):
        waiting = await hear(shop, order, *[told(order, "processing")] * 2)
        clock.advance(hours=30)
        assert await orders.expire_due(shop.database, NoGateway()) == 0

        assert (waiting.state, waiting.payment) == ("processing", "processing")
        assert await facts(shop, order) == [OrderProcessing]

    async def test_that_does_not_arrive_lets_the_buyer_try_again(self, shop, order):
        again = await hear(
            shop,
            order,
            told(order, "processing"),
            told(order, "failed", 2, failure="insufficient_funds"),
            told(order, "processing"),
        )
        _, events = await shop.history(order.id)

        assert (again.state, again.version) == ("awaiting_payment", 3)
        assert await facts(shop, order) == [OrderProcessing, OrderPaymentFailed]
        assert events[-1].detail == "insufficient_funds"

    async def test_is_not_stopped_by_news_of_another_attempt(self, shop, order):
        waiting = await hear(
            shop,
            order,
            told(order, "processing", payment=SECOND),
            told(order, "failed", 9, payment=FIRST, failure="card_declined"),
        )

        assert waiting.state == "processing"

    async def test_pays_five_days_later(self, shop, order, clock):
        await hear(shop, order, told(order, "processing"))
        clock.advance(hours=5 * 24)

        assert (await hear(shop, order, told(order, "succeeded", 2))).state == "paid"


class TestATryThatFails:
    async def test_is_told_once_and_each_further_one_too(self, shop, order):
        declined = told(order, "requires_method", 2, failure="card_declined")
        again = told(order, "requires_method", 3, failure="expired_card")

        await hear(shop, order, told(order, "requires_action"), declined, declined, again)

        assert await facts(shop, order) == [OrderPaymentFailed] * 2


class TestMoneyForAnOrderThatWasGivenUp:
    @pytest.mark.parametrize("way", ["canceled", "expired"])
    async def test_keeps_the_order_if_its_goods_can_still_be_had(
        self, shop, order, variant, clock, way
    ):
        await self.give_up(shop, order, clock, way)

        paid = await hear(shop, order, *[told(order, "succeeded")] * 2)

        assert (paid.state, paid.version) == ("paid", 3)
        assert await shop.stock(variant) == 3

    @pytest.mark.parametrize("way", ["canceled", "expired"])
    async def test_is_the_customers_if_they_cannot(self, shop, order, variant, clock, way):
        await self.give_up(shop, order, clock, way)
        await shop.buy(variant, 4, user=BEN)

        late = await hear(shop, order, *[told(order, "succeeded")] * 2)

        assert (late.state, late.captured_minor, late.late) == ("paid_late", 3800, True)
        assert await books(shop, order) == ([f"late:{FIRST}"], [])
        assert (await facts(shop, order)).count(OrderPaidLate) == 1
        assert await shop.stock(variant) == 1

    async def give_up(self, shop, order, clock, way):
        if way == "canceled":
            await shop.cancel(order.id)
            return
        clock.advance(hours=25)
        assert await orders.expire_due(shop.database, NoGateway()) == 1

    async def test_goes_back_by_the_same_fold(self, shop, order, variant):
        await shop.cancel(order.id)
        await shop.buy(variant, 4, user=BEN)
        late = await hear(shop, order, told(order, "succeeded"))

        async with shop.database.transaction() as tx:
            by_line = {line.id: line.total_minor for line in late.lines}
            back = await orders.refunds_are(tx, order.id, by_line)

        assert (back.state, back.payment) == ("refunded", "refunded")


async def test_canceling_races_money_and_loses_nothing(shop, order, variant):
    await race(
        shop.database,
        lambda tx: orders.cancel(tx, ADA, order.id),
        lambda tx: orders.hear(tx, order.id, told(order, "succeeded")),
    )

    found, _ = await shop.history(order.id)
    assert (found.state, found.captured_minor) == ("paid", 3800)
    assert await shop.stock(variant) == 3
