"""Where this checkout is, and how one of its programs is run."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]


def python_argv(module: str, *words: str) -> tuple[str, ...]:
    """Return the command line of `python -m module`, in the environment we run in."""
    return (sys.executable, "-P", "-m", module, *words)


def python_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` so that Python finds this checkout's packages and does not buffer."""
    return {**variables, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
