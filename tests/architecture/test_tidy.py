"""Checks on the code itself, after TigerBeetle's tidy.zig: small files, small functions."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("protocol", "shared", "gateway", "commerce", "loadtest", "deploy")
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 40
NAMES_THAT_SAY_NOTHING = frozenset(
    {"utils", "util", "helpers", "common", "misc", "base", "manager", "core", "types"}
)
MODULES = [path for program in PROGRAMS for path in sorted((ROOT / program).rglob("*.py"))]
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".js",
    ".ts",
    ".css",
    ".html",
    ".sql",
    ".lua",
    ".sh",
    ".json",
    ".lock",
}
SECRETS_OF_THE_WORKPLACE = re.compile(
    r"/work/|/root/|/home/\w|pypi\.org|pythonhosted|registry\.npmjs|index-url|find-links"
    r"|\"resolved\": ?\"http"
)


def name(path):
    return str(path.relative_to(ROOT))


def functions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False) or ""
            yield node.name, node.end_lineno - node.lineno + 1 - len(docstring.splitlines())


def committed_text_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [ROOT / file for file in listed.stdout.split("\0") if Path(file).suffix in TEXT]


@pytest.mark.parametrize("module", MODULES, ids=name)
class TestEveryModule:
    def test_fits_in_one_sitting(self, module):
        assert len(module.read_text().splitlines()) <= MODULE_LINES_MAX

    def test_has_functions_that_fit_on_a_screen(self, module):
        too_long = {f: lines for f, lines in functions(module) if lines > FUNCTION_LINES_MAX}

        assert too_long == {}

    def test_is_named_after_what_it_holds(self, module):
        assert module.stem not in NAMES_THAT_SAY_NOTHING

    def test_begins_by_saying_what_it_is_for(self, module):
        assert ast.get_docstring(ast.parse(module.read_text()))


class TestTheProject:
    def test_names_no_machine_and_no_registry(self):
        found = {
            name(file): match[0]
            for file in committed_text_files()
            if file.exists() and file != Path(__file__)
            for match in [SECRETS_OF_THE_WORKPLACE.search(file.read_text(errors="replace"))]
            if match
        }

        assert found == {}
