"""`expand[]`: put objects where an answer has their ids."""

from typing import Any, Final

from deploy.stripe_standin.errors import MalformedError
from deploy.stripe_standin.limits import EXPANSION_DEPTH_MAX
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

_KINDS: Final = {
    "pi": "payment_intent",
    "ch": "charge",
    "py": "charge",
    "re": "refund",
    "pm": "payment_method",
    "cus": "customer",
    "txn": "balance_transaction",
    "seti": "setup_intent",
    "sub": "subscription",
    "in": "invoice",
    "prod": "product",
    "price": "price",
    "du": "dispute",
    "po": "payout",
    "di": "discount",
    "promo": "promotion_code",
    "clock": "test_helpers.test_clock",
}
_ONLY_WHEN_ASKED: Final = {
    ("invoice", "payments"),
    ("invoice", "confirmation_secret"),
    ("charge", "refunds"),
    ("customer", "subscriptions"),
}
"""Fields that an object has only if they are expanded."""


def expanded(world: World, document: Document, paths: list[str]) -> Document:
    """Return the document with the objects at `paths` filled in.

    Raises:
        MalformedError: if a path names what cannot be expanded.
    """
    for path in paths:
        steps = path.split(".")
        if len(steps) > EXPANSION_DEPTH_MAX + (steps[0] == "data"):
            raise MalformedError(
                f"You cannot expand more than {EXPANSION_DEPTH_MAX} levels of a property: {path}",
                code="property_expansion_max_depth",
                param="expand",
            )
        _expand(world, document, steps, path)
    return document


def hidden(document: Document, paths: list[str]) -> Document:
    """Return an answer without the fields that are only shown when they are asked for."""
    asked = {path.split(".")[-1] for path in paths}
    found: Document = _without(document, asked)
    return found


def _without(value: Any, asked: set[str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_without(each, asked) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("object")
    return {
        name: _without(each, asked)
        for name, each in value.items()
        if name in asked or (str(kind), name) not in _ONLY_WHEN_ASKED
    }


def _expand(world: World, here: Any, steps: list[str], path: str) -> None:  # noqa: ANN401 - JSON
    if isinstance(here, list):
        for each in here:
            _expand(world, each, steps, path)
        return
    if not isinstance(here, dict) or steps[0] not in here:
        raise MalformedError(
            f"This property cannot be expanded ({path}).",
            code="property_cannot_be_expanded",
            param="expand",
        )
    first, rest = steps[0], steps[1:]
    value = here[first]
    if value is None:
        return
    here[first] = _filled(world, value)
    if rest:
        _expand(world, here[first], rest, path)


def _filled(world: World, value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_filled(world, each) for each in value]
    if not isinstance(value, str):
        return value
    kind = _KINDS.get(value.partition("_")[0])
    return (world.find(kind, value) if kind else None) or value
