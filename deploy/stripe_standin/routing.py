"""Which function answers which address."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from deploy.stripe_standin.errors import UnknownUrlError
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

Asked = TypeVar("Asked", bound=msgspec.Struct)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One method and path, with `*` for an id; the handler gets the last id of the path."""

    method: str
    segments: tuple[str, ...]
    takes: type[msgspec.Struct]
    handler: Callable[[World, Any, str], Document]


def route(
    method: str, path: str, takes: type[Asked], handler: Callable[[World, Asked, str], Document]
) -> Route:
    """Return a route; `path` begins after `/v1/`."""
    return Route(method=method, segments=tuple(path.split("/")), takes=takes, handler=handler)


class Routes:
    """All of them."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_size: dict[tuple[str, int], list[Route]] = {}
        for each in routes:
            self._by_size.setdefault((each.method, len(each.segments)), []).append(each)

    def match(self, method: str, path: str) -> tuple[Route, str]:
        """Return the route for a path after `/v1/`, and the id in it ("" if there is none).

        Words go before ids: `invoices/create_preview` is no invoice.

        Raises:
            UnknownUrlError: if there is none.
        """
        steps = path.split("/")
        candidates = [
            each
            for each in self._by_size.get((method, len(steps)), [])
            if all(want in ("*", step) for want, step in zip(each.segments, steps, strict=True))
        ]
        if not candidates or not all(steps):
            raise UnknownUrlError(f"Unrecognized request URL ({method}: /v1/{path}).")
        best = min(candidates, key=lambda each: each.segments.count("*"))
        ids = [step for want, step in zip(best.segments, steps, strict=True) if want == "*"]
        return best, ids[-1] if ids else ""
