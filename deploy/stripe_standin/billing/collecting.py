"""Collect what an invoice asks for: by a payment intent, again after a refusal."""

from typing import Final

from deploy.stripe_standin.billing import invoices
from deploy.stripe_standin.errors import CardDeclinedError, InvalidRequestError
from deploy.stripe_standin.payments import intents
from deploy.stripe_standin.payments.confirming import Confirmation, confirm
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

RETRY_DAYS: Final = (3, 5, 7)
"""When a renewal is tried again after each refusal; then the subscription is given up."""
DAY_SECONDS: Final = 24 * 3600


def ensure_intent(world: World, invoice: Document) -> Document:
    """Return the payment intent of an open invoice, which is made if there is none."""
    known = invoice.get("_intent")
    if known is not None:
        return world.get("payment_intent", known)
    asked = intents.CreateIntent(
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        payment_method_types=["card"],
        description=f"Invoice {invoice['number']}",
        setup_future_usage="off_session" if invoice["parent"] else None,
    )
    intent = intents.draft(world, asked, invoice["currency"])
    intent["_invoice"] = invoice["id"]
    world.save(intent)
    world.emit("payment_intent.created", intent)
    payment = world.new(
        "inpay",
        "invoice_payment",
        amount_paid=None,
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    del payment["metadata"]
    world.save(payment)
    invoice["_intent"] = intent["id"]
    invoice["_payment"] = payment["id"]
    invoice["payments"]["data"] = [payment]
    invoice["confirmation_secret"] = {
        "client_secret": intent["client_secret"],
        "type": "payment_intent",
    }
    world.save(invoice)
    return intent


def pay(
    world: World, invoice: Document, *, method: str | None = None, is_renewal: bool = False
) -> Document:
    """Try to collect an open invoice; return it as it is then.

    Raises:
        InvalidRequestError: if it is not open, or nothing is known to pay it with.
        CardDeclinedError: if the bank refuses.
    """
    if invoice["status"] not in invoices.OPEN:
        raise InvalidRequestError(
            "Invoice is already paid"
            if invoice["status"] == "paid"
            else f"This invoice can no longer be paid: it is {invoice['status']}.",
            code="invoice_not_editable" if invoice["status"] != "paid" else None,
        )
    intent = ensure_intent(world, invoice)
    chosen = method or method_for(world, invoice)
    if chosen is None:
        raise InvalidRequestError(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set one "
            "before paying."
        )
    if intent["status"] != "requires_action":
        confirm(world, intent, Confirmation(payment_method=chosen, is_renewal=is_renewal))
    return world.get("invoice", invoice["id"])


def attempt(world: World, invoice: Document, *, is_renewal: bool) -> Document:
    """Try to collect an invoice by ourselves; a refusal is recorded, not raised."""
    if invoice["status"] != "open":
        return invoice
    if invoice["collection_method"] == "send_invoice":
        ensure_intent(world, invoice)
        world.emit("invoice.sent", invoice)
        return invoice
    try:
        return pay(world, invoice, is_renewal=is_renewal)
    except InvalidRequestError:
        failed(world, invoice)
    except CardDeclinedError:
        pass  # the intent's own event has told the invoice
    return world.get("invoice", invoice["id"])


def method_for(world: World, invoice: Document) -> str | None:
    """Return what an invoice is to be paid with: its own, the subscription's, the customer's."""
    named = invoices.subscription_of(invoice)
    subscription = world.find("subscription", named) or {}
    customer = world.get("customer", invoice["customer"])
    chosen: str | None = (
        invoice["default_payment_method"]
        or subscription.get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"]
    )
    return chosen


def failed(world: World, invoice: Document) -> None:
    """Record a refusal, and when it is tried again."""
    count = invoice["attempt_count"] + 1
    invoice.update(attempt_count=count, attempted=True, next_payment_attempt=None, _due=None)
    if invoice["billing_reason"] == "subscription_cycle" and count <= len(RETRY_DAYS):
        again = world.now() + RETRY_DAYS[count - 1] * DAY_SECONDS
        invoice.update(next_payment_attempt=again, _due=again)
    world.save(invoice)
    world.emit("invoice.payment_failed", invoice)


def on_intent(world: World, name: str, intent: Document) -> None:
    """Carry what became of a payment intent over to the invoice it is for."""
    if intent.get("object") != "payment_intent" or "_invoice" not in intent:
        return
    invoice = world.get("invoice", intent["_invoice"])
    if name == "payment_intent.succeeded" and invoice["status"] != "paid":
        payment = world.get("invoice_payment", invoice["_payment"])
        payment["status_transitions"] = {"canceled_at": None, "paid_at": world.now()}
        payment["amount_paid"] = intent["amount_received"]
        invoice["payments"]["data"] = [payment]
        invoice["attempt_count"] += 1
        world.change(payment, "invoice_payment.paid", status="paid")
        invoices.mark_paid(world, invoice, amount=intent["amount_received"])
    elif name == "payment_intent.payment_failed":
        failed(world, invoice)
    elif name == "payment_intent.requires_action":
        invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
        world.save(invoice)
        world.emit("invoice.payment_action_required", invoice)
