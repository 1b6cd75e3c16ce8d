"""How Postgres finds things among a hundred thousand messages."""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
import pytest_asyncio

from commerce.chat.repository import members, messages, rooms, standings
from commerce.foundation.database import open_database
from commerce.foundation.settings import DatabaseSettings
from protocol.ids import RoomId

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NAME = "test_plans"
BUSY_ROOM = "rom_0001"
READER = "usr_0001"

ROOMS = """
    insert into rooms (id, kind, title, last_seq, created_at, active_at)
    select 'rom_' || lpad(n::text, 4, '0'), 'group', 'Room', 250, now(),
           now() - n * interval '1 minute'
      from generate_series(1, 400) as n
"""
MEMBERS = """
    insert into room_members (room_id, user_id, user_name, role, joined_at, joined_seq)
    select 'rom_' || lpad(r::text, 4, '0'), 'usr_' || lpad((r * 7 % 500 + u)::text, 4, '0'),
           'Somebody', 'member', now(), 0
      from generate_series(1, 400) as r, generate_series(0, 49) as u
"""
MESSAGES = """
    insert into messages (id, room_id, seq, author_id, author_name, body, sent_at)
    select 'msg_' || r || '_' || s, 'rom_' || lpad(r::text, 4, '0'), s, 'usr_0001', 'Somebody',
           'Something of the usual length that people write in a chat room', now()
      from generate_series(1, 400) as r, generate_series(1, 250) as s
"""
ME = """
    insert into room_members (room_id, user_id, user_name, role, joined_at, joined_seq)
    select 'rom_' || lpad(r::text, 4, '0'), 'usr_0001', 'Me', 'member', now(), 0
      from generate_series(1, 100) as r
        on conflict do nothing
"""


class UndoneError(Exception):
    """Rolls back what was explained."""


class Node(msgspec.Struct, kw_only=True, rename="pascal"):
    """One step of a plan; the keys that matter here."""

    node_type: str = msgspec.field(name="Node Type")
    relation: str = msgspec.field(name="Relation Name", default="")
    rows: float = msgspec.field(name="Actual Rows", default=0)
    loops: float = msgspec.field(name="Actual Loops", default=1)
    removed: float = msgspec.field(name="Rows Removed by Filter", default=0)
    plans: list["Node"] = msgspec.field(name="Plans", default_factory=list)

    def steps(self):
        yield self
        for plan in self.plans:
            yield from plan.steps()


@pytest.fixture(scope="module")
def busy_url(postgres_server, migrated_template):
    """A database that is filled once: no test here changes it."""
    postgres = postgres_server.engine
    postgres.execute(f"create database {NAME} template {migrated_template}")
    postgres.execute(ROOMS, MEMBERS, ME, MESSAGES, "vacuum analyze", database=NAME)
    yield postgres.url(NAME)
    postgres.execute(f"drop database {NAME} with (force)")


@pytest_asyncio.fixture
async def busy(busy_url, clock):
    async with open_database(DatabaseSettings(url=busy_url), clock=clock) as database:
        yield database


async def plan_of(database, sql, *arguments):
    with suppress(UndoneError):
        async with database.transaction() as tx:
            [[found]] = await tx._connection.fetch(
                f"explain (analyze, format json) {sql}", *arguments
            )
            raise UndoneError
    return msgspec.convert(found[0]["Plan"], Node)


def rows_read(plan):
    """Return how many rows of tables were looked at."""
    return sum((step.rows + step.removed) * step.loops for step in plan.steps() if step.relation)


def scanned(plan):
    """Return the tables that were read from end to end."""
    return {step.relation for step in plan.steps() if step.node_type == "Seq Scan"}


class TestAHundredThousandMessages:
    async def test_are_read_backwards_by_the_index(self, busy):
        plan = await plan_of(busy, messages._MESSAGES_BEFORE, BUSY_ROOM, 120, 51)

        assert scanned(plan) == set()
        assert rows_read(plan) == 51

    async def test_are_read_forwards_by_the_index(self, busy):
        plan = await plan_of(busy, messages._MESSAGES_AFTER, BUSY_ROOM, 120, 2**53 - 1, 51)

        assert scanned(plan) == set()
        assert rows_read(plan) == 51

    async def test_do_not_slow_down_the_list_of_ones_rooms(self, busy):
        async with busy.transaction() as tx:
            mine = (await standings.find(tx, BUSY_ROOM, READER)).rooms_count

        plan = await plan_of(busy, rooms._SUMMARIES, READER, None, None, 31)

        assert mine >= 100
        assert "messages" not in scanned(plan)
        assert rows_read(plan) <= 1_500

    async def test_give_up_their_last_ones_by_the_index(self, busy):
        listed = [(RoomId(f"rom_{number:04}"), 250) for number in range(1, 32)]

        plan = await plan_of(
            busy,
            messages._LAST_MESSAGES,
            [room for room, _ in listed],
            [seq for _, seq in listed],
        )

        assert scanned(plan) == set()
        assert rows_read(plan) == 31

    async def test_do_not_slow_down_sending(self, busy):
        plan = await plan_of(
            busy,
            messages._INSERT_MESSAGES,
            *([BUSY_ROOM], ["msg_new"], [251], [READER], ["Me"], ["hello"]),
            *(["msg_1_3"], [None], ['["prd_1"]'], [None], [None], NOW),
        )

        assert scanned(plan) == set()
        assert rows_read(plan) <= 10

    async def test_do_not_slow_down_finding_out_who_may_write(self, busy):
        found = [
            await plan_of(busy, rooms._LOCK_ROOMS, [BUSY_ROOM, "rom_0002"]),
            await plan_of(busy, members._SOME_MEMBERS, [BUSY_ROOM], [READER]),
            await plan_of(busy, messages._THERE, [BUSY_ROOM], ["msg_1_3"]),
        ]

        assert [scanned(plan) for plan in found] == [set()] * 3
        assert sum(map(rows_read, found)) <= 2 * 4

    async def test_are_searched_in_one_room_by_the_index(self, busy):
        async with busy.transaction() as tx:
            await tx.execute(
                "update messages set body = 'a heron' where room_id = $1 and seq % 50 = 0",
                BUSY_ROOM,
            )
            await tx.execute("update messages set body = 'a heron' where seq = 7")
        plan = await plan_of(busy, messages._FOUND, BUSY_ROOM, "heron", "", 2**53 - 1, 31)

        assert scanned(plan) == set()
        assert rows_read(plan) <= 2 * 6

    async def test_do_not_slow_down_marking_as_read(self, busy):
        plan = await plan_of(busy, members._MARK_READ, BUSY_ROOM, READER, 200)

        assert scanned(plan) == set()
        assert rows_read(plan) <= 5

    async def test_do_not_slow_down_the_list_of_members(self, busy):
        plan = await plan_of(busy, members._MEMBERS, BUSY_ROOM, 31)

        assert scanned(plan) == set()
        assert rows_read(plan) == 31
