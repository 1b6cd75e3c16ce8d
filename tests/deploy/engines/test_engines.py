"""The engines are real, private, and survive what happens to them."""

import os

import pytest

from deploy.engines.errors import EngineError, WrongVersionError
from deploy.engines.leftovers import forget_foreign_lock, servers_in
from deploy.engines.ports import PORT_MAX, free_port, free_port_from, is_free
from deploy.engines.postgres import Postgres
from deploy.engines.running import running
from deploy.engines.valkey import Valkey


@pytest.fixture
def postgres(tmp_path):
    server = Postgres(folder=tmp_path / "postgres", port=free_port(), tuning="fast")
    with running(server, log=tmp_path / "postgres.log") as running_server:
        yield running_server


class TestAPostgresServer:
    def test_is_of_version_18(self, postgres):
        assert postgres.engine.execute("show server_version").startswith("18.")

    def test_keeps_its_data_through_a_kill_and_a_restart(self, postgres):
        postgres.engine.execute("create table kept (fact text)", "insert into kept values ('yes')")

        postgres.kill()
        postgres.start()

        assert postgres.engine.execute("select fact from kept") == "yes"

    def test_is_not_ready_while_it_is_frozen(self, postgres):
        postgres.pause()
        try:
            assert not postgres.engine.is_ready()
        finally:
            postgres.resume()

        assert postgres.engine.is_ready()

    def test_says_what_it_refuses(self, postgres):
        with pytest.raises(EngineError, match='relation "nothing" does not exist'):
            postgres.engine.execute("select * from nothing")

    def test_with_a_password_lets_nobody_in_without(self, tmp_path):
        server = Postgres(
            folder=tmp_path / "locked", port=free_port(), tuning="fast", password="a:b/c"
        )
        stranger = Postgres(folder=server.folder, port=server.port)
        with running(server, log=tmp_path / "log"):
            assert server.execute("select 1") == "1"
            with pytest.raises(EngineError, match="password"):
                stranger.execute("select 1")


class TestAServerThatWasLeftBehind:
    def test_is_found_by_its_folder_and_no_other_is(self, postgres, tmp_path, valkey_server):
        assert list(servers_in(postgres.engine.folder)) == [postgres.pid]
        assert list(servers_in(valkey_server.engine.folder)) == [valkey_server.pid]
        assert list(servers_in(tmp_path / "elsewhere")) == []

    def test_keeps_its_lock_while_it_lives(self, postgres):
        forget_foreign_lock(postgres.engine.folder)

        assert (postgres.engine.folder / "postmaster.pid").exists()

    def test_may_have_left_a_lock_with_a_number_that_is_now_anothers(self, postgres):
        postgres.kill()
        lock = postgres.engine.folder / "postmaster.pid"
        lock.write_text(f"{os.getpid()}\n")

        postgres.start()

        assert postgres.engine.execute("select 1") == "1"


class TestTheFilesOfAPostgresServer:
    def test_of_another_major_version_are_refused(self, tmp_path):
        folder = tmp_path / "postgres"
        folder.mkdir()
        (folder / "PG_VERSION").write_text("16\n")

        with pytest.raises(WrongVersionError, match="was written by Postgres 16"):
            Postgres(folder=folder, port=free_port()).prepare()

    def test_that_are_not_its_own_are_left_alone(self, tmp_path):
        folder = tmp_path / "postgres"
        folder.mkdir()
        (folder / "letter.txt").write_text("mine")

        with pytest.raises(EngineError, match="not Postgres'"):
            Postgres(folder=folder, port=free_port()).prepare()
        assert (folder / "letter.txt").read_text() == "mine"


class TestAValkeyServer:
    def test_keeps_its_data_through_a_restart(self, tmp_path):
        server = Valkey(folder=tmp_path / "valkey", port=free_port(), tuning="fast")
        with running(server, log=tmp_path / "log") as running_server:
            assert server._ask(b"SET fact yes") == b"+OK"
            running_server.stop()
            running_server.start()

            assert server._ask(b"EXISTS fact") == b":1"

    def test_that_cannot_start_says_why(self, tmp_path, valkey_server):
        taken = Valkey(folder=tmp_path / "valkey", port=valkey_server.engine.port)
        unready = Valkey(folder=tmp_path / "valkey", port=free_port())
        assert taken.is_ready()
        assert not unready.is_ready()


class TestTheFixtures:
    def test_give_each_test_a_database_and_an_empty_redis(self, database_url, redis_url):
        assert database_url.startswith("postgresql://postgres@127.0.0.1:")
        assert redis_url.startswith("redis://127.0.0.1:")


class TestAFreePort:
    def test_is_below_those_the_kernel_hands_out(self):
        assert free_port() <= PORT_MAX

    def test_is_the_next_one_when_the_preferred_one_is_taken(self, valkey_server):
        port = valkey_server.engine.port

        assert not is_free(port)
        assert free_port_from(port) > port
