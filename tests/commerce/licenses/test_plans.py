"""How Postgres finds things among ten thousand licences."""

import pytest_asyncio

from commerce.licenses import repository
from tests.commerce.plans import indexes, plan_of, rows_read, scanned

WITHOUT_WHAT_THEY_REFER_TO = "set local session_replication_role = replica"
LICENSES = """
    insert into licenses
           (id, product_id, title, prefix, holder_id, order_id, order_line_id, unit, key_hash,
            key_ending, machines_max, file_days, issued_at)
    select 'lic_' || lpad(n::text, 8, '0'), 'prd', 'Inkwell', '1NK', 'usr_' || n % 500,
           'ord_' || n / 2, 'lin_' || n, 1, sha256(n::text::bytea), 'XX-00', 3, 30, now()
      from generate_series(1, 10000) as n
"""
MACHINES = """
    insert into license_activations (license_id, fingerprint_hash, name, activated_at)
    select 'lic_' || lpad((n / 2)::text, 8, '0'), sha256(n::text::bytea), '', now()
      from generate_series(2, 20000) as n
"""
A_LICENSE = "lic_00000007"


@pytest_asyncio.fixture
async def full(database):
    async with database.transaction() as tx:
        await tx.execute(WITHOUT_WHAT_THEY_REFER_TO)
        await tx.execute(LICENSES)
        await tx.execute(MACHINES)
    async with database.transaction() as tx:
        await tx.execute("analyze licenses, license_activations")
    return database


class TestTenThousandLicences:
    async def test_are_all_found_by_an_index(self, full):
        async def look(sql, *arguments):
            plan = await plan_of(full, sql, *arguments)
            assert scanned(plan) == set()
            assert rows_read(plan) <= 31
            return indexes(plan)

        assert await look(repository._BY_KEY, bytes(32)) == {"licenses_key_hash_key"}
        assert await look(repository._OF_HOLDER, "usr_7", None, 31) == {"licenses_of_holder"}
        assert await look(repository._OF_ORDER, "ord_7", "usr_7", 31) == {"licenses_of_order"}
        assert await look(repository._LOCK_OF_LINE, "lin_7") == {"licenses_order_line_id_unit_key"}
        assert await look(repository._MACHINE, A_LICENSE, bytes(32)) == {"license_activations_pkey"}
        assert await look(repository._MACHINES, A_LICENSE, 31) == {"license_activations_pkey"}
        assert await look(repository._DEACTIVATE, A_LICENSE, bytes(32)) <= {
            "license_activations_pkey",
            "licenses_pkey",
        }
