"""The balance: one transaction for each movement of money, never changed afterwards."""

from typing import Final

from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import fee_minor
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

PENDING_SECONDS: Final = 2 * 24 * 3600
"""Money from a card can be paid out after two days."""


class ListTransactions(Page, frozen=True, kw_only=True):
    """Which movements."""

    currency: str | None = None
    payout: str | None = None
    source: str | None = None
    type: str | None = None


def book(  # noqa: PLR0913 - a movement has that many sides
    world: World,
    source: Document,
    *,
    kind: str,
    amount: int,
    fee: int = 0,
    category: str | None = None,
    is_available: bool = True,
) -> str:
    """Record a movement of `amount` minor units (out: negative), less a fee; return its id."""
    now = world.now()
    transaction = world.new(
        "txn",
        "balance_transaction",
        amount=amount,
        available_on=now if is_available else now + PENDING_SECONDS,
        balance_type="payments",
        currency=source["currency"],
        description=source.get("description"),
        exchange_rate=None,
        fee=fee,
        fee_details=_fee_details(fee, source["currency"]),
        net=amount - fee,
        reporting_category=category or kind,
        source=source["id"],
        status="available",
        type=kind,
    )
    del transaction["livemode"], transaction["metadata"]
    return str(world.save(transaction)["id"])


def book_charge(world: World, charge: Document, *, is_available: bool) -> str:
    """Record what a captured charge brought, less the fee; return the transaction's id."""
    amount = charge["amount_captured"]
    return book(
        world,
        charge,
        kind="charge",
        amount=amount,
        fee=fee_minor(amount, charge["currency"]),
        is_available=is_available,
    )


def available_minor(world: World, currency: str) -> int:
    """Return what could be paid out now, in minor units."""
    return _sums(world)[0].get(currency, 0)


def _fee_details(fee: int, currency: str) -> list[Document]:
    if not fee:
        return []
    return [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]


def _sums(world: World) -> tuple[dict[str, int], dict[str, int]]:
    rows = world.store.query(
        "select json_extract(document, '$.currency') as currency,"
        " json_extract(document, '$.available_on') <= ? as is_available,"
        " sum(json_extract(document, '$.net')) as net"
        " from objects where kind = 'balance_transaction' group by 1, 2",
        world.now(),
    )
    available: dict[str, int] = {}
    pending: dict[str, int] = {}
    for row in rows:
        (available if row["is_available"] else pending)[row["currency"]] = row["net"]
    return available, pending


def _balance(world: World, _: Retrieve, _identity: str) -> Document:
    available, pending = _sums(world)
    currencies = sorted({*available, *pending, "usd"})

    def lines(sums: dict[str, int]) -> list[Document]:
        return [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency in currencies
            for amount in [sums.get(currency, 0)]
        ]

    return {
        "object": "balance",
        "available": lines(available),
        "pending": lines(pending),
        "livemode": False,
    }


def _as_of_now(world: World, transaction: Document) -> Document:
    pending = transaction["available_on"] > world.now()
    return {**transaction, "status": "pending" if pending else "available"}


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return _as_of_now(world, world.get("balance_transaction", identity))


def _list(world: World, asked: ListTransactions, _: str) -> Document:
    page = page_of(
        world,
        "balance_transaction",
        asked,
        url="/v1/balance_transactions",
        where={
            "currency": asked.currency,
            "_payout": asked.payout,
            "source": asked.source,
            "type": asked.type,
        },
    )
    page["data"] = [_as_of_now(world, each) for each in page["data"]]
    return page


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "balance", Retrieve, _balance),
    route("GET", "balance_transactions", ListTransactions, _list),
    route("GET", "balance_transactions/*", Retrieve, _retrieve),
)
