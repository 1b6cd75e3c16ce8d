"""The whole shop, started, looked at, hurt and stopped by the command alone."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import urllib.error
import urllib.request
from contextlib import suppress

import pytest

from deploy.engines.ports import free_port
from tests.deploy.cli.rialto import environment, process_of, run, start, status, wait_until

pytestmark = pytest.mark.timeout(240)


def up(data, *words):
    code, said = run("up", "--detach", "--data", data, *words)
    assert code == 0, said
    return said


def drained(terminal):
    """Read what a program writes on its way out, or it would wait for us; never true."""
    with suppress(OSError):
        if select.select([terminal], [], [], 0)[0]:
            os.read(terminal, 65536)
    return False


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data folder of a shop that runs; its path has spaces, and others may not walk it."""
    folder = tmp_path_factory.mktemp("a shop") / "with data"
    up(folder, "--port", free_port(), "--gateways", 2)
    yield folder
    run("down", "--data", folder)


class TestARunningShop:
    def test_serves_its_page_at_the_url_it_told(self, data):
        with urllib.request.urlopen(status(data)["url"], timeout=10) as page:  # noqa: S310 - ours
            assert page.status == 200

    def test_lists_every_process_with_its_ports(self, data):
        shown = {each["name"]: each for each in status(data)["processes"]}

        assert shown.keys() == {
            *("postgres", "valkey", "stripe", "worker", "web", "gateway-1", "gateway-2")
        }
        assert {each["state"] for each in shown.values()} == {"ready"}
        assert shown["gateway-1"]["ports"]["gateway"] == shown["gateway-2"]["ports"]["gateway"]
        assert shown["gateway-1"]["ports"]["operator"] != shown["gateway-2"]["ports"]["operator"]

    def test_is_not_started_twice_in_one_folder(self, data):
        code, said = run("up", "--data", data)

        assert code == 2
        assert status(data)["url"] in said

    def test_hides_its_secrets(self, data):
        code, said = run("config", "--data", data)

        secrets = re.findall(r'":"([^"]+)"', (data / "secrets.json").read_text())
        assert code == 0
        assert len(secrets) >= 3
        assert not any(secret in said for secret in secrets)
        assert re.search(r"RIALTO_TICKET_SIGNING_KEY +\*+ +rialto up", said)
        assert (data / "secrets.json").stat().st_mode & 0o077 == 0

    def test_can_be_asked_for_its_migrations_and_logs(self, data):
        assert "0001_foundation" in run("migrate", "status", "--data", data)[1]
        assert "ready to accept connections" in run("logs", "postgres", "--data", data)[1]
        assert run("logs", "nobody", "--data", data)[0] == 2

    def test_is_seen_at_a_glance_with_every_worker(self, data):
        code, said = run("top", "--once", "--json", "--data", data)
        shown = json.loads(said)

        assert code == 0
        assert [row["name"] for row in shown["gateways"]] == ["gateway-1", "gateway-2"]
        assert {row["name"] for row in shown["commerce"]} == {"worker", "web"}
        assert all(row["memory_bytes"] > 10_000_000 for row in shown["gateways"])
        assert shown["silent"] == {}

    def test_is_shown_as_text_in_a_pipe(self, data):
        code, said = run("top", "--data", data)

        assert code == 0
        assert "gateway-2" in said
        assert "No socket keeps anything waiting." in said

    def test_is_shown_live_in_a_terminal_until_q_is_pressed(self, data):
        terminal, far_end = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 180, 0, 0))
        top = subprocess.Popen(
            [sys.executable, "-m", "deploy", "top", "--data", data],
            env=environment(TERM="xterm"),
            stdin=far_end,
            stdout=far_end,
            stderr=far_end,
            start_new_session=True,
        )
        os.close(far_end)
        said = b""
        while b"q ends it" not in said:
            said += os.read(terminal, 65536)
        os.write(terminal, b"xq")
        wait_until(lambda: drained(terminal) or top.poll() is not None)

        assert top.wait(timeout=30) == 0
        assert b"gateway-1" in said
        os.close(terminal)

    def test_lets_operators_list_kick_and_tell_over_all_its_workers(self, data):
        code, said = run("connections", "--json", "--data", data)
        assert (code, json.loads(said)) == (0, {"connections": [], "next": None})
        assert run("broadcast", "hello", "--data", data) == (0, "Told 0 connections.\n")
        assert run("kick", "usr_" + "0" * 26, "--data", data)[0] == 1
        assert run("kick", "con_1", "--data", data) == (
            1,
            "rialto: no gateway worker has the connection con_1.\n",
        )
        assert run("kick", "everybody", "--data", data)[0] == 2

    def test_has_a_stand_in_for_stripe(self, data):
        port = process_of(data, "stripe")["ports"]["stripe"]

        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/balance", timeout=10)

        refusal.value.close()
        assert refusal.value.code == 401
        assert refusal.value.headers["stripe-version"] == "2026-10-28.endive"

    @pytest.mark.parametrize("name", ["gateway-1", "stripe", "web", "worker", "valkey", "postgres"])
    def test_gets_back_whichever_process_is_killed(self, data, name):
        before = process_of(data, name)

        os.kill(before["pid"], signal.SIGKILL)

        def is_back():
            now = process_of(data, name)
            return now["restarts"] > before["restarts"] and now["state"] == "ready"

        wait_until(is_back)

    def test_restarts_a_process_when_asked(self, data):
        before = process_of(data, "web")["pid"]

        assert run("restart", "web", "--data", data)[0] == 0

        wait_until(lambda: process_of(data, "web")["state"] == "ready")
        assert process_of(data, "web")["pid"] != before

    def test_has_room_for_another_beside_it(self, data, tmp_path):
        up(tmp_path, "--port", free_port(), "--gateways", 1)
        try:
            assert status(tmp_path)["url"] != status(data)["url"]
            assert len(status(tmp_path)["processes"]) == 6
        finally:
            assert run("down", "--data", tmp_path)[0] == 0

        assert status(data)["running"]


class TestAShopWhoseSupervisorIsKilled:
    def test_can_be_started_again_at_once(self, data):
        before = status(data)

        os.kill(before["supervisor_pid"], signal.SIGKILL)
        up(data, "--port", before["url"].rpartition(":")[2])

        after = status(data)
        assert after["url"] == before["url"]
        assert {each["state"] for each in after["processes"]} == {"ready"}
        old = {each["pid"] for each in before["processes"]}
        assert not any(os.path.exists(f"/proc/{pid}/exe") for pid in old)  # noqa: PTH110 - the kernel's


class TestCtrlC:
    def test_stops_the_gateway_first_and_the_engines_last(self, tmp_path):
        shop = start("up", "--data", tmp_path, "--port", free_port(), "--gateways", 1)
        for line in shop.stdout:
            if "http://" in line:
                break
        shop.send_signal(signal.SIGINT)
        said, _ = shop.communicate(timeout=60)

        stopped = re.findall(r"(\S+) +stopped", said)
        assert shop.returncode == 0, said
        assert stopped[:4] == ["gateway-1", "web", "worker", "stripe"]
        assert set(stopped[4:]) == {"postgres", "valkey"}
