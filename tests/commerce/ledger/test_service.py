import random
from collections import Counter

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import given, strategies as some

from commerce.ledger import model, service
from commerce.ledger.errors import PostingDiffersError, UnbalancedPostingError
from commerce.ledger.model import ACCOUNTS, Entry, Posting
from protocol.ids import OrderId, PaymentId, RefundId
from tests.commerce.racing import race, won

pytestmark = pytest.mark.usefixtures("in_order")

ORDER = OrderId("ord_01JD00000000000000000000A1")
OTHER = OrderId("ord_01JD00000000000000000000B1")
REFUND = RefundId("rfd_01JD00000000000000000000A1")
PAYMENT = PaymentId("pay_01JD00000000000000000000A1")


def a_sale(order=ORDER, total=11900, tax=1900):
    return model.sale(order, total_minor=total, tax_minor=tax, currency="EUR")


class Books:
    def __init__(self, database):
        self.database = database

    async def post(self, posting):
        async with self.database.transaction() as tx:
            return await service.post(tx, posting)

    async def balances(self, **times):
        async with self.database.transaction() as tx:
            found = await service.balances(tx, **times)
        return {(each.account, each.currency): each.amount_minor for each in found}

    async def of_order(self, order):
        async with self.database.transaction() as tx:
            return await service.of_order(tx, order)

    async def run(self, sql, *arguments):
        async with self.database.transaction() as tx:
            await tx.execute(sql, *arguments)


@pytest_asyncio.fixture
async def books(database):
    return Books(database)


class TestPosting:
    async def test_a_sale_is_money_at_the_processor_and_tax_that_is_owed(self, books):
        assert await books.post(a_sale())

        assert await books.balances() == {
            ("processor", "EUR"): 11900,
            ("sales", "EUR"): -10000,
            ("tax_payable", "EUR"): -1900,
        }

    async def test_the_same_key_again_changes_nothing(self, books):
        assert [await books.post(a_sale()) for _ in range(3)] == [True, False, False]
        assert len(await books.of_order(ORDER)) == 1

    async def test_the_same_key_with_other_entries_is_a_mistake(self, books):
        await books.post(a_sale())

        with pytest.raises(PostingDiffersError):
            await books.post(a_sale(total=500, tax=0))

    async def test_of_nothing_is_not_written(self, books):
        assert not await books.post(a_sale(total=0, tax=0))
        assert await books.of_order(ORDER) == []

    async def test_what_does_not_balance_is_refused(self, books):
        entries = (
            Entry(account="processor", amount_minor=5, currency="EUR"),
            Entry(account="sales", amount_minor=-5, currency="USD"),
        )
        with pytest.raises(UnbalancedPostingError):
            await books.post(Posting(key="odd", entries=entries, memo="Odd"))

    async def test_everything_given_back_leaves_nothing(self, books):
        amounts = {"amount_minor": 11900, "tax_minor": 1900, "currency": "EUR"}
        await books.post(a_sale())
        await books.post(model.refund(REFUND, ORDER, **amounts))

        left = await books.balances()

        assert (left["processor", "EUR"], left["tax_payable", "EUR"]) == (0, 0)
        assert left["sales", "EUR"] + left["refunds", "EUR"] == 0
        assert [each.key for each in await books.of_order(ORDER)] == [
            f"sale:{ORDER}",
            f"refund:{REFUND}",
        ]

    async def test_is_counted_in_the_time_it_was_made(self, books, clock):
        await books.post(a_sale())
        clock.advance(hours=12)
        noon = clock.now()
        await books.post(a_sale(OTHER, total=300, tax=0))

        assert (await books.balances(until=noon))["processor", "EUR"] == 11900
        assert (await books.balances(since=noon))["processor", "EUR"] == 300

    async def test_of_the_past_is_brought_in_once(self, books, clock):
        past = [a_sale(), a_sale(OTHER, total=0, tax=0)]

        async with books.database.transaction() as tx:
            first = await service.import_past(tx, past)
            second = await service.import_past(tx, past)

        assert (first, second) == (1, 0)
        assert not await books.post(a_sale())


class TestRaces:
    async def test_many_post_the_same_and_one_does(self, books):
        outcomes = await race(books.database, *[lambda tx: service.post(tx, a_sale())] * 6)

        assert sorted(won(outcomes)) == [False] * 5 + [True]
        assert (await books.balances())["processor", "EUR"] == 11900


class TestTheDatabaseItself:
    async def test_commits_no_posting_that_does_not_balance(self, books):
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await books.run(_BY_HAND, 5, -4)

    async def test_commits_no_posting_without_its_entries(self, books):
        with pytest.raises(asyncpg.CheckViolationError, match="has not 2 entries"):
            await books.run(
                """
                insert into ledger_postings (key, at, memo, entry_count)
                values ('k', now(), '', 2)
                """
            )

    async def test_takes_no_entry_for_a_posting_of_before(self, books):
        await books.post(a_sale())

        with pytest.raises(asyncpg.CheckViolationError, match="with their posting"):
            await books.run(
                """
                insert into ledger_entries
                select id, position, 'bank', amount, 'EUR'
                  from ledger_postings, (values (8, 5), (9, -5)) entry (position, amount)
                """
            )

    @pytest.mark.parametrize(
        "change",
        [
            "update ledger_postings set memo = 'x'",
            "update ledger_entries set amount_minor = 1",
            "delete from ledger_entries",
            "delete from ledger_postings",
            "truncate ledger_entries, ledger_postings",
        ],
    )
    async def test_rewrites_nothing(self, books, change):
        await books.post(a_sale())

        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await books.run(change)


_BY_HAND = """
      with posting as (
        insert into ledger_postings (key, at, memo, entry_count)
        values ('by hand', now(), '', 2)
     returning id
      )
    insert into ledger_entries
    select id, 1, 'bank', $1::bigint, 'EUR' from posting
     union all
    select id, 2, 'sales', $2::bigint, 'EUR' from posting
"""

amounts = some.integers(0, 10**15)
currencies = some.sampled_from(["EUR", "JPY", "KWD", "USD"])


@some.composite
def a_posting(draw):
    total, currency = draw(amounts), draw(currencies)
    tax = draw(some.integers(0, total))
    both = {"amount_minor": total, "currency": currency}
    return draw(
        some.sampled_from(
            [
                model.sale(ORDER, total_minor=total, tax_minor=tax, currency=currency),
                model.refund(REFUND, ORDER, tax_minor=tax, **both),
                model.refund_failed(REFUND, ORDER, tax_minor=tax, **both),
                model.late_money(PAYMENT, ORDER, **both),
                model.late_money_returned(REFUND, ORDER, **both),
                model.late_money_return_failed(REFUND, ORDER, **both),
                model.dispute_withdrawn("dp_1", ORDER, **both),
                model.dispute_reinstated("dp_1", None, **both),
                model.fee("txn_1", **both),
                model.payout("txn_1", **both),
            ]
        )
    )


@some.composite
def any_entries(draw):
    """Entries by accident: most do not balance."""
    return tuple(
        Entry(
            account=draw(some.sampled_from(ACCOUNTS)),
            amount_minor=draw(some.integers(-3, 3)),
            currency=draw(currencies),
        )
        for _ in range(draw(some.integers(0, 5)))
    )


class TestWhateverIsPosted:
    @given(posting=a_posting())
    def test_balances(self, posting):
        assert sum(entry.amount_minor for entry in posting.balanced().entries) == 0

    @given(entries=any_entries())
    def test_is_taken_just_if_each_currency_comes_to_nothing(self, entries):
        posting = Posting(key="k", entries=entries, memo="")
        sums = {}
        for entry in entries:
            sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount_minor
        if any(sums.values()):
            with pytest.raises(UnbalancedPostingError):
                posting.balanced()
        else:
            assert all(entry.amount_minor for entry in posting.balanced().entries)

    async def test_leaves_the_whole_ledger_at_nothing(self, books):
        dice = random.Random(20261125)  # noqa: S311 - dice
        async with books.database.transaction() as tx:
            for _ in range(400):
                await service.post(tx, _thrown(dice))

        sums = Counter()
        for (_, currency), amount in (await books.balances()).items():
            sums[currency] += amount
        assert set(sums) == {"EUR", "JPY", "KWD"}
        assert not any(sums.values())


def _thrown(dice):
    total = dice.choice([1, 7, 999, 10**12])
    facts = {
        "tax_minor": dice.randint(0, total),
        "currency": dice.choice(["EUR", "JPY", "KWD"]),
    }
    identity = dice.randint(0, 10**12)
    if dice.random() < 0.5:
        return model.sale(OrderId(f"ord_{identity}"), total_minor=total, **facts)
    refund = dice.choice([model.refund, model.refund_failed])
    return refund(RefundId(f"rfd_{identity}"), ORDER, amount_minor=total, **facts)
