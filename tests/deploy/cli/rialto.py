"""The command as people run it: in a process of its own, with an environment of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path

from shared.environment import process_variables

ROOT = Path(__file__).parents[3]
COMMAND_SECONDS_MAX = 100
OURS = ("RIALTO_", "STRIPE_")
POLL_SECONDS = 0.05


def environment(**variables):
    ours = {name: value for name, value in process_variables().items() if not name.startswith(OURS)}
    return {**ours, "PYTHONPATH": str(ROOT), **variables}


def start(*words, **variables):
    """Start a command and leave it running; its output is one text."""
    return subprocess.Popen(
        [sys.executable, "-m", "deploy", *map(str, words)],
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(*words, **variables):
    """Run a command to its end; return its exit code and all it said."""
    with start(*words, **variables) as process:
        said, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        return process.returncode, said


def status(data):
    _, said = run("status", "--json", "--data", data)
    return json.loads(said)


def process_of(data, name):
    return next(each for each in status(data)["processes"] if each["name"] == name)


def wait_until(condition, *, seconds_max=60):
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(POLL_SECONDS)
