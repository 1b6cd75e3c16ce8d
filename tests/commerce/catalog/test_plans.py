"""How Postgres finds things among eight thousand products."""

from datetime import UTC, datetime

import pytest_asyncio

from commerce.catalog.repository import browsing, prices, products, stock
from commerce.catalog.settings import SEARCH_CANDIDATES_MAX
from tests.commerce.plans import indexes, plan_of, rows_read, scanned

NOW = datetime(2026, 1, 1, tzinfo=UTC)

CATEGORIES = """
    insert into categories (slug, title, summary, position)
    select 'shelf-' || n, 'Shelf', '', n from generate_series(1, 8) as n
"""
PRODUCTS = """
    insert into products (id, slug, category, title, summary, created_at, published_at)
    select 'prd_' || lpad(n::text, 8, '0'), 'product-' || n,
           case when n % 200 = 1 then 'shelf-8' else 'shelf-' || 1 + n % 7 end,
           'Common thing ' || n || case when n % 400 = 0 then ' lantern' else '' end,
           'A summary of the usual length about a thing that one might want to buy.',
           now(), case when n % 50 = 0 then null else now() end
      from generate_series($1 + 1, $1 + 2000) as n
"""
VARIANTS = """
    insert into variants (id, product_id, position, title, price_minor, currency, on_hand)
    select 'var_' || lpad(n::text, 8, '0') || p, 'prd_' || lpad(n::text, 8, '0'), p, '', 1900,
           'EUR', null
      from generate_series(1, 8000) as n, generate_series(1, 2) as p
"""


PRICES = """
    insert into prices (id, variant_id, currency, amount_minor, version, created_at)
    select 'prc_' || sold_in || substr(id, 5), id, sold_in, price_minor, 1, now()
      from variants, unnest(array['EUR', 'JPY', 'KWD']) as currencies (sold_in)
"""
RESERVATIONS = """
    insert into reservations (order_id, variant_id, quantity, state, expires_at)
    select 'ord_' || substr(id, 5), id, 1,
           case when position = 1 then 'consumed' else 'released' end, now()
      from variants
"""


@pytest_asyncio.fixture
async def full(database):
    async with database.transaction() as tx:
        await tx.execute(CATEGORIES)
        for start in range(0, 8000, 2000):
            await tx.execute(PRODUCTS, start)
        await tx.execute(VARIANTS)
        await tx.execute(PRICES)
        await tx.execute(RESERVATIONS)
    async with database.transaction() as tx:
        await tx.execute("analyze products, variants, prices, reservations")
    return database


class TestEightThousandProducts:
    async def test_are_listed_by_the_index_without_reading_many_others(self, full):
        for after in (None, "prd_00004000"):
            plan = await plan_of(full, browsing._NEWEST, after, 31)

            assert scanned(plan) == set()
            assert rows_read(plan) <= 31 * 3 + 1

        for shelf in ("shelf-3", "shelf-8"):
            plan = await plan_of(full, browsing._NEWEST_OF_CATEGORY, None, 31, shelf)

            assert scanned(plan) == set()
            assert rows_read(plan) <= 31 * 12
        assert "products_newest_of_category" in indexes(plan)

    async def test_are_searched_by_the_index(self, full):
        plan = await plan_of(full, browsing._FOUND, *asked("", "lante"))

        assert scanned(plan) == set()
        assert "products_search" in indexes(plan)
        assert rows_read(plan) <= 200

        # A word that is everywhere is ranked in the newest only.
        plan = await plan_of(full, browsing._FOUND, *asked("common", "thing"))

        ranked = max(step.rows for step in plan.steps() if step.node_type == "CTE Scan")
        assert ranked == SEARCH_CANDIDATES_MAX
        assert scanned(plan) == set()

    async def test_are_looked_up_by_the_index(self, full):
        variants = ["var_000000771", "var_000009992"]
        for sql, *arguments in (
            (browsing._BY_SLUG, "product-77"),
            (browsing._BY_IDS, ["prd_00000077"]),
            (browsing._DESCRIPTION, "prd_00000077"),
            (browsing._VARIANTS, ["prd_00000077", "prd_00000078"]),
            (browsing._SHOWN, ["prd_00000077"]),
            (prices._OFFERS, variants, None),
            (prices._OFFERS, variants, "JPY"),
            (prices._PRICES_OF, ["prd_00000077"]),
            (products._KNOWN_SLUGS, ["product-77", "product-78"]),
        ):
            plan = await plan_of(full, sql, *arguments)

            assert scanned(plan) == set(), sql
            assert rows_read(plan) <= 12, sql

    async def test_have_their_stock_kept_by_the_index(self, full):
        variants, quantities = ["var_000000771", "var_000009992"], [1, 1]
        for sql, *arguments in (
            (products._HOLD_PRODUCTS_OF, variants),
            (stock._RESERVE, "ord_1", variants, quantities, NOW),
            (stock._EXTEND, "ord_1", NOW),
            (stock._HELD, ["ord_1", "ord_2"]),
            (stock._HOLD_PRODUCTS, "ord_1"),
            (stock._CONSUME, "ord_1"),
            (stock._RESERVE, "ord_2", variants, quantities, NOW),
            (stock._RELEASE, ["ord_2"]),
            (stock._PUT_BACK, "ord_1", variants, quantities),
        ):
            plan = await plan_of(full, sql, *arguments)

            assert scanned(plan) == set(), sql
            assert rows_read(plan) <= 16, sql


def asked(whole, prefix):
    return (whole, prefix, None, SEARCH_CANDIDATES_MAX, 2**62, "~", 31)
