"""The stand-in as a process of its own, as `rialto up` runs it."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from shared.environment import process_variables
from tests.contracts.stripe.account import CONTROL_TOKEN, SECRET_KEY

ROOT = Path(__file__).parents[3]
START_SECONDS_MAX = 60
POLL_SECONDS = 0.05


def start_standin(port, *, file, **variables):
    """Start a stand-in, and return its process once it answers."""
    log = Path(f"{file}.log")
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.stripe_standin"],
            env={
                **process_variables(),
                "PYTHONPATH": str(ROOT),
                "RIALTO_STRIPE_STANDIN_PORT": str(port),
                "RIALTO_STRIPE_STANDIN_FILE": str(file),
                "RIALTO_STRIPE_STANDIN_KEY": SECRET_KEY,
                "RIALTO_STRIPE_STANDIN_TOKEN": CONTROL_TOKEN,
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stderr=said,
        )
    deadline = time.monotonic() + START_SECONDS_MAX
    while not _answers(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "the stand-in did not answer in time"
        time.sleep(POLL_SECONDS)
    return process


@contextmanager
def running_standin(port, *, file, **variables):
    """Run a stand-in for the length of the block; give its address."""
    process = start_standin(port, file=file, **variables)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS_MAX)


def _answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
