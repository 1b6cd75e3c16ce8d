"""Stripe's balance transactions: https://docs.stripe.com/reports/balance-transaction-types."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from typing_extensions import override

from commerce.foundation.stripe_api import StripeApi, from_stripe, heard, plain
from commerce.ledger.model import Movement, MovementKind
from commerce.ledger.ports import Processor
from shared.clock import unix_ms

_PAGE: Final = 100

_KINDS: Final[Mapping[str, MovementKind]] = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failed",
    "payment_failure_refund": "refund_failed",
    "payout": "payout",
    "payout_failure": "payout",
    "payout_cancel": "payout",
    "stripe_fee": "fee",
    "adjustment": "dispute",
}


class StripeBalance(Processor):
    """Reads the account's balance transactions with what each is of."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    @override
    async def movements(
        self, *, since: datetime, until: datetime
    ) -> AsyncIterator[Sequence[Movement]]:
        asked: dict[str, Any] = {
            "created": {"gte": unix_ms(since) // 1000, "lt": unix_ms(until) // 1000},
            "expand": ["data.source"],
            "limit": _PAGE,
        }
        while True:
            page = await heard(self._api.v1.balance_transactions.list_async(asked))
            yield [read_movement(plain(each)) for each in page.data]
            if not page.has_more:
                return
            asked["starting_after"] = page.data[-1].id


def read_movement(transaction: dict[str, Any]) -> Movement:
    """Return what a balance transaction says, as Stripe's JSON has it."""
    source = transaction.get("source")
    source = source if isinstance(source, dict) else {}
    kind = _KINDS.get(transaction["type"], "other")
    settled = from_stripe(transaction["amount"], transaction["currency"])
    return Movement(
        id=transaction["id"],
        kind=kind,
        keys=_keys(kind, source.get("metadata") or {}),
        settled=settled,
        asked=_asked(source, transaction["amount"]) or settled,
        fee=from_stripe(transaction["fee"], transaction["currency"]),
        at=datetime.fromtimestamp(transaction["created"], UTC),
    )


def _keys(kind: MovementKind, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Return under which keys the ledger may have it."""
    named: Mapping[MovementKind, tuple[tuple[str, str], ...]] = {
        "charge": (("sale", "rialto_order"), ("late", "rialto_payment")),
        "refund": (("refund", "rialto_refund"),),
        "refund_failed": (("refund-failed", "rialto_refund"),),
    }
    return tuple(
        f"{word}:{metadata[name]}" for word, name in named.get(kind, ()) if metadata.get(name)
    )


def _asked(source: Mapping[str, Any], settled_amount: int) -> Any:  # noqa: ANN401 - Money or None
    """Return the amount in the buyer's currency, with the sign of what was settled."""
    amount, currency = source.get("amount"), source.get("currency")
    if amount is None or currency is None:
        return None
    return from_stripe(amount if settled_amount >= 0 else -abs(amount), currency)
