"""How fast a running shop answers its REST interface, one kind of request after the other.

Each kind is asked for a while by a few buyers at once, each waiting for its answer before the next.
In the dev profile the shop says with each answer how many SQL statements it took.
"""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

import msgspec
import trio
from rich.console import Console
from rich.table import Table

from loadtest.histogram import Histogram
from loadtest.http_pool import HttpAnswer, HttpError, HttpPool, open_pool
from loadtest.rest import ProductDetails, ProductPage, SignedIn
from protocol.ids import VariantId

STATEMENTS_HEADER: Final = "x-rialto-statements"
_OK: Final = range(200, 300)
_ITEMS: Final = "50"
_WORDS: Final = ("harbour", "velvet", "signal", "amber", "lantern", "quiet")

Ask = Callable[["Buyer"], Awaitable[HttpAnswer]]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of request came to."""

    name: str
    requests: int
    failures: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    statements_max: int | None
    target_p95_ms: float | None

    @property
    def is_met(self) -> bool:
        """Whether it was answered, and as fast as it should be."""
        fast = self.target_p95_ms is None or self.p95_ms <= self.target_p95_ms
        return self.failures == 0 and self.requests > 0 and fast


class Buyer:
    """Somebody signed in, with a cart of their own."""

    def __init__(self, http: HttpPool, *, token: str, variants: Sequence[VariantId]) -> None:
        self._http = http
        self._token = token
        self._turns = itertools.count(1)
        self.variants = variants

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> HttpAnswer:
        """Ask the shop something."""
        headers = {"authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["content-type"] = "application/json"
        content = b"" if body is None else msgspec.json.encode(body)
        return await self._http.request(method, path, query=query, headers=headers, body=content)

    def turn(self) -> int:
        """Return another number each time."""
        return next(self._turns)


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request, and how fast 95 of 100 should be."""

    name: str
    ask: Ask
    target_p95_ms: float | None = None


async def _products(buyer: Buyer) -> HttpAnswer:
    return await buyer.ask("GET", "/v1/products", limit=_ITEMS)


async def _search(buyer: Buyer) -> HttpAnswer:
    word = _WORDS[buyer.turn() % len(_WORDS)]
    return await buyer.ask("GET", "/v1/products", limit="30", q=word)


async def _orders(buyer: Buyer) -> HttpAnswer:
    return await buyer.ask("GET", "/v1/orders", limit="30")


async def _invoices(buyer: Buyer) -> HttpAnswer:
    return await buyer.ask("GET", "/v1/invoices", limit="30")


async def _cart(buyer: Buyer) -> HttpAnswer:
    turn = buyer.turn()
    variant = buyer.variants[turn % len(buyer.variants)]
    return await buyer.ask("PUT", f"/v1/cart/lines/{variant}", {"quantity": 1 + turn % 3})


async def _quote(buyer: Buyer) -> HttpAnswer:
    """Read the cart and have it priced; the statements are those of the quote."""
    cart = await buyer.ask("GET", "/v1/cart")
    version = msgspec.json.decode(cart.body)["version"]
    return await buyer.ask("POST", "/v1/quotes", {"cart_version": version, "country": "DE"})


async def _checkout(buyer: Buyer) -> HttpAnswer:
    """Fill a cart and order it; the time is that of both, the statements those of the order."""
    filled = await _cart(buyer)
    version = msgspec.json.decode(filled.body)["version"]
    body = {"cart_version": version, "confirm_repeat": True}
    return await buyer.ask("POST", "/v1/orders", body)


KINDS: Final = (
    Kind(name="product list of 50", ask=_products, target_p95_ms=15),
    Kind(name="product search", ask=_search, target_p95_ms=15),
    Kind(name="a buyer's orders", ask=_orders, target_p95_ms=15),
    Kind(name="a buyer's invoices", ask=_invoices, target_p95_ms=15),
    Kind(name="cart change", ask=_cart),
    Kind(name="quote", ask=_quote),
    Kind(name="cart and order", ask=_checkout, target_p95_ms=50),
)


async def measure(url: str, *, seconds: float, buyers: int, names: Sequence[str]) -> list[Figure]:
    """Measure every kind, or those named, one after the other."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_pool(url))
        variants = await _variants(http)
        people = [await _buyer(http, number, variants) for number in range(1, buyers + 1)]
        return [
            await _measure(kind, people, seconds=seconds)
            for kind in KINDS
            if not names or kind.name in names
        ]


def print_figures(figures: Sequence[Figure], console: Console) -> None:
    """Print what was measured."""
    table = Table("request")
    for title in ("requests/s", "p50 ms", "p95 ms", "p99 ms", "SQL", "failed", "p95 target"):
        table.add_column(title, justify="right")
    for each in figures:
        target = "" if each.target_p95_ms is None else f"≤ {each.target_p95_ms:.0f}"
        table.add_row(
            each.name,
            f"{each.per_second:,.0f}",
            f"{each.p50_ms:.1f}",
            f"{each.p95_ms:.1f}",
            f"{each.p99_ms:.1f}",
            "" if each.statements_max is None else str(each.statements_max),
            str(each.failures),
            target if each.is_met else f"{target} missed".strip(),
        )
    console.print(table)


async def _measure(kind: Kind, people: Sequence[Buyer], *, seconds: float) -> Figure:
    histogram, failures, statements = Histogram(), 0, 0

    async def go(buyer: Buyer) -> None:
        nonlocal failures, statements
        while trio.current_time() < until:
            began_at = trio.current_time()
            try:
                answer = await kind.ask(buyer)
            except HttpError:
                failures += 1
                continue
            if answer.status in _OK:
                histogram.record(trio.current_time() - began_at)
                statements = max(statements, int(answer.headers.get(STATEMENTS_HEADER, 0)))
            else:
                failures += 1

    began = trio.current_time()
    until = began + seconds
    async with trio.open_nursery() as nursery:
        for buyer in people:
            nursery.start_soon(go, buyer)
    return Figure(
        name=kind.name,
        requests=histogram.count,
        failures=failures,
        per_second=histogram.count / (trio.current_time() - began),
        p50_ms=histogram.quantile(0.5) * 1000,
        p95_ms=histogram.quantile(0.95) * 1000,
        p99_ms=histogram.quantile(0.99) * 1000,
        statements_max=statements or None,
        target_p95_ms=kind.target_p95_ms,
    )


async def _variants(http: HttpPool) -> list[VariantId]:
    page = await http.request("GET", "/v1/products", query={"limit": "20"}, headers={}, body=b"")
    found = []
    for product in msgspec.json.decode(page.body, type=ProductPage).items:
        if product.stock is None:
            shown = await http.request(
                "GET", f"/v1/products/{product.slug}", query={}, headers={}, body=b""
            )
            details = msgspec.json.decode(shown.body, type=ProductDetails)
            found.append(details.variants[0].id)
    return found


async def _buyer(http: HttpPool, number: int, variants: Sequence[VariantId]) -> Buyer:
    answer = await http.request(
        "POST",
        "/v1/sessions/demo",
        query={},
        headers={"content-type": "application/json"},
        body=msgspec.json.encode({"user": number}),
    )
    token = msgspec.json.decode(answer.body, type=SignedIn).token
    return Buyer(http, token=token, variants=variants)
