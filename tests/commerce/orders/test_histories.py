"""Thousands of random histories: the table is never left, stock never oversold, money never lost.

What is told of a payment comes twice, late and shuffled. Most histories are of the pure machine; a
few hundred steps are taken on a real database, with every invariant looked at afterwards.
"""

import contextlib
import random

import pytest
from hypothesis import given, settings, strategies as st

from commerce.cart.errors import CartEmptyError
from commerce.catalog.errors import OutOfStockError
from commerce.invariants import INVARIANTS
from commerce.orders import service as orders
from commerce.orders.errors import (
    IllegalTransitionError,
    NotForThisStateError,
    NotPayableError,
    PaymentUnderWayError,
    RefundsDoNotFitError,
)
from commerce.orders.model import PaymentTold, is_legal, machine, outcome
from commerce.payments import repository as attempts, service as payments
from tests.commerce.in_order import assert_in_order
from tests.commerce.orders.builders import NOW, a_line, an_order
from tests.commerce.orders.gateways import ScriptedGateway
from tests.commerce.shop import ADA, BEN

PAYMENT_LIVES = (
    ("requires_method", "requires_action", "succeeded"),
    ("requires_action", "processing", "succeeded"),
    ("requires_method", "processing", "requires_method", "processing", "succeeded"),
    ("processing", "failed"),
    ("requires_method", "canceled"),
    ("succeeded",),
)
STEPS_OF_THE_SHOP = 120
REFUSALS = (
    CartEmptyError,
    IllegalTransitionError,
    NotForThisStateError,
    NotPayableError,
    OutOfStockError,
    PaymentUnderWayError,
    RefundsDoNotFitError,
)


@st.composite
def news(draw):
    """What is told of one attempt: all its life, each piece once or more, in any order."""
    life = draw(st.sampled_from(PAYMENT_LIVES))
    pieces = [
        PaymentTold(
            payment="pay_1",
            version=version,
            state=state,
            amount_minor=1900,
            currency="EUR",
            failure="card_declined" if state in {"failed", "requires_method"} else None,
        )
        for version, state in enumerate(life, start=1)
    ]
    told = [piece for piece in pieces for _ in range(draw(st.integers(1, 3)))]
    return life, draw(st.permutations(told))


def heard(order, told):
    """Make of an order what is told of its money, as the service does; pure."""
    match outcome(order, told):
        case "process":
            return machine.process(order, NOW, told)
        case "fail":
            return machine.fail(order, NOW, told)
        case "pay":
            return machine.pay(order, NOW, told)
        case "keep_or_return":
            return machine.pay_late(order, NOW, told)
    return None


class TestNewsOfOnePayment:
    @settings(max_examples=2_000, deadline=None)
    @given(told=news(), given_up=st.none() | st.tuples(st.integers(0, 8), st.booleans()))
    def test_ends_the_same_way_in_whatever_order_it_comes(self, told, given_up):
        life, pieces = told
        order = machine.place(an_order(lines=[a_line(price=1900)]), NOW).after
        steps = []
        for place, piece in enumerate(pieces):
            if given_up is not None and given_up[0] == place and order.state == "awaiting_payment":
                steps.append((machine.cancel if given_up[1] else machine.expire)(order))
                order = steps[-1].after
            step = heard(order, piece)
            if step is not None:
                steps.append(step)
                order = step.after

        assert all(is_legal(each.before.state, each.after.state, each.fact) for each in steps)
        assert sum(each.fact in {"order_paid", "order_paid_late"} for each in steps) == (
            1 if life[-1] == "succeeded" else 0
        )
        if life[-1] == "succeeded":
            assert order.captured_minor == order.total_minor
            assert order.state in {"paid", "paid_late"}
        else:
            assert order.captured_minor == 0


class World:
    """Two buyers, two scarce things, and a gateway that moves on by itself."""

    def __init__(self, shop, clock, dice):
        self.shop = shop
        self.database = shop.database
        self.clock = clock
        self.dice = dice
        self.gateway = ScriptedGateway(clock)
        self.variants = []
        self.orders = []

    async def open(self):
        for number, stock in enumerate((3, 6)):
            self.variants.append(await self.shop.add(f"No {number}", price=1900, stock=stock))

    async def step(self):
        often = (self.buy, self.pay, self.bank) * 2
        seldom = (self.cancel, self.expire, self.refund, self.overlay, self.fulfil, self.replay)
        act = self.dice.choice((*often, *seldom))
        with contextlib.suppress(*REFUSALS):
            await act()

    async def buy(self):
        buyer, variant = self.dice.choice((ADA, BEN)), self.dice.choice(self.variants)
        order = await self.shop.buy(variant, self.dice.randint(1, 2), user=buyer)
        self.orders.append(order)

    def one(self):
        if not self.orders:
            raise CartEmptyError
        return self.dice.choice(self.orders)

    async def pay(self):
        order = self.one()
        self.gateway.answer = self.dice.choice(
            ("requires_method", "requires_action", "processing", "succeeded")
        )
        if self.dice.random() < 0.2:
            self.gateway.lose("submit")
        asked = orders.PayRequest(buyer=order.buyer_id, order=order.id, run="history")
        await orders.pay(self.database, self.gateway, asked)
        self.gateway.lost.clear()

    async def bank(self):
        """Have something happen at Stripe, and maybe hear of it, maybe not yet."""
        moving = [
            payment
            for payment, intent in self.gateway.intents.items()
            if intent["state"] not in {"succeeded", "canceled"}
        ]
        if moving:
            state = self.dice.choice(("succeeded", "processing", "requires_method"))
            failure = "card_declined" if state == "requires_method" else None
            self.gateway.move(self.dice.choice(moving), state, failure)
            if self.dice.random() < 0.6:
                await self.replay()

    async def replay(self):
        """Hear of any payment, once or thrice, as webhooks tell."""
        if not self.gateway.intents:
            return
        payment = self.dice.choice(list(self.gateway.intents))
        async with self.database.transaction() as tx:
            attempt = await attempts.find(tx, payment)
        for _ in range(self.dice.choice((1, 3))):
            async with self.database.transaction() as tx:
                recorded = await payments.record(tx, payment, self.gateway.seen(attempt))
                await orders.settle(tx, recorded)

    async def cancel(self):
        await orders.call_off(self.database, self.gateway, self.one().id)

    async def expire(self):
        self.clock.advance(hours=self.dice.choice((1, 13)))
        await orders.expire_due(self.database, self.gateway)

    async def refund(self):
        order = self.one()
        by_line = {line.id: self.dice.randint(0, line.total_minor) for line in order.lines}
        if self.dice.random() < 0.3:
            by_line = {line.id: line.total_minor for line in order.lines}
        async with self.database.transaction() as tx:
            await orders.refunds_are(tx, order.id, by_line)

    async def overlay(self):
        order = self.one()
        async with self.database.transaction() as tx:
            if self.dice.random() < 0.5:
                held = self.dice.random() < 0.5
                await orders.set_held(tx, order.id, held=held, reason="history")
            else:
                await orders.dispute_is(tx, order.id, self.dice.choice(("open", "won", "lost")))

    async def fulfil(self):
        async with self.database.transaction() as tx:
            await orders.fulfil(tx, self.one().id)


MADE_UP = {"refunds.told_to_their_orders", "delivery.paid_lines_are_granted"}
"""Histories tell refunds and deliveries without the features that keep them."""

LOOKED_AT = [each for each in INVARIANTS if each.name not in MADE_UP]


class TestAShopInWhichEverythingHappens:
    @pytest.mark.parametrize("seed", range(4))
    async def test_stays_in_order(self, shop, clock, seed):
        world = World(shop, clock, random.Random(seed))  # noqa: S311 - a history, no secret
        await world.open()

        for _ in range(STEPS_OF_THE_SHOP):
            await world.step()

        await assert_in_order(shop.database, LOOKED_AT)
        for variant in world.variants:
            assert (await shop.stock(variant)) >= 0
        assert len(world.orders) > 5
