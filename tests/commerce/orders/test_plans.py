"""How Postgres finds things among twenty thousand orders."""

from datetime import UTC, datetime

import pytest_asyncio

from commerce.cart import repository as carts
from commerce.orders.model import OrderFilter
from commerce.orders.repository import importing, orders as repository, searching
from tests.commerce.plans import indexes, plan_of, rows_read, scanned

NOW = datetime(2026, 11, 23, tzinfo=UTC)

SHELF = "insert into categories (slug, title, summary, position) values ('shelf', 'Shelf', '', 1)"
PRODUCT = """
    insert into products (id, slug, category, title, created_at)
    values ('prd_1', 'thing', 'shelf', 'Thing', now())
"""
VARIANT = """
    insert into variants (id, product_id, position, price_minor, currency)
    values ('var_1', 'prd_1', 1, 1900, 'EUR')
"""
CARTS = """
    insert into carts (id, user_id, state, version, opened_at, changed_at)
    select 'crt_' || lpad(n::text, 8, '0'), 'usr_' || n % 5000,
           case when n < 5000 then 'open' else 'ordered' end, 1, now(), now()
      from generate_series(1, 20000) as n
"""
CART_LINES = """
    insert into cart_lines (cart_id, variant_id, quantity, price_minor, currency, added_at)
    select 'crt_' || lpad(n::text, 8, '0'), 'var_1', 1, 1900, 'EUR', now()
      from generate_series(1, 20000) as n
"""
ORDERS = """
    insert into orders (
        id, number, buyer_id, cart_id, state, version, total_minor, currency, placed_at,
        pay_until, held, dispute
    )
    select 'ord_' || lpad(n::text, 8, '0'), 'R-' || n, 'usr_' || n % 100, null,
           case when n % 100 = 7 then 'awaiting_payment' else 'fulfilled' end, 3, 1900, 'EUR',
           timestamptz '2026-11-23 00:00Z' - n * interval '1 minute',
           timestamptz '2026-11-23 00:00Z' - n * interval '1 minute',
           n % 100 = 9, case when n % 100 = 11 then 'open' else 'none' end
      from generate_series(1, 20000) as n
"""
LINES = """
    insert into order_lines (
        id, order_id, position, variant_id, product_id, title, quantity, unit_price_minor,
        total_minor, currency, takes_stock
    )
    select 'lin_' || n || '_' || p, 'ord_' || lpad(n::text, 8, '0'), p, 'var_1', 'prd_1', 'Thing',
           1, 1900, 1900, 'EUR', false
      from generate_series(1, 20000) as n, generate_series(1, 2) as p
"""
EVENTS = """
    insert into order_events (order_id, seq, type, from_state, to_state, event_id, at)
    select 'ord_' || lpad(n::text, 8, '0'), s, 'order_placed', 'draft', 'paid', 'evt', now()
      from generate_series(1, 20000) as n, generate_series(1, 3) as s
"""
MOVED = (1900, 0, "delivered", "none", False, "", False, None, NOW, NOW, None, 0)


@pytest_asyncio.fixture
async def busy(database):
    async with database.transaction() as tx:
        for sql in (SHELF, PRODUCT, VARIANT, CARTS, CART_LINES, ORDERS, LINES, EVENTS):
            await tx.execute(sql)
    async with database.transaction() as tx:
        await tx.execute("analyze carts, cart_lines, orders, order_lines, order_events")
    return database


class TestTwentyThousandOrders:
    async def test_are_listed_for_their_buyer_by_the_index(self, busy):
        for after in (None, "ord_00010000"):
            plan = await plan_of(busy, repository._OF_BUYER, "usr_42", after, 31)

            assert scanned(plan) == set()
            assert indexes(plan) == {"orders_of_buyer"}
            assert rows_read(plan) == 31

    async def test_have_their_lines_found_by_the_index(self, busy):
        page = [f"ord_{number:08}" for number in range(1, 32)]

        plan = await plan_of(busy, repository._LINES, page)

        assert scanned(plan) == set()
        assert rows_read(plan) == 62

    async def test_are_looked_up_by_the_index(self, busy):
        for rows, sql, *arguments in (
            (1, repository._FIND, "ord_00000042", "usr_42"),
            (1, repository._OF, "ord_00000042"),
            (1, repository._LOCK, "ord_00000042"),
            (3, repository._EVENTS, "ord_00000042", 0),
            (1, repository._EVENTS, "ord_00000042", 2),
            (2, importing._KNOWN, ["ord_00000042", "ord_00000043"]),
            (1, repository._MOVE, "ord_00000042", 3, "fulfilled", 4, *MOVED),
        ):
            plan = await plan_of(busy, sql, *arguments)

            assert scanned(plan) == set(), sql
            assert rows_read(plan) == rows, sql

    async def test_are_expired_without_looking_at_those_that_are_paid(self, busy):
        plan = await plan_of(busy, repository._DUE, NOW, 100)

        assert scanned(plan) == set()
        assert indexes(plan) == {"orders_to_expire"}
        assert rows_read(plan) == 100

    async def test_are_found_by_any_filter_without_looking_at_all_of_them(self, busy):
        for wanted in (
            OrderFilter(),
            OrderFilter(state="awaiting_payment"),
            OrderFilter(buyer="usr_42"),
            OrderFilter(number="R-42"),
            OrderFilter(held=True),
            OrderFilter(disputed=True),
            OrderFilter(subscription="sub_1"),
            OrderFilter(state="awaiting_payment", held=False, disputed=False),
        ):
            for after in (None, "ord_00010000"):
                sql, arguments = searching.statement(wanted, after=after, limit=31)
                plan = await plan_of(busy, sql, *arguments)

                assert scanned(plan) == set(), wanted
                assert rows_read(plan) <= 62, wanted


class TestTwentyThousandCarts:
    async def test_give_up_the_open_one_and_its_lines_by_the_index(self, busy):
        for sql, argument in (
            (carts._FIND_OPEN, "usr_42"),
            (carts._LOCK_OPEN, "usr_42"),
            (carts._LINES, "crt_00000042"),
        ):
            plan = await plan_of(busy, sql, argument)

            assert scanned(plan) == set(), sql
            assert rows_read(plan) == 1, sql
