"""Migrations on a real Postgres."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio

from commerce.foundation.migrate import (
    MigrationError,
    migrate_down,
    migrate_up,
    migration_status,
    read_migrations,
)


@pytest_asyncio.fixture
async def empty_url(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()
    return database_url


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def write(folder, name, *, up="select 1;", down="select 1;"):
    (folder / f"{name}.up.sql").write_text(up)
    (folder / f"{name}.down.sql").write_text(down)


async def exists(url, table):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("select to_regclass($1) is not null", table)
    finally:
        await connection.close()


class TestMigratingUp:
    async def test_applies_what_is_missing_in_order(self, empty_url, folder):
        write(folder, "0002_second", up="alter table first add column more int;")
        write(folder, "0001_first", up="create table first (id int);", down="drop table first;")

        assert await migrate_up(empty_url, folder=folder) == ["0001_first", "0002_second"]
        assert await migrate_up(empty_url, folder=folder) == []

    async def test_only_says_what_it_would_do_when_run_dry(self, empty_url, folder):
        write(folder, "0001_first", up="create table first (id int);")

        assert await migrate_up(empty_url, folder=folder, dry_run=True) == ["0001_first"]

        assert not await exists(empty_url, "first")

    async def test_leaves_nothing_of_a_change_that_fails(self, empty_url, folder):
        write(folder, "0001_first", up="create table first (id int); select 1 / 0;")

        with pytest.raises(MigrationError, match="0001_first cannot be applied"):
            await migrate_up(empty_url, folder=folder)

        assert not await exists(empty_url, "first")

    async def test_lets_several_runners_in_one_after_another(self, empty_url, folder):
        write(folder, "0001_first", up="create table first (id int); select pg_sleep(0.2);")
        write(
            folder,
            "0002_index",
            up="-- no-transaction\ncreate index concurrently first_id on first (id);",
        )

        done = await asyncio.gather(*(migrate_up(empty_url, folder=folder) for _ in range(4)))

        assert sorted(map(len, done)) == [0, 0, 0, 2]

    async def test_refuses_a_file_that_was_edited_since(self, empty_url, folder):
        write(folder, "0001_first", up="create table first (id int);")
        await migrate_up(empty_url, folder=folder)
        write(folder, "0001_first", up="create table first (id bigint);")

        with pytest.raises(MigrationError, match="0001_first was edited"):
            await migrate_up(empty_url, folder=folder)

    async def test_refuses_a_database_that_is_newer_than_the_program(self, empty_url, folder):
        write(folder, "0001_first")
        await migrate_up(empty_url, folder=folder)
        for path in folder.iterdir():
            path.unlink()

        with pytest.raises(MigrationError, match="older than the database"):
            await migrate_up(empty_url, folder=folder)

    async def test_says_when_the_database_does_not_answer(self, folder):
        with pytest.raises(MigrationError, match="does not answer"):
            await migrate_up("postgresql://postgres@127.0.0.1:1/nothing", folder=folder)


class TestMigratingDown:
    async def test_takes_back_the_newest_first(self, empty_url, folder):
        write(folder, "0001_first", up="create table first (id int);", down="drop table first;")
        write(folder, "0002_second", up="create table second (id int);", down="drop table second;")
        await migrate_up(empty_url, folder=folder)

        assert await migrate_down(empty_url, folder=folder) == ["0002_second"]

        assert await exists(empty_url, "first")
        assert not await exists(empty_url, "second")

    async def test_takes_back_everything_we_have_and_puts_it_up_again(self, empty_url):
        names = await migrate_up(empty_url)

        assert await migrate_down(empty_url, steps=100) == names[::-1]
        assert await migrate_up(empty_url) == names


class TestTheStatus:
    async def test_tells_what_is_applied_and_what_is_not(self, empty_url, folder):
        write(folder, "0001_first")
        await migrate_up(empty_url, folder=folder)
        write(folder, "0002_second")

        first, second = await migration_status(empty_url, folder=folder)

        assert first.applied_at is not None
        assert second.applied_at is None


class TestTheFiles:
    def test_are_refused_when_two_share_a_number(self, folder):
        write(folder, "0001_first")
        write(folder, "0001_other")

        with pytest.raises(MigrationError, match="share a number"):
            read_migrations(folder)

    def test_are_refused_when_one_cannot_be_taken_back(self, folder):
        (folder / "0001_first.up.sql").write_text("select 1;")

        with pytest.raises(MigrationError, match=r"no 0001_first\.down\.sql"):
            read_migrations(folder)

    def test_are_refused_when_one_has_no_number(self, folder):
        (folder / "first.up.sql").write_text("select 1;")

        with pytest.raises(MigrationError, match="is not named"):
            read_migrations(folder)
