"""The ledger held beside what the processor says."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from commerce.app import create_app
from commerce.ledger import model, service
from commerce.ledger.adapters.stripe_balance import read_movement
from commerce.ledger.model import Movement
from commerce.settings import CommerceSettings
from protocol.ids import OrderId
from protocol.money import Money
from protocol.views import Person
from tests.commerce.caller import sign_in
from tests.commerce.shop import ADA, BEN

pytestmark = pytest.mark.usefixtures("in_order")

ORDER = OrderId("ord_01JD00000000000000000000A1")
EUROS = Money(amount_minor=1190, currency="EUR")


class FakeProcessor:
    """Says what it is told to say, a page for each."""

    def __init__(self, *said):
        self.said = said

    async def movements(self, *, since, until):
        for each in self.said:
            if since <= each.at < until:
                yield [each]


def a_charge(clock, identity="txn_1", order=ORDER, **facts):
    return msgspec.structs.replace(
        Movement(
            id=identity,
            kind="charge",
            keys=(f"sale:{order}",),
            asked=EUROS,
            settled=EUROS,
            fee=Money(amount_minor=42, currency="EUR"),
            at=clock.now(),
        ),
        **facts,
    )


async def sell(database, order=ORDER):
    async with database.transaction() as tx:
        sale = model.sale(order, total_minor=1190, tax_minor=190, currency="EUR")
        await service.post(tx, sale)


async def balances(database):
    async with database.transaction() as tx:
        return {
            (each.account, each.currency): each.amount_minor for each in await service.balances(tx)
        }


async def differences(database):
    async with database.transaction() as tx:
        return [(each.what, each.key) for each in await service.differences(tx)]


class TestReconciling:
    async def test_posts_the_fees_and_finds_nothing_amiss(self, database, clock):
        await sell(database)
        charge = a_charge(clock)
        clock.advance(hours=2)

        first = await service.reconcile(database, FakeProcessor(charge))
        second = await service.reconcile(database, FakeProcessor(charge))

        assert [(run.transactions, run.differences) for run in (first, second)] == [(1, 0), (0, 0)]
        found = await balances(database)
        assert (found["processor", "EUR"], found["processor_fees", "EUR"]) == (1190 - 42, 42)

    async def test_says_what_the_ledger_does_not_have(self, database, clock):
        charge = a_charge(clock)
        clock.advance(hours=2)

        run = await service.reconcile(database, FakeProcessor(charge))

        assert run.differences == 1
        assert await differences(database) == [("is not in the ledger", "txn_1")]
        await sell(database)
        clock.advance(hours=2)
        again = await service.reconcile(database, FakeProcessor(charge))
        assert again.differences == 0

    async def test_says_what_the_processor_does_not_have(self, database, clock):
        await sell(database)
        clock.advance(hours=2)

        await service.reconcile(database, FakeProcessor())

        assert await differences(database) == [("is not at the processor", f"sale:{ORDER}")]

    async def test_says_where_amounts_differ(self, database, clock):
        await sell(database)
        charge = a_charge(clock, asked=Money(amount_minor=1191, currency="EUR"))
        clock.advance(hours=2)

        await service.reconcile(database, FakeProcessor(charge))

        assert await differences(database) == [("is not in the ledger", "txn_1")]

    async def test_leaves_the_last_hour_out(self, database, clock):
        charge = a_charge(clock)
        clock.advance(minutes=59)

        assert (await service.reconcile(database, FakeProcessor(charge))).transactions == 0

    async def test_books_payouts_and_changes_of_currency(self, database, clock):
        await sell(database)
        dollars = Money(amount_minor=1300, currency="USD")
        none = Money(amount_minor=0, currency="USD")
        out = Money(amount_minor=-1000, currency="USD")
        said = (
            a_charge(clock, settled=dollars, fee=none),
            a_charge(clock, "txn_2", kind="payout", keys=(), asked=out, settled=out, fee=none),
        )
        clock.advance(hours=2)

        run = await service.reconcile(database, FakeProcessor(*said))

        assert run.differences == 0
        found = await balances(database)
        assert (found["processor", "EUR"], found["exchange", "EUR"]) == (0, 1190)
        assert (found["processor", "USD"], found["exchange", "USD"]) == (300, -1300)
        assert found["bank", "USD"] == 1000

    async def test_goes_on_where_a_broken_run_stood(self, database, clock):
        class Breaking(FakeProcessor):
            async def movements(self, *, since, until):
                async for page in super().movements(since=since, until=until):
                    yield page
                    raise ConnectionError

        await sell(database)
        charge = a_charge(clock)
        clock.advance(hours=2)
        with pytest.raises(ConnectionError):
            await service.reconcile(database, Breaking(charge))

        run = await service.reconcile(database, FakeProcessor(charge))

        assert run.differences == 0
        assert (await balances(database))["processor_fees", "EUR"] == 42


class TestStripesWord:
    async def test_names_the_order_it_is_of(self, stripe, balance):
        intent = await stripe.v1.payment_intents.create_async(
            {
                "amount": 1190,
                "currency": "eur",
                "metadata": {"rialto_order": ORDER, "rialto_payment": "pay_1"},
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )
        assert intent.status == "succeeded"
        now = datetime.now(UTC)  # noqa: TID251 - the stand-in has a clock of its own

        pages = balance.movements(since=now - timedelta(days=1), until=now + timedelta(days=1))
        (said,) = [each async for page in pages for each in page]

        assert (said.kind, said.asked) == ("charge", EUROS)
        assert said.keys == (f"sale:{ORDER}", "late:pay_1")
        assert said.fee.amount_minor > 0

    def test_of_a_refund_is_negative_in_both_currencies(self):
        said = read_movement(
            {
                "id": "txn_1",
                "type": "refund",
                "amount": -500,
                "currency": "usd",
                "fee": 0,
                "created": 1_790_000_000,
                "source": {
                    "amount": 460,
                    "currency": "eur",
                    "metadata": {"rialto_refund": "rfd_1"},
                },
            }
        )

        assert (said.asked.amount_minor, said.asked.currency) == (-460, "EUR")
        assert said.keys == ("refund:rfd_1",)

    def test_of_what_is_unknown_is_other(self):
        said = read_movement(
            {
                "id": "txn_1",
                "type": "climate_order_purchase",
                "amount": -500,
                "currency": "usd",
                "fee": 0,
                "created": 1_790_000_000,
                "source": None,
            }
        )

        assert (said.kind, said.keys) == ("other", ())


class TestTheDoor:
    async def test_reports_to_the_staff_only(self, database, redis, clock):
        app = create_app(CommerceSettings(), database=database, redis=redis, clock=clock)
        boss = await sign_in(app, redis, clock, Person(id=ADA, name="Ada"), roles=("staff",))
        ben = await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))
        await sell(database)

        report = await boss.get("/v1/admin/ledger/balances", since="2026-01-01T00:00:00Z")
        postings = await boss.get(f"/v1/admin/ledger/orders/{ORDER}")
        standing = await boss.get("/v1/admin/ledger/differences")

        assert sum(each["amount_minor"] for each in report.body["balances"]) == 0
        assert [each["key"] for each in postings.body["items"]] == [f"sale:{ORDER}"]
        assert standing.body == {"differences": [], "last": None}
        for path in ("balances", f"orders/{ORDER}", "differences"):
            assert (await ben.get(f"/v1/admin/ledger/{path}")).code == "forbidden"
