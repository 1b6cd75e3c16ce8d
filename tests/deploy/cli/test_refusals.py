"""What has to be changed first is said in one message, with exit code 2, before anything starts."""

import os
import socket

import pytest

from deploy.data_folder import DataFolder, prepare
from deploy.engines.ports import free_port
from deploy.supervisor.errors import StartError
from tests.deploy.cli.rialto import run


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def nothing_is_left(data):
    return not (data / "state.json").exists() and not (data / "postgres").exists()


class TestUpRefuses:
    def test_a_port_that_is_taken(self, data):
        with socket.socket() as other:
            other.bind(("127.0.0.1", free_port()))
            other.listen()
            port = other.getsockname()[1]

            code, said = run("up", "--data", data, "--port", port)

        assert code == 2
        assert f"port {port}" in said
        assert "--port" in said
        assert nothing_is_left(data)

    def test_a_data_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("in the way")

        code, said = run("up", "--data", tmp_path / "file" / "data", "--port", free_port())

        assert code == 2
        assert "cannot be written to" in said

    def test_files_of_another_postgres(self, data):
        (data / "postgres").mkdir(parents=True)
        (data / "postgres" / "PG_VERSION").write_text("16\n")

        code, said = run("up", "--data", data, "--port", free_port())

        assert code == 2
        assert "was written by Postgres 16" in said
        assert (data / "postgres" / "PG_VERSION").read_text() == "16\n"

    def test_engines_that_do_not_answer_naming_both(self, data):
        nowhere = f"127.0.0.1:{free_port()}"

        code, said = run(
            "up",
            *("--data", data, "--port", free_port()),
            RIALTO_DATABASE_URL=f"postgresql://someone:hidden-word@{nowhere}/shop",
            RIALTO_REDIS_URL=f"redis://{nowhere}/0",
        )

        assert code == 2
        assert "RIALTO_DATABASE_URL does not answer" in said
        assert "RIALTO_REDIS_URL does not answer" in said
        assert "hidden-word" not in said
        assert nothing_is_left(data)

    def test_production_with_what_is_made_for_development(self, data):
        code, said = run("up", "--data", data, RIALTO_PROFILE="prod", RIALTO_ALLOWED_ORIGINS="*")

        assert code == 2
        assert "embedded Postgres" in said
        assert "embedded Valkey" in said
        assert "RIALTO_TICKET_SIGNING_KEY" in said
        assert "RIALTO_OPERATOR_TOKEN" in said
        assert "does not use the Stripe stand-in" in said
        assert "wildcard" in said
        assert nothing_is_left(data)

    def test_production_with_a_test_key_of_stripe(self, data):
        code, said = run("up", "--data", data, RIALTO_PROFILE="prod", STRIPE_API_KEY="sk_test_x")

        assert code == 2
        assert "STRIPE_API_KEY is a test key" in said
        assert "sk_test_x" not in said

    def test_malformed_settings_of_any_program_naming_every_one(self, data):
        code, said = run(
            "up",
            *("--data", data, "--port", free_port()),
            RIALTO_DATABASE_POOL_SIZE_MAX="many",
            RIALTO_GATEWAY_CONNECTIONS_MAX="-1",
        )

        assert code == 2
        assert "RIALTO_DATABASE_POOL_SIZE_MAX" in said
        assert "RIALTO_GATEWAY_CONNECTIONS_MAX" in said
        assert nothing_is_left(data)

    def test_a_profile_that_does_not_exist(self, data):
        code, said = run("up", "--data", data, RIALTO_PROFILE="production")

        assert code == 2
        assert "dev, staging, prod" in said


class TestADataFolder:
    def test_on_a_disk_that_is_nearly_full_is_refused(self, data, monkeypatch):
        full = os.statvfs(data.parent).f_bavail * os.statvfs(data.parent).f_frsize
        monkeypatch.setattr("deploy.data_folder.FREE_BYTES_MIN", full * 2)

        with pytest.raises(StartError, match="nearly full") as refusal:
            prepare(DataFolder(path=data))
        assert refusal.value.exit_code == 2

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_of_somebody_else_is_refused(self, data):
        data.mkdir(mode=0o700)
        os.seteuid(65534)
        try:
            with pytest.raises(StartError, match="cannot be written to"):
                prepare(DataFolder(path=data))
        finally:
            os.seteuid(0)


class TestWithoutAShop:
    def test_status_says_so_with_exit_code_1(self, data):
        code, said = run("status", "--data", data)

        assert code == 1
        assert "no Rialto is running" in said

    def test_down_is_content(self, data):
        code, said = run("down", "--data", data)

        assert code == 0
        assert "no Rialto is running" in said

    def test_restart_and_load_ask_for_one(self, data):
        assert run("restart", "web", "--data", data)[0] == 1
        assert run("load", "--data", data)[0] == 2

    @pytest.mark.parametrize(
        "words", [("top",), ("connections",), ("kick", "usr_1"), ("broadcast", "x")]
    )
    def test_operators_have_nobody_to_ask(self, data, words):
        code, said = run(*words, "--data", data)

        assert code == 1
        assert "no Rialto is running" in said
