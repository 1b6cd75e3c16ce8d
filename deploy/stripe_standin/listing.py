"""List objects: newest first, a page at a time, as every list of Stripe's goes."""

from collections.abc import Mapping

import msgspec

from deploy.stripe_standin.errors import MalformedError, MissingError
from deploy.stripe_standin.limits import LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

Conditions = tuple[tuple[str, object], ...]


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A range of times, in unix seconds."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None

    def conditions(self) -> Conditions:
        """Return the range as conditions on `created`."""
        created = "json_extract(document, '$.created')"
        sides = ((">", self.gt), (">=", self.gte), ("<", self.lt), ("<=", self.lte))
        return tuple((f"{created} {sign} ?", at) for sign, at in sides if at is not None)


class Retrieve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every request may have."""

    expand: list[str] | None = None


class Page(Retrieve, frozen=True, kw_only=True):
    """What every list takes."""

    limit: int = LIST_LIMIT_DEFAULT
    starting_after: str | None = None
    ending_before: str | None = None
    created: Span | None = None


def page_of(
    world: World,
    kind: str,
    asked: Page,
    *,
    url: str,
    where: Mapping[str, object] | None = None,
    conditions: Conditions = (),
) -> Document:
    """Return one page; fields of `where` that are None are not looked at.

    Raises:
        MalformedError: if the page asked for makes no sense.
        MissingError: if the object to start from is not there.
    """
    if not 1 <= asked.limit <= LIST_LIMIT_MAX:
        raise MalformedError(
            f"Limit must be between 1 and {LIST_LIMIT_MAX}.",
            code="parameter_invalid_integer",
            param="limit",
        )
    if asked.starting_after and asked.ending_before:
        raise MalformedError("You can only use one of `starting_after` and `ending_before`.")
    backwards = asked.ending_before is not None
    bounds = conditions + (asked.created.conditions() if asked.created else ())
    for sign, name, anchor in (
        ("<", "starting_after", asked.starting_after),
        (">", "ending_before", asked.ending_before),
    ):
        if anchor is not None:
            number = world.store.number_of(anchor)
            if number is None:
                raise MissingError(kind, anchor, param=name)
            bounds += ((f"number {sign} ?", number),)
    found = world.store.select(
        kind,
        {name: value for name, value in (where or {}).items() if value is not None},
        conditions=bounds,
        oldest_first=backwards,
        limit=asked.limit + 1,
    )
    rows = found[: asked.limit]
    return as_list(rows[::-1] if backwards else rows, url=url, has_more=len(found) > asked.limit)


def as_list(documents: list[Document], *, url: str, has_more: bool = False) -> Document:
    """Return a list object."""
    return {"object": "list", "data": documents, "has_more": has_more, "url": url}
