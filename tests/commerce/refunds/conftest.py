"""Refund tests: orders that are paid, and what the processor says of their money."""

import itertools

import msgspec
import pytest
import pytest_asyncio

from commerce.foundation.invariants import look_at
from commerce.foundation.settings import DatabaseSettings, StripeSettings
from commerce.foundation.stripe_api import open_stripe
from commerce.invariants import INVARIANTS
from commerce.invoices import service as invoices
from commerce.ledger import service as ledger
from commerce.orders import service as orders
from commerce.orders.model import PaymentTold
from commerce.payments import service as payments
from commerce.payments.adapters.stripe_gateway import StripeGateway
from commerce.payments.model import Charge
from commerce.refunds import service
from commerce.refunds.adapters.stripe_refunds import StripeRefunds
from commerce.refunds.model import DisputeTold, RefundTold
from deploy.engines.ports import free_port
from protocol.ids import PaymentId
from protocol.money import Money
from shared.clock import SystemClock
from tests.commerce.shop import ADA, BEN, Shop
from tests.contracts.stripe.account import Account
from tests.contracts.stripe.standin import running_standin

KEY = "sk_test_contracts"


class RefundShop(Shop):
    """Each act is a transaction of its own."""

    numbers = itertools.count(1)

    async def placed(self, *prices, user=ADA, quantity=1, currency="EUR", stock=None):
        """Return an order that waits for its money, with a line for each price."""
        cart = None
        for price in prices or (1000,):
            variant = await self.add(
                f"Thing {next(self.numbers)}", price=price, currency=currency, stock=stock
            )
            cart = await self.put(variant, quantity, user=user)
        return await self.place(cart.version, user=user)

    async def paid(self, *prices, late=False, **facts):
        """Return a paid order with a line for each price."""
        if late:
            facts["stock"] = 1
        order = await self.placed(*prices, **facts)
        async with self.database.transaction() as tx:
            await _pay(tx, order, late=late)
            return await orders.of(tx, order.id)

    async def paid_at(self, gateway, *prices, card="pm_card_visa"):
        """Return an order that was paid with a card at the processor."""
        order = await self.placed(*prices)
        charge = Charge(
            order=order.id,
            buyer=order.buyer_id,
            amount=Money(amount_minor=order.total_minor, currency=order.currency),
            created_by_run="test",
            method=card,
        )
        async with self.database.transaction() as tx:
            attempt = await payments.open_attempt(tx, charge)
        outcome = await payments.submit(gateway, attempt, customer=None)
        async with self.database.transaction() as tx:
            recorded = await payments.record(tx, attempt.id, outcome)
            return await orders.settle(tx, recorded)

    async def attempt(self, order):
        async with self.database.transaction() as tx:
            return await payments.attempt_of_order(tx, order.id)

    async def order(self, order):
        async with self.database.transaction() as tx:
            return await orders.of(tx, order.id)

    async def request(self, order, amount_minor=None, *, parts=(), restocks=False):
        wanted = service.Wanted(
            order=order.id, amount_minor=amount_minor, parts=tuple(parts), reason="because"
        )
        async with self.database.transaction() as tx:
            return await service.request(tx, wanted, origin="staff", actor=BEN, restocks=restocks)

    async def ask(self, order, amount_minor=None, *, user=ADA, **given):
        wanted = service.Wanted(order=order.id, amount_minor=amount_minor, reason="it broke")
        async with self.database.transaction() as tx:
            return await service.ask(tx, user, wanted, **given)

    async def hear(self, refund, outcome, /, **facts):
        """Have the processor tell what became of a refund."""
        async with self.database.transaction() as tx:
            return await service.apply(tx, told_of(refund, outcome, **facts))

    async def refunded(self, order, amount_minor=None, **given):
        refund = await self.request(order, amount_minor, **given)
        return await self.hear(refund, "succeeded")

    async def hear_of_dispute(self, told):
        async with self.database.transaction() as tx:
            return await service.apply_dispute(tx, told)

    async def balances(self):
        async with self.database.transaction() as tx:
            found = await ledger.balances(tx)
        return {each.account: each.amount_minor for each in found}

    async def papers(self, order):
        async with self.database.transaction() as tx:
            found = await invoices.of_order(tx, order.id)
        return sorted((each.kind, each.total_minor) for each in found)


def told_of(refund, outcome, /, **facts):
    usual = {
        "stripe_refund_id": f"re_{refund.id}",
        "refund": refund.id,
        "order": refund.order_id,
        "outcome": outcome,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
    }
    return msgspec.convert(usual | facts, RefundTold)


def dispute_of(order, status, *, name="dp_1", **facts):
    usual = {
        "stripe_dispute_id": name,
        "order": order.id,
        "status": status,
        "reason": "fraudulent",
        "amount_minor": order.total_minor,
        "currency": order.currency,
        "withdrawn_minor": order.total_minor if status in {"needs_response", "lost"} else 0,
        "evidence_due_at": None,
        "opened_at": order.placed_at,
    }
    return msgspec.convert(usual | facts, DisputeTold)


async def _pay(tx, order, *, late):
    """Have the money of an order arrive; late, when it was given up and can be had no more."""
    if late:
        await orders.cancel(tx, order.buyer_id, order.id)
        await tx.execute("update variants set on_hand = 0 where on_hand is not null")
    money = PaymentTold(
        payment=PaymentId(tx.mint("pay")),
        version=1,
        state="succeeded",
        amount_minor=order.total_minor,
        currency=order.currency,
    )
    await orders.hear(tx, order.id, money)


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=16, acquire_timeout_ms=30_000)


@pytest_asyncio.fixture
async def shop(database):
    """A shop in which, after the test, everything is still true that must be."""
    shop = RefundShop(database)
    await shop.open()
    yield shop
    for verdict in await look_at(database, INVARIANTS):
        assert verdict.breaches == [], verdict.name


@pytest.fixture(scope="session")
def standin_url(scratch_folder):
    with running_standin(free_port(), file=scratch_folder / "stripe-refunds.sqlite") as url:
        yield url


@pytest_asyncio.fixture
async def account(standin_url):
    """The account at the stand-in, with its knobs."""
    found = Account(url=standin_url, secret_key=KEY)
    yield found
    await found.control("faults", verb="DELETE")
    await found.close()


@pytest_asyncio.fixture
async def stripe_api(standin_url):
    settings = StripeSettings(api_key=KEY, url=standin_url, timeout_ms=3_000)
    async with open_stripe(settings) as api:
        yield api


@pytest.fixture
def payment_gateway(stripe_api):
    return StripeGateway(stripe_api, SystemClock(), shop_url="https://shop.example")


@pytest.fixture
def gateway(stripe_api):
    return StripeRefunds(stripe_api)
