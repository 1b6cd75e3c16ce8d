"""Invoices: drafted, finalized, then paid, void or given up."""

from typing import Any, Final

from deploy.stripe_standin.billing import discounts, lines
from deploy.stripe_standin.errors import InvalidRequestError
from deploy.stripe_standin.ids import mint
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

DRAFT_SECONDS: Final = 3600
"""How long an invoice that advances by itself stays a draft."""
OPEN: Final = frozenset({"open", "uncollectible"})


def draft(
    world: World,
    customer: Document,
    *,
    currency: str,
    reason: str,
    subscription: Document | None = None,
    **fields: Any,  # noqa: ANN401 - JSON
) -> Document:
    """Return a new draft without lines, kept but not told of yet."""
    now = world.now()
    invoice = world.new("in", "invoice", **_blank(customer, now))
    invoice.update(
        billing_reason=reason,
        currency=currency,
        parent=subscription and _parent(subscription),
        period_start=now,
        period_end=now,
        test_clock=customer["test_clock"],
        **fields,
    )
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    if subscription is not None:
        invoice["collection_method"] = subscription["collection_method"]
        invoice["_days_until_due"] = subscription["days_until_due"]
    return world.save(invoice)


def _blank(customer: Document, now: int) -> Document:
    absent = (
        "automatically_finalizes_at confirmation_secret default_payment_method description "
        "due_date effective_at ending_balance footer hosted_invoice_url invoice_pdf "
        "next_payment_attempt number"
    )
    return {
        **dict.fromkeys(absent.split()),
        **_of_customer(customer),
        "account_country": "US",
        "account_name": "Rialto",
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "collection_method": "charge_automatically",
        "default_tax_rates": [],
        "discounts": [],
        "lines": {"object": "list", "data": [], "has_more": False, "url": ""},
        "payment_settings": {"payment_method_options": None, "payment_method_types": None},
        "payments": {"object": "list", "data": [], "has_more": False, "url": ""},
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "webhooks_delivered_at": now,
    }


def _of_customer(customer: Document) -> Document:
    return {
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "starting_balance": customer["balance"],
    }


def _parent(subscription: Document) -> Document:
    return {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {
            "metadata": subscription["metadata"],
            "subscription": subscription["id"],
        },
    }


def subscription_of(invoice: Document) -> str | None:
    """Return the id of the subscription an invoice is for."""
    parent = invoice["parent"] or {}
    about: str | None = (parent.get("subscription_details") or {}).get("subscription")
    return about


def fill(world: World, invoice: Document, rows: list[Document]) -> Document:
    """Put lines on a draft and add them up; `invoice.created` is for the caller to tell."""
    for row in rows:
        row["invoice"] = invoice["id"]
    invoice["lines"]["data"] = rows
    invoice["lines"]["total_count"] = len(rows)
    periods = [row["period"] for row in rows if row["parent"] and not _is_proration(row)]
    if periods and invoice["parent"]:
        invoice["period_start"] = min(each["start"] for each in periods)
        invoice["period_end"] = max(each["end"] for each in periods)
    add_up(world, invoice)
    return world.save(invoice)


def _is_proration(row: Document) -> bool:
    parent = row["parent"]
    return bool(parent[parent["type"]]["proration"])


def add_up(world: World, invoice: Document) -> None:
    """Reckon the totals: the discounts by what is left of each other, then the balance."""
    rows = invoice["lines"]["data"]
    subtotal = sum(row["amount"] for row in rows)
    weights = [max(row["amount"], 0) if row["discountable"] else 0 for row in rows]
    base = min(sum(weights), max(subtotal, 0))
    taken = discounts.take_off(world, invoice["discounts"], base, invoice["currency"])
    for row in rows:
        row["discount_amounts"] = []
    for identity, amount in taken:
        for row, part in zip(rows, discounts.spread(amount, weights), strict=True):
            row["discount_amounts"].append({"amount": part, "discount": identity})
    total = subtotal - sum(amount for _, amount in taken)
    due = max(0, total + min(invoice["starting_balance"], 0)) if total > 0 else 0
    invoice.update(
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal,
        total=total,
        total_excluding_tax=total,
        total_taxes=[],
        total_discount_amounts=[
            {"amount": amount, "discount": identity} for identity, amount in taken
        ],
        amount_due=due,
        amount_remaining=due,
    )


def take_pending(world: World, invoice: Document) -> list[Document]:
    """Return the lines of what waited for this invoice, which now is on it."""
    waiting = lines.pending_items(world, invoice["customer"], subscription=subscription_of(invoice))
    rows = []
    for item in waiting:
        if item["currency"] != invoice["currency"]:
            continue
        item["invoice"] = invoice["id"]
        world.save(item)
        rows.append(lines.line_of_item(world, item))
    return rows


def finalize(world: World, invoice: Document) -> Document:
    """Make a draft final: numbered, the balance settled, open or already paid.

    Raises:
        InvalidRequestError: if it is no draft.
    """
    if invoice["status"] != "draft":
        raise InvalidRequestError(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    for item in world.select("invoiceitem", invoice=invoice["id"], oldest_first=True):
        if not any(_is_from(row, item["id"]) for row in invoice["lines"]["data"]):
            invoice["lines"]["data"].append(lines.line_of_item(world, item))
    fill(world, invoice, invoice["lines"]["data"])
    customer = world.get("customer", invoice["customer"])
    _settle_balance(world, invoice, customer)
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = number + 1
    customer["currency"] = customer["currency"] or invoice["currency"]
    world.save(customer)
    _mark_discounts_used(world, invoice)
    now = world.now()
    invoice["status_transitions"] = {**invoice["status_transitions"], "finalized_at": now}
    days = invoice.get("_days_until_due")
    invoice.update(
        number=f"{customer['invoice_prefix']}-{number:04}",
        effective_at=now,
        automatically_finalizes_at=None,
        due_date=now + days * 24 * 3600 if days is not None else invoice["due_date"],
        _due=None,
    )
    world.change(invoice, "invoice.finalized", status="open")
    if invoice["amount_due"] == 0:
        mark_paid(world, invoice, amount=0)
    return invoice


def _is_from(row: Document, item: str) -> bool:
    parent = row["parent"] or {"type": "", "": {}}
    return bool(parent[parent["type"]].get("invoice_item") == item)


def _settle_balance(world: World, invoice: Document, customer: Document) -> None:
    """A credit pays first; an invoice below zero becomes a credit."""
    invoice["starting_balance"] = customer["balance"]
    add_up(world, invoice)
    total = invoice["total"]
    used = total - invoice["amount_due"] if total > 0 else total
    customer["balance"] += used
    invoice["ending_balance"] = customer["balance"]
    world.save(invoice)


def _mark_discounts_used(world: World, invoice: Document) -> None:
    for identity in invoice["discounts"]:
        discount = world.get("discount", identity)
        discount["_was_used"] = True
        world.save(discount)


def mark_paid(
    world: World, invoice: Document, *, amount: int, out_of_band: bool = False
) -> Document:
    """Record that an invoice is paid; whoever waits for that hears `invoice.paid`."""
    invoice["status_transitions"] = {
        **invoice["status_transitions"],
        "paid_at": world.now(),
    }
    invoice.update(
        amount_paid=amount,
        amount_paid_off_stripe=invoice["amount_due"] if out_of_band else 0,
        amount_remaining=0,
        attempted=True,
        next_payment_attempt=None,
        auto_advance=False,
        _due=None,
    )
    world.change(invoice, "invoice.paid", status="paid")
    world.emit("invoice.payment_succeeded", invoice)
    return invoice


def void(world: World, invoice: Document) -> Document:
    """Take an open invoice back.

    Raises:
        InvalidRequestError: if it is not open.
    """
    _check_open(invoice, "voided")
    return _end(world, invoice, status="void", moment="voided_at", event="invoice.voided")


def mark_uncollectible(world: World, invoice: Document) -> Document:
    """Give an open invoice up.

    Raises:
        InvalidRequestError: if it is not open.
    """
    if invoice["status"] != "open":
        _check_open(invoice | {"status": "closed"}, "marked as uncollectible")
    name = "invoice.marked_uncollectible"
    moment = "marked_uncollectible_at"
    return _end(world, invoice, status="uncollectible", moment=moment, event=name)


def _end(world: World, invoice: Document, *, status: str, moment: str, event: str) -> Document:
    invoice["status_transitions"] = {**invoice["status_transitions"], moment: world.now()}
    invoice.update(next_payment_attempt=None, auto_advance=False, _due=None)
    return world.change(invoice, event, status=status)


def _check_open(invoice: Document, doing: str) -> None:
    if invoice["status"] not in OPEN:
        raise InvalidRequestError(
            f"This invoice cannot be {doing} because it has a status of {invoice['status']}.",
            code="invoice_not_editable",
        )


def preview_id() -> str:
    """Return the id of an invoice that is only imagined."""
    return mint("upcoming_in")
