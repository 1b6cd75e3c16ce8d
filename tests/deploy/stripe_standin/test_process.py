"""The stand-in as a process: killed at any moment, it keeps what it has answered."""

import secrets
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from deploy.engines.ports import free_port
from shared.environment import process_variables
from tests.contracts.stripe.account import SECRET_KEY
from tests.contracts.stripe.standin import ROOT, start_standin

FORM = {"amount": "1250", "currency": "eur", "payment_method_types[0]": "card"}
ANSWERS_MIN = 60
CALLERS = 4


def client_of(port):
    return httpx.Client(
        base_url=f"http://127.0.0.1:{port}/v1",
        headers={"Authorization": f"Bearer {SECRET_KEY}"},
        timeout=20,
        trust_env=False,
    )


def create(client, key):
    return client.post("/payment_intents", data=FORM, headers={"Idempotency-Key": key})


class Callers:
    """Several clients that create intents until the server is gone."""

    def __init__(self, port):
        self.answered = {}
        self.enough = threading.Event()
        self._port = port
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join(timeout=60)

    def _call(self):
        with client_of(self._port) as client:
            while True:
                key = secrets.token_hex(12)
                try:
                    self.answered[key] = create(client, key).json()["id"]
                except httpx.HTTPError:
                    return
                if len(self.answered) >= ANSWERS_MIN:
                    self.enough.set()


@pytest.mark.fault
class TestAStandInThatIsKilled:
    def test_keeps_every_answer_it_gave(self, tmp_path):
        port, file = free_port(), tmp_path / "stripe.sqlite"
        process = start_standin(port, file=file)
        callers = Callers(port)
        callers.start()
        assert callers.enough.wait(timeout=60)

        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
        callers.join()
        other_port = free_port()  # somebody else on this machine may have the first one by now
        process = start_standin(other_port, file=file)

        try:
            with client_of(other_port) as client:
                for key, identity in callers.answered.items():
                    again = create(client, key)
                    assert again.json()["id"] == identity
                    assert again.headers["idempotent-replayed"] == "true"
        finally:
            process.terminate()
            process.wait(timeout=20)


class TestTheStandIn:
    @pytest.mark.parametrize("profile", ["staging", "prod"])
    def test_runs_in_dev_only(self, profile):
        finished = subprocess.run(
            [sys.executable, "-m", "deploy.stripe_standin"],
            env={**process_variables(), "PYTHONPATH": str(ROOT), "RIALTO_PROFILE": profile},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert finished.returncode == 2
        assert "dev only" in finished.stderr
