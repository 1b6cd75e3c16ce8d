"""Subscription tests: a shop with plans, a bank, and a clock that is set."""

import pytest
import pytest_asyncio

from commerce.foundation.invariants import look_at
from commerce.invariants import INVARIANTS
from commerce.orders import service as orders
from commerce.payments import service as payments
from commerce.payments.model import Charge
from commerce.subscriptions import service
from commerce.subscriptions.model import Interval, NewPlan
from protocol.money import Money
from tests.commerce.shop import ADA, Shop
from tests.commerce.subscriptions.bank import Bank

CARD = service.Method(id="pm_1", fingerprint="fp_1")


class SubscriptionShop(Shop):
    """Each act is a transaction of its own."""

    def __init__(self, database, clock, bank):
        super().__init__(database)
        self.clock = clock
        self.bank = bank
        self.variant = None

    async def plan(self, title="Basic", *, price=1000, unit="month", count=1, **facts):
        """Offer a plan of the one thing there is to subscribe to."""
        if self.variant is None:
            self.variant = await self.add("Library")
        prices = facts.pop("prices", (("EUR", price),))
        new = NewPlan(
            variant_id=self.variant,
            title=title,
            interval=Interval(unit=unit, count=count),
            prices=prices,
            entitlements=facts.pop("entitlements", (title.lower(),)),
            **facts,
        )
        async with self.database.transaction() as tx:
            return (await service.create_plan(tx, new)).plan

    async def start(self, plan, *, user=ADA, **wanted):
        await payments.customer_for(self.database, self.bank, user)
        async with self.database.transaction() as tx:
            return await service.start(tx, user, service.Wanted(plan=plan.id, **wanted))

    async def subscribe(self, plan, *, user=ADA, **wanted):
        """Subscribe and pay the first order in the browser."""
        started = await self.start(plan, user=user, method=CARD, **wanted)
        await self.pay(started.order.id)
        await self.follow(started.order.id)
        return await self.of(started.subscription.id, user=user)

    async def attempt(self, order):
        """Open an attempt as the buyer does, or go on with the one there is."""
        async with self.database.transaction() as tx:
            live = await payments.attempt_of_order(tx, order)
            if live is not None:
                return live
            found = await orders.of(tx, order)
            charge = Charge(
                order=order,
                buyer=found.buyer_id,
                amount=Money(amount_minor=found.total_minor, currency=found.currency),
                created_by_run="run_1",
            )
            return await payments.open_attempt(tx, charge)

    async def pay(self, order):
        """Pay an order in the browser; the webhook tells, but subscriptions do not hear yet."""
        attempt = await self.attempt(order)
        seen = self.bank.pay(attempt)
        async with self.database.transaction() as tx:
            await orders.settle(tx, await payments.record(tx, attempt.id, seen))

    async def follow(self, order):
        async with self.database.transaction() as tx:
            return await service.follow(tx, order)

    async def turn(self):
        async with self.database.transaction() as tx:
            await service.turn(tx)

    async def work(self):
        """Do all that the worker does at one moment."""
        await self.turn()
        await service.collect(self.database, self.bank)
        await service.cancel_unwanted(self.database, self.bank)
        async with self.database.transaction() as tx:
            await service.catch_up(tx)

    async def until(self, moment):
        """Set the clock, and let the worker do its work."""
        self.clock.advance(seconds=(moment - self.clock.now()).total_seconds())
        await self.work()

    async def turn_at(self, moment):
        """Set the clock, and let periods begin; nothing is charged yet."""
        self.clock.advance(seconds=(moment - self.clock.now()).total_seconds())
        await self.turn()

    async def days(self, count):
        """Let the worker work for some days, twice a day."""
        for _ in range(2 * count):
            self.clock.advance(hours=12)
            await self.work()

    async def act(self, act, subscription, *given, user=ADA, **named):
        async with self.database.transaction() as tx:
            return await act(tx, user, subscription.id, *given, **named)

    async def of(self, subscription, *, user=ADA):
        async with self.database.transaction() as tx:
            return (await service.view(tx, user, subscription))[0]

    async def charges(self, subscription, *, user=ADA):
        async with self.database.transaction() as tx:
            return list(reversed((await service.view(tx, user, subscription.id))[1]))

    async def facts(self, subscription, *, user=ADA):
        async with self.database.transaction() as tx:
            return [each.fact for each in (await service.view(tx, user, subscription.id))[2]]

    async def order(self, order):
        async with self.database.transaction() as tx:
            return await orders.of(tx, order)

    async def entitlements(self, user=ADA):
        async with self.database.transaction() as tx:
            return await service.entitlements.of(tx, user)


@pytest.fixture
def bank(clock):
    return Bank(clock)


@pytest_asyncio.fixture
async def shop(database, clock, bank):
    shop = SubscriptionShop(database, clock, bank)
    await shop.open()
    yield shop
    broken = [each for each in await look_at(database, INVARIANTS) if not each.holds]
    assert {each.name: each.breaches for each in broken} == {}
