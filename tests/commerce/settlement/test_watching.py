"""What nobody told us is found all the same."""

import asyncio

import pytest

from commerce.__main__ import CANNOT_START, main
from commerce.payments import service as payments
from commerce.payments.model import AWAITS_ANSWER
from commerce.settlement import service as settlement

pytestmark = pytest.mark.usefixtures("in_order")


class TestTheReconciliation:
    async def test_finds_an_attempt_that_was_charged_and_never_recorded(self, till):
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)

        moved = await settlement.reconcile(till.standing, AWAITS_ANSWER, older_than_seconds=0)

        assert moved == 1
        assert await till.state(order) in {"paid", "fulfilled"}

    async def test_submits_an_attempt_that_never_got_to_stripe(self, till):
        order = await till.order()
        await till.open(order)

        await settlement.reconcile(till.standing, AWAITS_ANSWER, older_than_seconds=0)

        assert await till.state(order) in {"paid", "fulfilled"}

    async def test_charges_once_though_it_and_the_one_who_waits_both_submit(self, till):
        order = await till.order()
        attempt = await till.open(order)
        outcome = await till.submit(attempt)

        await settlement.reconcile(till.standing, AWAITS_ANSWER, older_than_seconds=0)
        await till.record(attempt, outcome)

        assert (await till.steps(order)).count("paid") == 1

    async def test_leaves_alone_what_waits_for_its_buyer(self, till):
        order = await till.order()
        attempt = await till.open(order, method=None)
        await till.record(attempt, await till.submit(attempt))

        assert await settlement.reconcile(till.standing, AWAITS_ANSWER, older_than_seconds=0) == 0

    async def test_comes_to_every_attempt_however_many_wait(self, till, monkeypatch):
        monkeypatch.setattr(payments, "UNSETTLED_AT_ONCE_MAX", 2)
        orders = [await till.order() for _ in range(5)]
        for order in orders:
            await till.submit(await till.open(order))

        moved = await settlement.reconcile(till.standing, AWAITS_ANSWER, older_than_seconds=0)

        assert moved == 5


class TestTheSweep:
    async def test_takes_in_what_no_delivery_brought(self, till, account):
        endpoint = await account.api.webhook_endpoints.create_async(
            {"url": "http://127.0.0.1:9/nobody", "enabled_events": ["*"]}
        )
        await account.control("webhooks", retry_seconds=[])
        order = await till.order()
        attempt = await till.open(order)
        await till.submit(attempt)
        await account.control("webhooks/idle", verb="GET")

        new = await settlement.sweep(till.standing, is_live=False)
        again = await settlement.sweep(till.standing, is_live=False)
        while await till.settle():
            pass

        assert (new > 0, again) == (True, 0)
        assert await till.state(order) in {"paid", "fulfilled"}
        await account.api.webhook_endpoints.delete_async(endpoint.id)
        await account.control("webhooks")


class TestReplay:
    async def test_names_what_it_has_settled_again(
        self, till, monkeypatch, database_url, redis_url, capsys
    ):
        order = await till.paid()
        events = await till.events_about(await till.attempt(order))
        await till.hear(*events)
        await till.settle()
        monkeypatch.setenv("RIALTO_DATABASE_URL", database_url)
        monkeypatch.setenv("RIALTO_REDIS_URL", redis_url)

        codes = [
            await asyncio.to_thread(main, ["stripe", "replay", *words])
            for words in (["--hours", "1"], ["--dead"], [])
        ]

        said = capsys.readouterr().out
        assert codes == [0, 0, CANNOT_START]
        assert f"to be settled again: {len(events)}" in said
        assert "to be settled again: 0" in said
        await till.settle()
        assert (await till.steps(order)).count("paid") == 1
