"""What `rialto check` runs: each a command that must end with 0."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final

import msgspec

from deploy.paths import ROOT, python_argv, python_environment

_TOGETHER_MAX: Final = 2
_CHECK_SECONDS_MAX: Final = 600
_ASYNC_RULES_OFF: Final = "ASYNC9,ASYNC114,ASYNC124"
"""9xx are optional, and ask for a checkpoint in every function; 114 wants every startable function
listed in an option; 124 wants synchronous handlers, which Quart does not offer."""

_LINT_IMPORTS: Final = "from importlinter.cli import lint_imports_command as lint; lint()"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One tool and what it looks for."""

    name: str
    purpose: str
    argv: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one check."""

    check: Check
    passed: bool
    seconds: float
    output: str


def all_checks() -> list[Check]:
    """Return every check, the slow ones first so that they run beside the others."""

    def tool(name: str, purpose: str, *words: str) -> Check:
        return Check(name=name, purpose=purpose, argv=python_argv(*words))

    return [
        tool("basedpyright", "types, a second opinion", "basedpyright"),
        tool("mypy", "types", "mypy"),
        tool("ruff check", "lint", "ruff", "check", "."),
        tool("ruff format", "layout", "ruff", "format", "--check", "."),
        Check(
            name="lint-imports",
            purpose="who may import whom",
            argv=(sys.executable, "-P", "-c", _LINT_IMPORTS),
        ),
        tool("codespell", "spelling", "codespell_lib", *_tracked_folders()),
        tool(
            "flake8-async",
            "cancellation in the gateway",
            *("flake8_async", f"--disable={_ASYNC_RULES_OFF}", *_gateway_files()),
        ),
        tool("generated: protocol", "schemas are current", "protocol.generate", "--check"),
        tool("generated: .env.example", "it is current", "deploy", "config", "--check-example"),
    ]


def run_checks(checks: Iterable[Check], variables: Mapping[str, str]) -> Iterator[Finding]:
    """Run the checks, two at a time; yield each when it is done."""
    environment = python_environment(variables)

    def run(check: Check) -> Finding:
        return _run(check, environment)

    with ThreadPoolExecutor(max_workers=_TOGETHER_MAX) as threads:
        for future in as_completed([threads.submit(run, check) for check in checks]):
            yield future.result()


def in_order(checks: list[Check]) -> Callable[[Finding], int]:
    """Return a key that sorts findings as their checks stand."""
    names = [check.name for check in checks]
    return lambda finding: names.index(finding.check.name)


def _run(check: Check, environment: Mapping[str, str]) -> Finding:
    started = time.monotonic()
    try:
        finished = subprocess.run(
            check.argv,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_CHECK_SECONDS_MAX,
        )
        passed, output = finished.returncode == 0, finished.stdout
    except subprocess.TimeoutExpired:
        passed, output = False, f"it took longer than {_CHECK_SECONDS_MAX} s"
    return Finding(
        check=check, passed=passed, seconds=time.monotonic() - started, output=output.strip()
    )


def _tracked_folders() -> list[str]:
    return sorted(
        str(path.relative_to(ROOT))
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and path.suffix != ".lock" and path.name != "reports"
    )


def _gateway_files() -> list[str]:
    """The tool takes files, not folders."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "gateway").rglob("*.py"))
