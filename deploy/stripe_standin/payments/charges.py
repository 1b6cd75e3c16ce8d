"""Charges: one for each time a card or an account was asked for money."""

from typing import Any, Final

from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.payments import ledger
from deploy.stripe_standin.people.cards import Decline
from deploy.stripe_standin.people.payment_methods import card_behind
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

_BLOCKED: Final = "fraudulent"


class UpdateCharge(Retrieve, frozen=True, kw_only=True):
    """What may change of a charge."""

    description: str | None = None
    metadata: dict[str, str] | None = None
    receipt_email: str | None = None


class ListCharges(Page, frozen=True, kw_only=True):
    """Which charges."""

    customer: str | None = None
    payment_intent: str | None = None


def new_charge(world: World, intent: Document, method: Document, **fields: Any) -> Document:  # noqa: ANN401 - JSON
    """Return a charge of an intent, not kept yet."""
    kind = method["type"]
    return world.new(
        "ch" if kind == "card" else "py",
        "charge",
        **{
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": "RIALTO",
            "captured": False,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "metadata": dict(intent["metadata"]),
            "outcome": _outcome(None),
            "paid": True,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": _details(method),
            "receipt_email": intent["receipt_email"],
            "receipt_url": None,
            "refunded": False,
            "shipping": intent["shipping"],
            "status": "succeeded",
            **fields,
        },
    )


def failed_charge(world: World, intent: Document, method: Document, decline: Decline) -> Document:
    """Record a charge that was refused."""
    charge = new_charge(
        world,
        intent,
        method,
        paid=False,
        status="failed",
        failure_code=decline.code,
        failure_message=decline.message,
        outcome=_outcome(decline),
    )
    world.save(charge)
    world.emit("charge.failed", charge)
    return charge


def capture(world: World, charge: Document, amount: int) -> Document:
    """Take `amount` of an authorised charge into the balance; what is left is let go."""
    card_number = world.get("payment_method", charge["payment_method"])
    card = card_behind(card_number)
    charge.update(captured=True, amount_captured=amount, amount_refunded=charge["amount"] - amount)
    is_available = card is not None and card.is_available_at_once
    charge["balance_transaction"] = ledger.book_charge(world, charge, is_available=is_available)
    return world.save(charge)


def _details(method: Document) -> Document:
    kind = method["type"]
    details = dict(method[kind])
    details.pop("networks", None)
    details.pop("three_d_secure_usage", None)
    if kind == "card":
        details["three_d_secure"] = None
    return {"type": kind, kind: details}


def _outcome(decline: Decline | None) -> Document:
    if decline is None:
        return {
            "advice_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    is_blocked = decline.decline_code == _BLOCKED
    return {
        "advice_code": "try_again_later" if decline.code == "processing_error" else None,
        "network_status": "not_sent_to_network" if is_blocked else "declined_by_network",
        "reason": "highest_risk_level" if is_blocked else decline.decline_code,
        "risk_level": "highest" if is_blocked else "normal",
        "seller_message": "The bank returned a decline.",
        "type": "blocked" if is_blocked else "issuer_declined",
    }


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    charge = world.get("charge", identity)
    charge["refunds"] = {
        "object": "list",
        "data": world.select("refund", charge=identity),
        "has_more": False,
        "url": f"/v1/charges/{identity}/refunds",
    }
    return charge


def _update(world: World, asked: UpdateCharge, identity: str) -> Document:
    charge = world.get("charge", identity)
    changes: Document = {"metadata": merged(charge["metadata"], asked.metadata)}
    for name in ("description", "receipt_email"):
        if (value := getattr(asked, name)) is not None:
            changes[name] = value or None
    return world.change(charge, "charge.updated", **changes)


def _list(world: World, asked: ListCharges, _: str) -> Document:
    where = {"customer": asked.customer, "payment_intent": asked.payment_intent}
    return page_of(world, "charge", asked, url="/v1/charges", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "charges", ListCharges, _list),
    route("GET", "charges/*", Retrieve, _retrieve),
    route("POST", "charges/*", UpdateCharge, _update),
)
