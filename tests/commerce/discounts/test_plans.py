"""How Postgres finds things among many discounts and many uses of them."""

import pytest_asyncio

from commerce.discounts import repository
from tests.commerce.plans import plan_of, rows_read, scanned

DISCOUNTS = """
    insert into discounts
           (id, code, kind, percent_ppm, once_a_customer, reserved, starts_at, created_at)
    select 'dsc_' || n, 'CODE-' || n, 'percent', 1000, true, 9, now(), now()
      from generate_series(1, 3000) as n
"""
USES = """
    insert into discount_redemptions (discount_id, order_id, customer_id, once, state, at)
    select 'dsc_' || 1 + n % 3000, 'ord_' || n, 'usr_' || n, true, 'reserved', now()
      from generate_series(1, 12000) as n
"""


@pytest_asyncio.fixture
async def full(database):
    async with database.transaction() as tx:
        await tx.execute(DISCOUNTS)
        await tx.execute(USES)
    async with database.transaction() as tx:
        await tx.execute("analyze discounts, discount_redemptions")
    return database


async def test_everything_is_found_by_an_index(full, clock):
    two = ["dsc_7", "dsc_8"]
    for sql, *arguments in (
        (repository._BY_CODES, ["CODE-7", "CODE-8"]),
        (repository._BY_ID, "dsc_7"),
        (repository._HOLD, two),
        (repository._USES, "ord_7", "usr_9", two),
        (repository._RESERVE, "ord_0", "usr_0", clock.now(), two),
        (repository._HOLD_OF_ORDER, "ord_0"),
        (repository._REDEEM, "ord_0", clock.now()),
        (repository._RELEASE, "ord_9", clock.now()),
        (repository._END, "dsc_7", clock.now()),
        (repository._NEWEST, "dsc_3", 4),
    ):
        plan = await plan_of(full, sql, *arguments)

        assert scanned(plan) == set(), sql
        assert rows_read(plan) <= 16, sql
