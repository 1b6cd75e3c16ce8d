"""What is asked of the shop, one kind of request after the other, and what is promised of each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import msgspec

from loadtest.commerce_bench.buyers import Buyer, Cast

LIST_P95_MS: Final = 15.0
"""On one core, when 100 a second come."""

CONFIRM_P95_MS: Final = 50.0
WEBHOOKS_PER_SECOND: Final = 500.0
LIST_STATEMENTS_MAX: Final = 3
CALL_STATEMENTS_MAX: Final = 25
_PACE: Final = 100.0

_ITEMS: Final = "50"
_PAGE: Final = "30"
_WORDS: Final = ("harbour", "velvet", "signal", "amber", "lantern", "quiet")

Ask = Callable[[Cast, Buyer], Awaitable[object]]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request.

    It is asked for by `buyers` at once (as many as the command line says if None) without a pause;
    and then at `pace` a second, which is what `p95_ms` is promised of. What `prepare` does is not
    measured. `grows` says that its table does, and its time must not.
    """

    name: str
    ask: Ask
    prepare: Ask | None = None
    buyers: int | None = None
    pace: float | None = None
    p95_ms: float | None = None
    per_second_min: float | None = None
    statements_max: int | None = None
    grows: bool = False
    needs: frozenset[str] = frozenset()


async def _products(_: Cast, buyer: Buyer) -> object:
    return await buyer.ask("GET", "/v1/products", limit=_ITEMS)


async def _search(_: Cast, buyer: Buyer) -> object:
    word = _WORDS[buyer.turn() % len(_WORDS)]
    return await buyer.ask("GET", "/v1/products", limit=_PAGE, q=word)


async def _product(_: Cast, buyer: Buyer) -> object:
    slugs = buyer.stock.slugs
    return await buyer.ask("GET", f"/v1/products/{slugs[buyer.turn() % len(slugs)]}")


async def _orders(_: Cast, buyer: Buyer) -> object:
    return await buyer.ask("GET", "/v1/orders", limit=_PAGE)


async def _invoices(_: Cast, buyer: Buyer) -> object:
    return await buyer.ask("GET", "/v1/invoices", limit=_PAGE)


def _staffs(query: Callable[[Cast], Mapping[str, str]]) -> Ask:
    async def found(cast: Cast, _: Buyer) -> object:
        return await cast.staff.ask("GET", "/v1/admin/orders", limit=_PAGE, **query(cast))

    return found


async def _cart(_: Cast, buyer: Buyer) -> object:
    return await buyer.fill()


async def _quote_prepared(_: Cast, buyer: Buyer) -> object:
    buyer.prepared = await buyer.have_quoted(await buyer.fill())
    return None


async def _confirm(_: Cast, buyer: Buyer) -> object:
    return await buyer.order(buyer.prepared)


async def _checkout(_: Cast, buyer: Buyer) -> object:
    return await buyer.buy()


async def _webhook(cast: Cast, _: Buyer) -> object:
    assert cast.bank is not None
    return await cast.bank.tell()


async def _validate(cast: Cast, _: Buyer) -> object:
    assert cast.product is not None
    return await cast.product.validate()


def _list(name: str, ask: Ask) -> Kind:
    return Kind(
        name=name,
        ask=ask,
        pace=_PACE,
        p95_ms=LIST_P95_MS,
        statements_max=LIST_STATEMENTS_MAX,
        grows=True,
    )


FILTERS: Final[Mapping[str, Callable[[Cast], Mapping[str, str]]]] = {
    "all": lambda _: {},
    "of a state": lambda _: {"state": "fulfilled"},
    "of a product": lambda cast: {"product": cast.staff.stock.product},
    "held": lambda _: {"held": "true"},
    "disputed": lambda _: {"disputed": "true"},
    "of a month": lambda _: {
        "placed_from": "2026-08-01T00:00:00Z",
        "placed_until": "2026-09-01T00:00:00Z",
    },
}

KINDS: Final[Sequence[Kind]] = (
    _list("product list of 50", _products),
    _list("product search", _search),
    _list("product detail", _product),
    _list("a buyer's orders", _orders),
    _list("a buyer's invoices", _invoices),
    *(_list(f"the staff's orders, {name}", _staffs(query)) for name, query in FILTERS.items()),
    Kind(name="cart change", ask=_cart, statements_max=CALL_STATEMENTS_MAX),
    Kind(
        name="confirm (order from a quote)",
        ask=_confirm,
        prepare=_quote_prepared,
        pace=10.0,
        p95_ms=CONFIRM_P95_MS,
        statements_max=CALL_STATEMENTS_MAX,
    ),
    Kind(
        name="whole checkout, one buyer",
        ask=_checkout,
        buyers=1,
        statements_max=CALL_STATEMENTS_MAX,
        needs=frozenset({"cards"}),
    ),
    Kind(
        name="whole checkout, eight buyers",
        ask=_checkout,
        buyers=8,
        statements_max=CALL_STATEMENTS_MAX,
        needs=frozenset({"cards"}),
    ),
    Kind(
        name="webhook ingest",
        ask=_webhook,
        buyers=8,
        per_second_min=WEBHOOKS_PER_SECOND,
        statements_max=CALL_STATEMENTS_MAX,
        needs=frozenset({"secret"}),
    ),
    Kind(
        name="licence validate",
        ask=_validate,
        pace=_PACE,
        p95_ms=LIST_P95_MS,
        statements_max=LIST_STATEMENTS_MAX,
        needs=frozenset({"keys"}),
    ),
)


def chosen(names: Sequence[str]) -> list[Kind]:
    """Return the kinds whose names begin with one of these; all if there are none."""
    return [kind for kind in KINDS if not names or kind.name.startswith(tuple(names))]
