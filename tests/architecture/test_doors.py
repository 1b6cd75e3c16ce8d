"""The rules import-linter cannot say: which parts of a feature have a door to the street."""

from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
FEATURES = (
    "accounts",
    "admin",
    "cart",
    "catalog",
    "chat",
    "delivery",
    "discounts",
    "exports",
    "invoices",
    "ledger",
    "licenses",
    "notifications",
    "orders",
    "payments",
    "pricing",
    "refunds",
    "settlement",
    "subscriptions",
    "taxes",
)
PARTS = frozenset(
    {
        "__init__",
        "model",
        "errors",
        "settings",
        "ports",
        "adapters",
        "repository",
        "service",
        "schemas",
        "endpoints",
        "reactions",
        "jobs",
    }
)
PUBLIC_PARTS = frozenset({"errors", "model", "ports", "service"})
"""A port is what a caller hands in, so callers may name its type."""
PROGRAMS = ("protocol", "shared", "gateway", "commerce")

WIRING = frozenset({"app", "worker", "settings", "storefront", "seed", "invariants", "__main__"})
"""What stands above the features: it may touch doors and settings too."""


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(*PROGRAMS, include_external_packages=False)


def feature_and_part(module):
    _, feature, part, *_ = [*module.split("."), "", ""]
    return feature, part


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_is_made_of_the_parts_every_feature_has(feature):
    held = {path.stem for path in (ROOT / "commerce" / feature).iterdir() if path.suffix == ".py"}
    folders = {path.name for path in (ROOT / "commerce" / feature).iterdir() if path.is_dir()}

    assert held | folders - {"__pycache__"} <= PARTS


def test_a_feature_enters_another_only_through_its_public_parts(graph):
    trespasses = [
        f"{importer} -> {imported}"
        for imported in graph.find_descendants("commerce")
        if feature_and_part(imported)[0] in FEATURES
        if feature_and_part(imported)[1] not in PUBLIC_PARTS | {""}
        for importer in graph.find_modules_that_directly_import(imported)
        if feature_and_part(importer)[0] not in {feature_and_part(imported)[0], *WIRING}
    ]

    assert trespasses == []


def test_everything_in_shared_serves_both_programs(graph):
    half_shared = {
        module
        for module in graph.find_descendants("shared")
        if not {"gateway", "commerce"}
        <= {importer.split(".")[0] for importer in graph.find_downstream_modules(module)}
    }

    assert half_shared == set()
