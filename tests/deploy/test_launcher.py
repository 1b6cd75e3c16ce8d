"""`./rialto`, the shell script: which Python it hands over to, and what it says when it cannot."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = "sh cat cut dirname readlink sha256sum mkdir rm mv find flock awk head".split()  # noqa: SIM905 - reads better
NOTHING_IS_INSTALLED = {
    "PIP_NO_INDEX": "1",
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "UV_OFFLINE": "1",
}
SHOUT = "import sys; print('handed over', *sys.argv[1:])"


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a space in its path, whose `deploy` only says what it was given."""
    folder = tmp_path / "a check out"
    (folder / "deploy").mkdir(parents=True)
    (folder / "deploy" / "__init__.py").touch()
    (folder / "deploy" / "__main__.py").write_text(SHOUT)
    for name in ("rialto", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def tools(tmp_path):
    """A PATH with what every Debian has, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return folder


def a_python(tools, body):
    program = tools / "python3"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def furnish(checkout, kind="dev"):
    """Give the checkout a finished environment, without installing anything."""
    locks = ["requirements.lock"] + ["requirements-dev.lock"] * (kind == "dev")
    content = b"".join((checkout / lock).read_bytes() for lock in locks)
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stamp = f"{kind} {hashlib.sha256(content).hexdigest()}\n"
    (checkout / ".venv" / ".rialto-stamp").write_text(stamp)


def run(program, *words, tools, cwd="/"):
    return subprocess.run(
        [program, *words],
        env={
            "PATH": str(tools),
            "HOME": str(tools.parent / "home"),
            **NOTHING_IS_INSTALLED,
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class TestTheLauncher:
    def test_hands_every_word_over_from_anywhere(self, checkout, tools):
        furnish(checkout)

        finished = run(checkout / "rialto", "up", "--data", "a b", tools=tools)

        assert finished.stdout == "handed over up --data a b\n", finished.stderr

    def test_can_be_called_by_a_link(self, checkout, tools, tmp_path):
        furnish(checkout)
        link = tmp_path / "shop"
        link.symlink_to(checkout / "rialto")

        assert run(link, "status", tools=tools).stdout == "handed over status\n"

    def test_is_not_misled_by_a_folder_of_the_same_name(self, checkout, tools, tmp_path):
        furnish(checkout)
        (tmp_path / "deploy").mkdir()
        (tmp_path / "deploy" / "__main__.py").write_text("print('misled')")

        finished = run(checkout / "rialto", "up", tools=tools, cwd=tmp_path)

        assert finished.stdout == "handed over up\n"

    def test_installs_again_when_the_lock_has_changed(self, checkout, tools):
        furnish(checkout)
        with (checkout / "requirements.lock").open("a") as lock:
            lock.write("# changed\n")

        finished = run(checkout / "rialto", "up", tools=tools)

        assert "preparing" in finished.stderr
        assert finished.stdout == ""

    def test_never_installs_into_the_machines_own_python(self, checkout, tools):
        furnish(checkout, kind="runtime")

        finished = run(checkout / "rialto", "test", tools=tools)

        assert finished.returncode == 2
        assert "there is no python3" in finished.stderr
        assert not (checkout / ".venv" / "bin").exists()

    def test_needs_the_tools_of_developers_for_tests_only(self, checkout, tools):
        furnish(checkout, kind="runtime")

        assert run(checkout / "rialto", "up", tools=tools).stdout == "handed over up\n"
        assert "preparing" in run(checkout / "rialto", "test", tools=tools).stderr


class TestAMachineThatIsNotReady:
    def test_is_told_which_python_is_needed(self, checkout, tools):
        finished = run(checkout / "rialto", "up", tools=tools)

        assert finished.returncode == 2
        assert "Python 3.11 or newer is needed, and there is no python3" in finished.stderr

    def test_is_told_when_its_python_is_too_old(self, checkout, tools):
        a_python(tools, '[ "$1" = -V ] && echo Python 3.9.2 && exit; exit 1')

        finished = run(checkout / "rialto", "up", tools=tools)

        assert finished.returncode == 2
        assert "python3 is 3.9.2" in finished.stderr

    def test_is_told_which_package_makes_environments(self, checkout, tools):
        a_python(tools, 'case "$2" in *version_info*) exit 0;; *) exit 1;; esac')

        finished = run(checkout / "rialto", "up", tools=tools)

        assert finished.returncode == 2
        assert "apt-get install python3-venv" in finished.stderr


class TestTheLocks:
    def test_name_no_registry_and_hash_every_package(self):
        for name in ("requirements.lock", "requirements-dev.lock"):
            lines = (ROOT / name).read_text().splitlines()
            packages = [line for line in lines if line and not line.startswith((" ", "#"))]
            assert not any("://" in line for line in lines)
            assert all(line.endswith("\\") for line in packages)

    def test_agree_on_what_both_install(self):
        def versions(name):
            lines = (ROOT / name).read_text().splitlines()
            return {line.split(" ")[0] for line in lines if "==" in line and line[0].isalnum()}

        assert versions("requirements.lock") <= versions("requirements-dev.lock")
