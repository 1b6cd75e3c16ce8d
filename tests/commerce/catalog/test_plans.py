"""How Postgres finds things among eight thousand products."""

import pytest_asyncio

from commerce.catalog import repository
from commerce.catalog.settings import SEARCH_CANDIDATES_MAX
from tests.commerce.plans import indexes, plan_of, rows_read, scanned

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
    insert into variants (id, product_id, position, title, price_minor, currency, stock)
    select 'var_' || lpad(n::text, 8, '0') || p, 'prd_' || lpad(n::text, 8, '0'), p, '', 1900,
           'EUR', null
      from generate_series(1, 8000) as n, generate_series(1, 2) as p
"""


@pytest_asyncio.fixture
async def full(database):
    async with database.transaction() as tx:
        await tx.execute(CATEGORIES)
        for start in range(0, 8000, 2000):
            await tx.execute(PRODUCTS, start)
        await tx.execute(VARIANTS)
    async with database.transaction() as tx:
        await tx.execute("analyze products, variants")
    return database


class TestEightThousandProducts:
    async def test_are_listed_by_the_index_without_reading_many_others(self, full):
        for after in (None, "prd_00004000"):
            plan = await plan_of(full, repository._NEWEST, after, 31)

            assert scanned(plan) == set()
            assert rows_read(plan) <= 31 * 3 + 1

        for shelf in ("shelf-3", "shelf-8"):
            plan = await plan_of(full, repository._NEWEST_OF_CATEGORY, None, 31, shelf)

            assert scanned(plan) == set()
            assert rows_read(plan) <= 31 * 12
        assert "products_newest_of_category" in indexes(plan)

    async def test_are_searched_by_the_index(self, full):
        plan = await plan_of(full, repository._FOUND, *asked("", "lante"))

        assert scanned(plan) == set()
        assert "products_search" in indexes(plan)
        assert rows_read(plan) <= 200

        # A word that is everywhere is ranked in the newest only.
        plan = await plan_of(full, repository._FOUND, *asked("common", "thing"))

        ranked = max(step.rows for step in plan.steps() if step.node_type == "CTE Scan")
        assert ranked == SEARCH_CANDIDATES_MAX
        assert scanned(plan) == set()

    async def test_are_looked_up_by_the_index(self, full):
        variants = ["var_000000771", "var_000009992"]
        for sql, *arguments in (
            (repository._BY_SLUG, "product-77"),
            (repository._BY_ID, "prd_00000077"),
            (repository._DESCRIPTION, "prd_00000077"),
            (repository._VARIANTS, ["prd_00000077", "prd_00000078"]),
            (repository._SHOWN, ["prd_00000077"]),
            (repository._OFFERS, variants),
            (repository._PRODUCTS_OF, variants),
            (repository._KNOWN_SLUGS, ["product-77", "product-78"]),
            (repository._TAKE_STOCK, variants[0], 1),
            (repository._GIVE_BACK_STOCK, variants[0], 1),
        ):
            plan = await plan_of(full, sql, *arguments)

            assert scanned(plan) == set(), sql
            assert rows_read(plan) <= 4, sql


def asked(whole, prefix):
    return (whole, prefix, None, SEARCH_CANDIDATES_MAX, 2**62, "~", 31)
