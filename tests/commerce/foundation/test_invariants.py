import asyncpg
import pytest

from commerce.foundation.invariants import Invariant, look_at, watch
from commerce.invariants import INVARIANTS


async def _nothing(_tx):
    return []


async def _five(_tx):
    return ["five is even"]


FINE = Invariant(name="fine", says="All is well.", check=_nothing)
ODD = Invariant(name="odd", says="Five is odd.", check=_five)


class TestLooking:
    async def test_says_of_each_whether_it_holds(self, database):
        fine, odd = await look_at(database, [FINE, ODD])

        assert (fine.holds, odd.holds) == (True, False)
        assert odd.breaches == ["five is even"]

    async def test_can_only_read(self, database):
        async def write(tx):
            await tx.execute("delete from outbox")
            return []

        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await look_at(database, [Invariant(name="w", says="", check=write)])

    async def test_sees_one_moment(self, database):
        async def change_meanwhile(tx):
            before = await tx.value(int, "select count(*) from job_runs")
            async with database.transaction() as other:
                await other.execute(
                    "insert into job_runs (name, next_run_at) values ('meanwhile', now())"
                )
            after = await tx.value(int, "select count(*) from job_runs")
            return [] if before == after else ["two moments"]

        (verdict,) = await look_at(database, [Invariant(name="m", says="", check=change_meanwhile)])
        assert verdict.holds

    async def test_tells_operators_what_is_broken(self, database, capsys):
        await watch(database, [FINE, ODD])

        assert "invariant.broken" in capsys.readouterr().out


class TestAll:
    def test_have_names_of_their_own(self):
        names = [each.name for each in INVARIANTS]

        assert len(set(names)) == len(names)

    async def test_hold_in_an_empty_shop(self, database):
        assert [each for each in await look_at(database, INVARIANTS) if not each.holds] == []
