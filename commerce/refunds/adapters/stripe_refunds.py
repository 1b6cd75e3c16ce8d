"""The refund gateway that is Stripe, by its own client; the stand-in answers it as well.

Refunds: https://docs.stripe.com/refunds; disputes: https://docs.stripe.com/disputes/how-disputes-work.
"""

from datetime import UTC, datetime
from typing import Any, Final

from commerce.foundation.errors import StripeRefusedError, StripeUnheardError
from commerce.foundation.stripe_api import StripeApi, from_stripe, heard, plain, to_stripe
from commerce.refunds.model import (
    DisputeTold,
    RefundOutcome,
    RefundTold,
    Refused,
    WarningTold,
)
from commerce.refunds.ports import WantedRefund
from protocol.ids import OrderId, RefundId
from protocol.money import Money

REFUND_METADATA: Final = "rialto_refund"
ORDER_METADATA: Final = "rialto_order"
_PAGE: Final = 100

_OUTCOMES: Final[dict[str, RefundOutcome]] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
}


class StripeRefunds:
    """Gives money back at Stripe."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    @property
    def is_open(self) -> bool:
        """Whether the shop has an account."""
        return self._api.is_open

    async def refund(self, wanted: WantedRefund) -> RefundTold | Refused | None:
        """Make the refund, once; None if nobody knows whether it was made."""
        amount = Money(amount_minor=wanted.amount_minor, currency=wanted.currency)
        asked = {
            "payment_intent": wanted.intent,
            "amount": to_stripe(amount),
            "metadata": {REFUND_METADATA: wanted.refund, ORDER_METADATA: wanted.order},
        }
        call = self._api.v1.refunds.create_async(asked, {"idempotency_key": wanted.refund})
        try:
            return read_refund(plain(await heard(call)))
        except StripeUnheardError:
            return None
        except StripeRefusedError as refused:
            return Refused(code=refused.reason)

    async def look_up(self, wanted: WantedRefund) -> RefundTold | None:
        """Find the refund if it was made.

        Raises:
            StripeUnheardError: if nobody answers.
        """
        asked = {"payment_intent": wanted.intent, "limit": _PAGE}
        page = await heard(self._api.v1.refunds.list_async(asked))
        for each in page.data:
            found = read_refund(plain(each))
            if found.refund == wanted.refund:
                return found
        return None

    async def told_refund(self, stripe_refund_id: str) -> RefundTold:
        """Return a refund as it is now.

        Raises:
            StripeRefusedError: if there is none.
            StripeUnheardError: if nobody answers.
        """
        return read_refund(
            plain(await heard(self._api.v1.refunds.retrieve_async(stripe_refund_id)))
        )

    async def told_dispute(self, stripe_dispute_id: str) -> DisputeTold:
        """Return a dispute as it is now.

        Raises:
            StripeRefusedError: if there is none.
            StripeUnheardError: if nobody answers.
        """
        call = self._api.v1.disputes.retrieve_async(stripe_dispute_id)
        return read_dispute(plain(await heard(call)))

    async def told_warning(self, stripe_warning_id: str) -> WarningTold:
        """Return an early fraud warning as it is now.

        Raises:
            StripeRefusedError: if there is none.
            StripeUnheardError: if nobody answers.
        """
        call = self._api.v1.radar.early_fraud_warnings.retrieve_async(stripe_warning_id)
        return read_warning(plain(await heard(call)))


def read_refund(refund: dict[str, Any]) -> RefundTold:
    """Return what a refund says, as Stripe's JSON has it."""
    metadata = refund.get("metadata") or {}
    ours, order = metadata.get(REFUND_METADATA), metadata.get(ORDER_METADATA)
    money = from_stripe(refund["amount"], refund["currency"])
    return RefundTold(
        stripe_refund_id=refund["id"],
        refund=None if ours is None else RefundId(ours),
        order=None if order is None else OrderId(order),
        charge=_id_of(refund.get("charge")),
        outcome=_OUTCOMES[refund["status"]],
        amount_minor=money.amount_minor,
        currency=money.currency,
        failure=refund.get("failure_reason") or "",
        reason=refund.get("reason") or "",
    )


def read_dispute(dispute: dict[str, Any]) -> DisputeTold:
    """Return what a dispute says, as Stripe's JSON has it."""
    money = from_stripe(dispute["amount"], dispute["currency"])
    moved = sum(each["amount"] for each in dispute.get("balance_transactions") or [])
    gone = moved < 0
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeTold(
        stripe_dispute_id=dispute["id"],
        order=None,
        charge=_id_of(dispute.get("charge")),
        status=dispute["status"],
        reason=dispute.get("reason") or "",
        amount_minor=money.amount_minor,
        currency=money.currency,
        withdrawn_minor=money.amount_minor if gone else 0,
        evidence_due_at=None if due is None else datetime.fromtimestamp(due, UTC),
        opened_at=datetime.fromtimestamp(dispute["created"], UTC),
    )


def read_warning(warning: dict[str, Any]) -> WarningTold:
    """Return what an early fraud warning says, as Stripe's JSON has it."""
    return WarningTold(
        stripe_warning_id=warning["id"],
        order=None,
        charge=_id_of(warning.get("charge")),
        kind=warning.get("fraud_type") or "",
        is_actionable=bool(warning.get("actionable", True)),
        warned_at=datetime.fromtimestamp(warning["created"], UTC),
    )


def _id_of(thing: Any) -> str | None:  # noqa: ANN401 - an id, or the thing itself if expanded
    found = thing["id"] if isinstance(thing, dict) else thing
    return None if found is None else str(found)
