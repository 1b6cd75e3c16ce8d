"""Races for one order's money, each by its name in the list of the design (research, §3)."""

import asyncio
import signal
from contextlib import contextmanager

import msgspec
import pytest

from commerce.orders import service as orders
from commerce.orders.errors import IllegalTransitionError
from commerce.payments.model import AWAITS_ANSWER, Unheard
from commerce.settlement import service as settlement
from shared.environment import process_variables
from tests.commerce.payments.conftest import KEY
from tests.commerce.test_programs import Program
from tests.commerce.waiting import until
from tests.contracts.stripe.account import RETURN_URL

pytestmark = pytest.mark.usefixtures("in_order")

PAID = {"paid", "fulfilled"}


async def charges_for(till, order):
    """Return how many intents took money for an order at Stripe."""
    intents = (await till.account.api.payment_intents.list_async({"limit": 100})).data
    ours = [each for each in intents if each.metadata.to_dict().get("rialto_order") == order.id]
    return len([each for each in ours if each.status == "succeeded"])


async def assert_paid_once(till, order):
    assert await till.state(order) in PAID
    assert (await till.steps(order)).count("paid") == 1
    assert await charges_for(till, order) == 1


class TestR1TheWebhookBeforeOurRecord:
    async def test_pays_the_order_and_the_record_changes_nothing(self, till):
        order = await till.order()
        attempt = await till.open(order)
        outcome = await till.submit(attempt)

        await till.hear(*await till.events_about(attempt))
        await till.settle()
        await till.record(attempt, outcome)

        await assert_paid_once(till, order)


class TestR2TheWebhookBesideTheAnswer:
    async def test_is_one_payment_whoever_is_faster(self, till):
        order = await till.order()
        attempt = await till.open(order)
        outcome = await till.submit(attempt)
        await till.hear(*await till.events_about(attempt))

        await asyncio.gather(
            till.settle(), till.record(attempt, outcome), till.record(attempt, outcome)
        )

        await assert_paid_once(till, order)


class TestR3OneEventManyTimesOnManyWorkers:
    async def test_is_one_payment(self, till):
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)
        events = await till.events_about(attempt)

        new = await asyncio.gather(*(till.hear(events[-1]) for _ in range(5)))
        await asyncio.gather(*(till.settle() for _ in range(4)))

        assert sum(each for told in new for each in told) == 1
        await assert_paid_once(till, order)


class TestR4NewsThatComesTooLate:
    @pytest.mark.parametrize("state", ["processing", "requires_method", "canceled"])
    async def test_takes_nothing_back(self, till, state):
        order = await till.order()
        attempt = await till.open(order)
        outcome = await till.submit(attempt)
        await till.record(attempt, outcome)

        late = msgspec.structs.replace(outcome, state=state, failure="card_declined")
        await till.record(attempt, late)

        assert (await till.attempt(order)).state == "succeeded"
        await assert_paid_once(till, order)


class TestR6CancelBesideSuccess:
    async def begun(self, till):
        order = await till.order()
        attempt = await till.open(order, method=None)
        return order, await till.record(attempt, await till.submit(attempt))

    async def confirm(self, till, attempt):
        asked = {"payment_method": "pm_card_visa", "return_url": RETURN_URL}
        return await till.account.api.payment_intents.confirm_async(attempt.intent_id, asked)

    async def test_money_that_was_faster_pays_the_order(self, till, account):
        order, attempt = await self.begun(till)
        path = f"/v1/payment_intents/{attempt.intent_id}/cancel"
        await account.control("faults", kind="hold", method="POST", path=path)
        calling_off = asyncio.create_task(
            orders.call_off(till.database, till.gateway, order.id, buyer=order.buyer_id)
        )
        await account.control("held/1", verb="GET")

        await self.confirm(till, attempt)
        await account.control("release")
        await asyncio.gather(calling_off, return_exceptions=True)

        await assert_paid_once(till, order)

    async def test_an_order_that_was_canceled_first_takes_no_money(self, till):
        order, attempt = await self.begun(till)

        await orders.call_off(till.database, till.gateway, order.id, buyer=order.buyer_id)
        late = await asyncio.gather(self.confirm(till, attempt), return_exceptions=True)

        assert isinstance(late[0], Exception)
        assert await till.state(order) == "canceled"
        assert await charges_for(till, order) == 0
        with pytest.raises(IllegalTransitionError):
            await orders.call_off(till.database, till.gateway, order.id, buyer=order.buyer_id)


class TestR9AWorkerKilledBetweenTheRowAndItsRecord:
    @pytest.mark.parametrize("kind", ["hold", "timeout_after"])
    async def test_has_charged_once_when_the_next_one_has_looked(
        self, till, account, kind, standin_url, database_url, redis_url, tmp_path
    ):
        """It is killed before Stripe did anything (`hold`), or after and before it heard."""
        order = await till.order()
        await till.open(order)
        await broken_off_long_ago(till.database)
        variables = worker_variables(standin_url, database_url, redis_url)
        intents = {"method": "POST", "path": "/v1/payment_intents"}
        await account.control("faults", kind=kind, seconds=30, **intents)

        with running_worker(variables, tmp_path / "first") as first:
            if kind == "hold":
                await account.control("held/1", verb="GET")
            else:
                await until(lambda: charges_for(till, order))
            first.send_signal(signal.SIGKILL)
            first.wait(timeout=15)
        await account.control("release")
        await account.control("faults", verb="DELETE")
        before = await till.state(order)
        async with till.database.transaction() as tx:
            await tx.execute("update job_runs set next_run_at = now() - interval '1 s'")
        with running_worker(variables, tmp_path / "second"):
            await until(lambda: is_paid(till, order), seconds_max=60)

        assert before == "awaiting_payment"
        await assert_paid_once(till, order)


class TestR10AnAnswerThatIsLostOnTheWay:
    @pytest.mark.parametrize("kind", ["cut_after", "error_after", "timeout_after"])
    async def test_is_asked_after_and_nothing_is_charged_twice(self, till, account, kind):
        order = await till.order()
        attempt = await till.open(order)
        await account.control(
            "faults", kind=kind, method="POST", path="/v1/payment_intents", count=9, seconds=4
        )

        await till.record(attempt, Unheard())
        await till.submit(attempt)
        await account.control("faults", verb="DELETE")
        await make_old(till.database)
        await settlement.reconcile(till.standing, AWAITS_ANSWER, older_than_seconds=0)

        await assert_paid_once(till, order)


class TestR18AMethodDetachedBesideACharge:
    async def test_fails_the_charge_and_the_order_can_be_paid_otherwise(self, till, account):
        customer = await account.customer_with_card()
        (method,) = (await account.api.customers.payment_methods.list_async(customer.id)).data
        order = await till.order()
        attempt = await till.open(order, method=method.id)
        await account.api.payment_methods.detach_async(method.id)

        refused = await till.record(attempt, await till.submit(attempt))
        again = await till.open(order)
        await till.record(again, await till.submit(again))

        assert refused.state == "failed"
        await assert_paid_once(till, order)


class TestR24TwoRunsOfOnePayment:
    async def test_share_the_one_attempt_and_neither_undoes_the_other(self, till):
        order = await till.order()

        async def run(name):
            asked = orders.PayRequest(buyer=order.buyer_id, order=order.id, run=name)
            return await orders.pay(till.database, till.gateway, asked)

        begun = await asyncio.gather(run("a"), run("b"), run("c"))

        assert len({each.attempt.id for each in begun}) == 1
        assert len({each.attempt.intent_id for each in begun}) == 1
        assert await till.state(order) == "awaiting_payment"


async def is_paid(till, order):
    return await till.state(order) in PAID


async def broken_off_long_ago(database):
    """Make the one attempt as if its web process had been killed before it called Stripe."""
    async with database.transaction() as tx:
        await tx.execute("update payments set submitted_at = now() - interval '1 h'")


async def make_old(database):
    """Make attempts so old that Stripe has forgotten their keys: they are looked up instead."""
    async with database.transaction() as tx:
        await tx.execute("update payments set submitted_at = now() - interval '21 h'")


@contextmanager
def running_worker(variables, log):
    process = Program("worker", variables, log).process
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=15)


def worker_variables(standin_url, database_url, redis_url):
    return {
        "PATH": process_variables()["PATH"],
        "RIALTO_DATABASE_URL": database_url,
        "RIALTO_REDIS_URL": redis_url,
        "RIALTO_WORKER_OPERATOR_PORT": "0",
        "STRIPE_API_KEY": KEY,
        "RIALTO_STRIPE_URL": standin_url,
    }
