"""Commands for those who change Rialto: test and check."""

import os
import sys
import time
from typing import Final

import click
from rich.table import Table
from rich.text import Text

from deploy.checks import all_checks, in_order, run_checks
from deploy.cli.output import console
from deploy.paths import ROOT, python_argv, python_environment
from shared.environment import process_variables

_PROCESSES_MAX: Final = 4
"""Of pytest, each with engines of its own: beyond this they wait for one another's disks."""

_WITH_COVERAGE: Final = ("--cov", "--cov-report=term", "--cov-report=xml")
_SIDE_BY_SIDE: Final = (
    "--numprocesses=logical",
    f"--maxprocesses={_PROCESSES_MAX}",
    "--dist=loadgroup",
)

_TEST_EXAMPLES = """
Examples:

\b
  ./rialto test                            everything, with coverage
  ./rialto test tests/gateway -k resume    some of it, without
"""


@click.command(
    epilog=_TEST_EXAMPLES,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENT]...")
def test(*, words: tuple[str, ...]) -> None:
    """Run the tests; with no argument all of them, and measure what they cover.

    Real engines are started for the run, on ports of their own.
    """
    everything = () if words else (*_WITH_COVERAGE, *_SIDE_BY_SIDE)
    variables = {
        name: value
        for name, value in process_variables().items()
        if not name.startswith("RIALTO_") or name.startswith("RIALTO_TEST_")
    }
    os.chdir(ROOT)
    argv = python_argv("pytest", *everything, *words)
    os.execve(argv[0], argv, python_environment(variables))  # noqa: S606 - our own interpreter


@click.command()
def check() -> None:
    """Run every check of the code itself: lint, types, imports, spelling, generated files."""
    out = console()
    checks = all_checks()
    started = time.monotonic()
    findings = []
    for finding in run_checks(checks, process_variables()):
        findings.append(finding)
        if not finding.passed:
            out.print(Text.assemble((f"\n{finding.check.name}", "bold red"), f"\n{finding.output}"))
    findings.sort(key=in_order(checks))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("check", "looks at", "result"):
        table.add_column(heading)
    table.add_column("time", justify="right")
    for finding in findings:
        result = Text("passed", "green") if finding.passed else Text("failed", "bold red")
        purpose, seconds = finding.check.purpose, f"{finding.seconds:.1f} s"
        table.add_row(finding.check.name, purpose, result, seconds)
    out.print()
    out.print(table)
    failed = [finding.check.name for finding in findings if not finding.passed]
    took = f"({time.monotonic() - started:.1f} s)"
    if failed:
        out.print(Text(f"\nFailed: {', '.join(failed)} {took}", "bold red"))
        sys.exit(1)
    out.print(Text(f"\nAll {len(findings)} checks passed {took}", "green"))
