"""The programs as processes: what they say, how they start and how they stop."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from commerce.__main__ import CANNOT_START, main
from shared.environment import process_variables
from tests.commerce.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def variables(database_url, redis_url):
    return {
        "PATH": process_variables()["PATH"],
        "RIALTO_DATABASE_URL": database_url,
        "RIALTO_REDIS_URL": redis_url,
        "RIALTO_WEB_PORT": "0",
        "RIALTO_WEB_OPERATOR_PORT": "0",
        "RIALTO_WORKER_OPERATOR_PORT": "0",
    }


def run(arguments, variables):
    return subprocess.run(
        [sys.executable, "-m", "commerce", *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Program:
    """One of the programs, running."""

    def __init__(self, name, variables, log):
        self._log = log
        with log.open("wb") as lines:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "commerce", name], cwd=ROOT, env=variables, stderr=lines
            )

    def lines(self):
        text = self._log.read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    async def operator_address(self):
        async def address():
            return next(
                (
                    line["address"]
                    for line in self.lines()
                    if line["event"] == "port.opened" and line["app"] == "commerce.operator"
                ),
                None,
            )

        return await until(address, seconds_max=60)


class TestSettingsThatAreWrong:
    @pytest.mark.parametrize("program", ["web", "worker"])
    def test_are_all_named_before_any_port_opens(self, program, variables):
        wrong = variables | {"RIALTO_WEB_PORT": "many", "RIALTO_DATABASE_URL": "mysql://"}

        done = run([program], wrong)

        assert done.returncode == CANNOT_START
        assert "RIALTO_WEB_PORT 'many' is malformed" in done.stderr
        assert "RIALTO_DATABASE_URL is malformed" in done.stderr
        assert "mysql" not in done.stderr
        assert "Traceback" not in done.stderr

    def test_include_the_secrets_of_dev_in_prod(self, variables):
        done = run(["web"], variables | {"RIALTO_PROFILE": "prod", "RIALTO_COOKIE_SECURE": "true"})

        assert done.returncode == CANNOT_START
        assert "RIALTO_TICKET_SIGNING_KEY is not set" in done.stderr


class TestMigrate:
    def test_says_what_it_did(self, variables):
        done = run(["migrate", "up"], variables)

        assert (done.returncode, done.stdout) == (0, "nothing to do\n")

    def test_lists_what_is_applied(self, monkeypatch, variables, capsys):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        assert main(["migrate", "status"]) == 0
        assert main(["migrate", "down", "--dry-run"]) == 0

        said = capsys.readouterr().out
        assert "0001_foundation" in said
        assert "would be taken back" in said

    def test_says_when_there_is_no_database(self, monkeypatch, variables, capsys):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("RIALTO_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/none")

        assert main(["migrate", "up"]) == CANNOT_START

        assert "does not answer" in capsys.readouterr().err


class TestAProgram:
    @pytest.mark.parametrize("name", ["web", "worker"])
    async def test_is_ready_once_everything_it_needs_is_there_and_stops_when_told(
        self, name, variables, tmp_path
    ):
        program = Program(name, variables, tmp_path / "log")
        try:
            address = await program.operator_address()
            async with httpx.AsyncClient() as client:
                ready = (await client.get(f"http://{address}/readyz")).json()
            program.process.send_signal(signal.SIGTERM)

            assert ready == {"ready": True, "failed": {}}
            assert program.process.wait(timeout=15) == 0
        finally:
            program.process.kill()
            program.process.wait()
