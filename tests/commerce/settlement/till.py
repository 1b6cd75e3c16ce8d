"""Short ways to be paid, or nearly: each act is a transaction of its own, or a call outside."""

import msgspec

from commerce.foundation.stripe_api import plain
from commerce.orders import service as orders
from commerce.payments import service as payments
from commerce.payments.model import Charge
from commerce.settlement import service as settlement
from protocol.money import Money
from tests.commerce.shop import ADA
from tests.contracts.stripe.account import told_of


class Till:
    """A till of a shop, at which Stripe may be told of before we are."""

    def __init__(self, shop, standing, account):
        self.shop = shop
        self.standing = standing
        self.database = standing.database
        self.gateway = standing.gateway
        self.account = account
        self.titles = 0

    async def order(self, *, price=1250, **facts):
        """Place an order that waits to be paid."""
        self.titles += 1
        variant = await self.shop.add(f"Halden {self.titles}", price=price, **facts)
        return await self.shop.buy(variant)

    async def open(self, order, *, method="pm_card_visa", run="test"):
        """Write down that an order is about to be paid."""
        async with self.database.transaction() as tx:
            return await payments.open_attempt(
                tx,
                Charge(
                    order=order.id,
                    buyer=order.buyer_id,
                    amount=Money(amount_minor=order.total_minor, currency=order.currency),
                    method=method,
                    created_by_run=run,
                ),
            )

    async def submit(self, attempt):
        return await payments.submit(self.gateway, attempt, customer=None)

    async def record(self, attempt, outcome):
        async with self.database.transaction() as tx:
            return await settlement.apply(tx, attempt, outcome)

    async def paid(self, **facts):
        """Place an order and pay it."""
        order = await self.order(**facts)
        attempt = await self.open(order)
        await self.record(attempt, await self.submit(attempt))
        return order

    async def now(self, order):
        async with self.database.transaction() as tx:
            return await orders.of(tx, order.id)

    async def attempt(self, order):
        async with self.database.transaction() as tx:
            return (await payments.attempts_of(tx, order.id))[0]

    async def state(self, order):
        async with self.database.transaction() as tx:
            return (await orders.of(tx, order.id)).state

    async def steps(self, order):
        _, events = await self.shop.history(order.id, user=ADA)
        return [event.to_state for event in events]

    async def events_about(self, attempt):
        """Return, as JSON, what Stripe has to tell of an attempt, the oldest first."""
        found = await self.account.api.events.list_async({"limit": 100})
        told = [each for each in reversed(found.data) if _is_about(plain(each), attempt)]
        return [raw_of(each) for each in told]

    async def events_of(self, object_id):
        """Return, as JSON, the events about one of Stripe's objects, the oldest first."""
        found = await self.account.api.events.list_async({"limit": 100})
        told = [each for each in reversed(found.data) if told_of(each) == object_id]
        return [raw_of(each) for each in told]

    async def hear(self, *events):
        """Have events written down."""
        async with self.database.transaction() as tx:
            return [await settlement.accept(tx, each, is_live=False) for each in events]

    async def settle(self):
        """Settle whatever is due."""
        return await settlement.settle_due(self.standing)

    async def count(self, state):
        async with self.database.transaction() as tx:
            return await settlement.count_waiting(tx, state)


def _is_about(event, attempt):
    about = event["data"]["object"]
    return (about.get("metadata") or {}).get("rialto_payment") == attempt.id


def kind_of(event):
    return msgspec.json.decode(event)["type"]


def raw_of(event):
    """Return an event of the client's as a delivery has it."""
    return msgspec.json.encode(plain(event))
