"""Refunds: several, partial, pending, failed; together never more than was captured."""

from typing import Final, Literal

from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import written
from deploy.stripe_standin.payments import ledger
from deploy.stripe_standin.people.payment_methods import card_behind
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

LATE_SECONDS: Final = 10
"""How long a refund is on its way, to the cards whose refunds arrive late or fail."""


class CreateRefund(Retrieve, frozen=True, kw_only=True):
    """How much of which charge; all that is left if no amount is said."""

    amount: int | None = None
    charge: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class UpdateRefund(Retrieve, frozen=True, kw_only=True):
    """What may change."""

    metadata: dict[str, str] | Literal[""] | None = None


class ListRefunds(Page, frozen=True, kw_only=True):
    """Which refunds."""

    charge: str | None = None
    payment_intent: str | None = None


def _create(world: World, asked: CreateRefund, _: str) -> Document:
    charge = _charge_of(world, asked)
    amount = _amount_of(charge, asked)
    method = world.get("payment_method", charge["payment_method"])
    card = card_behind(method)
    is_late = card is not None and card.refunds == "late"
    refund = world.new(
        "re",
        "refund",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details={
            "type": "card",
            "card": {"reference_status": "pending", "type": "refund"},
        },
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        metadata=merged({}, asked.metadata),
        reason=asked.reason,
        receipt_number=None,
        status="pending" if is_late else "succeeded",
    )
    del refund["livemode"]
    refund["balance_transaction"] = ledger.book(world, refund, kind="refund", amount=-amount)
    world.save(refund)
    _count(world, charge, amount)
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    if card is not None and card.refunds == "never":
        refund["_ends"] = "failed"
    elif is_late:
        refund["_ends"] = "succeeded"
    return world.save(refund)


def settle(world: World, refund: Document, outcome: str) -> Document:
    """Let a refund arrive, or fail: `outcome` is `succeeded`, `failed` or `canceled`.

    Raises:
        InvalidRequestError: if it has ended for good.
    """
    if refund["status"] in {"failed", "canceled"}:
        raise InvalidRequestError(f"This refund has a status of {refund['status']}.")
    refund.pop("_ends", None)
    if outcome == "succeeded":
        return world.change(refund, "refund.updated", status="succeeded")
    charge = world.get("charge", refund["charge"])
    refund["failure_balance_transaction"] = ledger.book(
        world, refund, kind="refund_failure", amount=refund["amount"]
    )
    if outcome == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
    _count(world, charge, -refund["amount"])
    world.change(refund, "refund.updated", status=outcome)
    if outcome == "failed":
        world.emit("refund.failed", refund)
    world.emit("charge.refund.updated", refund)
    return refund


def settle_due(world: World) -> None:
    """End every refund whose card ends it late, once a little time has passed."""
    due = world.store.select(
        "refund",
        {},
        conditions=(
            ("json_extract(document, '$._ends') is not ?", None),
            ("json_extract(document, '$.created') <= ?", world.now() - LATE_SECONDS),
        ),
        oldest_first=True,
    )
    for refund in due:
        settle(world, refund, refund["_ends"])


def _charge_of(world: World, asked: CreateRefund) -> Document:
    if (asked.charge is None) == (asked.payment_intent is None):
        raise MalformedError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    if asked.charge is not None:
        charge = world.get("charge", asked.charge, param="charge")
    else:
        intent = world.get("payment_intent", asked.payment_intent or "", param="payment_intent")
        if intent["latest_charge"] is None:
            raise InvalidRequestError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            )
        charge = world.get("charge", intent["latest_charge"])
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise InvalidRequestError(
            f"Charge {charge['id']} was not captured and cannot be refunded.",
            code="charge_not_refundable",
        )
    return charge


def _amount_of(charge: Document, asked: CreateRefund) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] and not charge.get("_is_refundable", True):
        raise InvalidRequestError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left <= 0:
        raise InvalidRequestError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = left if asked.amount is None else asked.amount
    if amount < 1:
        raise MalformedError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        currency = charge["currency"]
        raise InvalidRequestError(
            f"Refund amount ({written(amount, currency)}) is greater than unrefunded amount on "
            f"charge ({written(left, currency)})",
            code="amount_too_large",
            param="amount",
        )
    return amount


def _count(world: World, charge: Document, amount: int) -> None:
    refunded = charge["amount_refunded"] + amount
    world.change(charge, None, amount_refunded=refunded, refunded=refunded == charge["amount"])


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("refund", identity)


def _update(world: World, asked: UpdateRefund, identity: str) -> Document:
    refund = world.get("refund", identity)
    metadata = merged(refund["metadata"], asked.metadata)
    return world.change(refund, "refund.updated", metadata=metadata)


def _cancel(world: World, _: Retrieve, identity: str) -> Document:
    refund = world.get("refund", identity)
    if refund["status"] not in {"pending", "requires_action"}:
        raise InvalidRequestError(
            f"The refund's status is {refund['status']}; it cannot be canceled."
        )
    return settle(world, refund, "canceled")


def _list(world: World, asked: ListRefunds, _: str) -> Document:
    where = {"charge": asked.charge, "payment_intent": asked.payment_intent}
    return page_of(world, "refund", asked, url="/v1/refunds", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "refunds", CreateRefund, _create),
    route("GET", "refunds", ListRefunds, _list),
    route("GET", "refunds/*", Retrieve, _retrieve),
    route("POST", "refunds/*", UpdateRefund, _update),
    route("POST", "refunds/*/cancel", Retrieve, _cancel),
)
