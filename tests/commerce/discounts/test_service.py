"""Codes: who may use them, when, and how often; never once too often."""

from datetime import timedelta

import pytest
import pytest_asyncio

from commerce.discounts import service as discounts
from commerce.discounts.errors import (
    CodeTakenError,
    DiscountNotFoundError,
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    UnknownCodeError,
)
from commerce.discounts.model import NewDiscount
from commerce.foundation.invariants import look_at
from commerce.foundation.settings import DatabaseSettings
from protocol.ids import DiscountId, OrderId, UserId
from tests.commerce.racing import lost, race, won
from tests.commerce.shop import ADA, BEN

ORDERS = [OrderId(f"ord_{number}") for number in range(12)]
BUYERS = 8


@pytest.fixture
def database_settings(database_url):
    return DatabaseSettings(url=database_url, pool_size_max=12, acquire_timeout_ms=30_000)


@pytest_asyncio.fixture(autouse=True)
async def everything_adds_up(database):
    """Whatever a test did, the counts are those of the rows."""
    yield
    verdicts = await look_at(database, discounts.INVARIANTS)
    assert [verdict.breaches for verdict in verdicts] == [[]] * len(verdicts)


@pytest.fixture
def act(database):
    async def act(name, *arguments):
        async with database.transaction() as tx:
            return await getattr(discounts, name)(tx, *arguments)

    return act


@pytest.fixture
def make(act):
    async def make(code="SPRING", **facts):
        return await act("create", NewDiscount(code=code, **{"percent_ppm": 200_000} | facts))

    return make


async def counts(act, discount):
    held = await act("of", discount.id)
    return held.reserved, held.redeemed


class TestFinding:
    async def test_reads_a_code_however_it_is_typed_and_each_once(self, act, make):
        spring = await make()

        assert await act("find", [" spring ", "SPRING"], ADA) == (spring,)
        assert await act("find", [], ADA) == ()

    async def test_refuses_a_code_that_there_is_not(self, act):
        with pytest.raises(UnknownCodeError):
            await act("find", ["NEVER"], ADA)

    async def test_keeps_to_the_window(self, act, make, clock):
        now = clock.now()
        await make(starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=2))

        with pytest.raises(UnknownCodeError):
            await act("find", ["SPRING"], ADA)
        clock.advance(seconds=86_400)
        assert await act("find", ["SPRING"], ADA)
        clock.advance(seconds=86_400)
        with pytest.raises(UnknownCodeError):
            await act("find", ["SPRING"], ADA)

    async def test_tells_that_it_is_used_up(self, act, make):
        spring = await make(redemptions_max=1)
        await act("reserve", ORDERS[0], ADA, [spring.id])

        with pytest.raises(DiscountUsedUpError):
            await act("find", ["SPRING"], BEN)

    async def test_tells_a_customer_that_they_used_it(self, act, make):
        spring = await make(once_a_customer=True)
        await act("reserve", ORDERS[0], ADA, [spring.id])

        with pytest.raises(DiscountUsedBeforeError):
            await act("find", ["SPRING"], ADA)
        assert await act("find", ["SPRING"], BEN)
        assert await act("find", ["SPRING"], None)


class TestAnOrder:
    async def test_reserves_redeems_and_releases_once(self, act, make):
        spring = await make()
        for _ in range(2):
            await act("reserve", ORDERS[0], ADA, [spring.id])
        await act("reserve", ORDERS[1], ADA, [spring.id])
        assert await counts(act, spring) == (2, 0)

        for _ in range(2):
            await act("redeem", ORDERS[0])
            await act("release", ORDERS[1])
        assert await counts(act, spring) == (0, 1)

        await act("release", ORDERS[0])
        await act("reserve", ORDERS[0], ADA, [spring.id])
        assert await counts(act, spring) == (0, 1)

    async def test_that_was_given_up_leaves_it_to_the_customer_and_may_have_it_anew(
        self, act, make
    ):
        spring = await make(once_a_customer=True, redemptions_max=1)
        await act("reserve", ORDERS[0], ADA, [spring.id])
        await act("release", ORDERS[0])
        await act("reserve", ORDERS[0], ADA, [spring.id])

        assert await counts(act, spring) == (1, 0)
        with pytest.raises(DiscountUsedBeforeError):
            await act("reserve", ORDERS[1], ADA, [spring.id])

    async def test_that_is_refused_one_reserves_none_and_goes_on(self, database, act, make):
        plenty, scarce = await make("PLENTY"), await make("SCARCE", redemptions_max=1)
        await act("reserve", ORDERS[0], BEN, [scarce.id])
        async with database.transaction() as tx:
            with pytest.raises(DiscountUsedUpError):
                await discounts.reserve(tx, ORDERS[1], ADA, [plenty.id, scarce.id])
            await discounts.reserve(tx, ORDERS[1], ADA, [plenty.id])

        assert await counts(act, plenty) == (1, 0)
        assert await counts(act, scarce) == (1, 0)

    async def test_that_comes_too_late_is_refused(self, act, make, clock):
        spring = await make()
        await act("end", spring.id)

        with pytest.raises(UnknownCodeError):
            await act("reserve", ORDERS[0], ADA, [spring.id])

    async def test_without_discounts_costs_nothing(self, act):
        await act("reserve", ORDERS[0], ADA, [])
        await act("redeem", ORDERS[0])
        await act("release", ORDERS[0])


class TestMaking:
    async def test_refuses_a_code_that_is_taken(self, make):
        await make("SPRING")

        with pytest.raises(CodeTakenError):
            await make("spring")

    async def test_shows_the_newest_first(self, database, make, clock):
        await make("FIRST")
        clock.advance(seconds=1)
        second = await make("SECOND")

        async with database.transaction() as tx:
            assert [each.code for each in await discounts.newest(tx, limit=9)] == [
                "SECOND",
                "FIRST",
            ]
            older = await discounts.newest(tx, after=second.id, limit=9)
        assert [each.code for each in older] == ["FIRST"]

    async def test_refuses_to_end_what_there_is_not(self, act):
        with pytest.raises(DiscountNotFoundError):
            await act("end", DiscountId("dsc_1"))


class TestManyOrdersAtOnce:
    async def test_never_have_a_discount_once_too_often(self, database, act, make):
        spring = await make(redemptions_max=3)

        outcomes = await race(
            database,
            *(
                lambda tx, n=n: discounts.reserve(tx, ORDERS[n], UserId(f"usr_{n}"), [spring.id])
                for n in range(BUYERS)
            ),
        )

        assert len(won(outcomes)) == 3
        assert lost(outcomes) == [DiscountUsedUpError] * (BUYERS - 3)
        assert await counts(act, spring) == (3, 0)

    async def test_of_one_customer_have_it_once(self, database, act, make):
        spring = await make(once_a_customer=True)

        outcomes = await race(
            database,
            *(
                lambda tx, n=n: discounts.reserve(tx, ORDERS[n], ADA, [spring.id])
                for n in range(BUYERS)
            ),
        )

        assert lost(outcomes) == [DiscountUsedBeforeError] * (BUYERS - 1)
        assert await counts(act, spring) == (1, 0)

    async def test_with_the_same_codes_the_other_way_round_never_wait_for_each_other(
        self, database, act, make
    ):
        one, two = await make("ONE"), await make("TWO")

        outcomes = await race(
            database,
            *(
                lambda tx, n=n: discounts.reserve(
                    tx, ORDERS[n], ADA, [one.id, two.id] if n % 2 else [two.id, one.id]
                )
                for n in range(BUYERS)
            ),
        )
        ends = await race(
            database,
            *(lambda tx, n=n: discounts.redeem(tx, ORDERS[n]) for n in range(0, BUYERS, 2)),
            *(lambda tx, n=n: discounts.release(tx, ORDERS[n]) for n in range(1, BUYERS, 2)),
        )

        assert (lost(outcomes), lost(ends)) == ([], [])
        assert await counts(act, one) == (0, BUYERS // 2)

    async def test_paid_and_given_up_at_once_are_one_of_the_two(self, database, act, make):
        spring = await make()
        await act("reserve", ORDERS[0], ADA, [spring.id])

        await race(
            database,
            *[lambda tx: discounts.redeem(tx, ORDERS[0])] * 3,
            *[lambda tx: discounts.release(tx, ORDERS[0])] * 3,
        )

        assert await counts(act, spring) in {(0, 1), (0, 0)}


class TestACountThatIsWrong:
    async def test_is_found(self, database, make):
        await make()
        broken = "update discounts set reserved = 1"
        async with database.transaction() as tx:
            await tx.execute(broken)
        [verdict] = await look_at(database, discounts.INVARIANTS)

        assert verdict.breaches == ["SPRING counts 1 and 0, its orders are 0 and 0"]
        async with database.transaction() as tx:
            await tx.execute("update discounts set reserved = 0")
