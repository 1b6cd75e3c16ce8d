"""The addresses of invoices."""

from typing import Annotated, Final, Literal

import msgspec

from deploy.stripe_standin.billing import collecting, discounts, invoices, previews
from deploy.stripe_standin.billing.discounts import DiscountGiven
from deploy.stripe_standin.errors import InvalidRequestError
from deploy.stripe_standin.listing import Page, Retrieve, as_list, page_of
from deploy.stripe_standin.money import check_currency
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged


class CreateInvoice(Retrieve, frozen=True, kw_only=True):
    """A new draft."""

    customer: str
    auto_advance: bool = False
    collection_method: Literal["charge_automatically", "send_invoice"] = "charge_automatically"
    currency: str = "usd"
    days_until_due: Annotated[int, msgspec.Meta(ge=0, le=365)] | None = None
    default_payment_method: str | None = None
    description: str | None = None
    discounts: list[DiscountGiven] | None = None
    footer: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    pending_invoice_items_behavior: Literal["exclude", "include"] = "exclude"


class UpdateInvoice(Retrieve, frozen=True, kw_only=True):
    """What may change."""

    auto_advance: bool | None = None
    default_payment_method: str | None = None
    description: str | None = None
    footer: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None


class Finalize(Retrieve, frozen=True, kw_only=True):
    """Whether it goes on by itself."""

    auto_advance: bool | None = None


class PayInvoice(Retrieve, frozen=True, kw_only=True):
    """With what."""

    off_session: bool = False
    paid_out_of_band: bool = False
    payment_method: str | None = None


class ListInvoices(Page, frozen=True, kw_only=True):
    """Which invoices."""

    collection_method: str | None = None
    customer: str | None = None
    status: str | None = None
    subscription: str | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paid by what."""

    type: Literal["payment_intent"]
    payment_intent: str | None = None


class ListPayments(Page, frozen=True, kw_only=True):
    """Which payments of invoices."""

    invoice: str | None = None
    payment: Payment | None = None
    status: str | None = None


def _create(world: World, asked: CreateInvoice, _: str) -> Document:
    customer = world.get("customer", asked.customer, param="customer")
    with world.at(world.now_for(customer)):
        invoice = invoices.draft(
            world,
            customer,
            currency=check_currency(asked.currency),
            reason="manual",
            auto_advance=asked.auto_advance,
            collection_method=asked.collection_method,
            default_payment_method=asked.default_payment_method,
            description=asked.description,
            footer=asked.footer,
            metadata=merged({}, asked.metadata),
            _days_until_due=asked.days_until_due,
        )
        invoice["discounts"] = discounts.give(
            world, asked.discounts or [], customer=customer["id"], invoice=invoice["id"]
        )
        rows = []
        if asked.pending_invoice_items_behavior == "include":
            rows = invoices.take_pending(world, invoice)
        if asked.auto_advance:
            at = world.now() + invoices.DRAFT_SECONDS
            invoice.update(automatically_finalizes_at=at, _due=at)
        invoices.fill(world, invoice, rows)
        world.emit("invoice.created", invoice)
        return invoice


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("invoice", identity)


def _update(world: World, asked: UpdateInvoice, identity: str) -> Document:
    invoice = world.get("invoice", identity)
    changes: Document = {"metadata": merged(invoice["metadata"], asked.metadata)}
    if invoice["status"] != "draft" and (asked.description or asked.footer):
        raise InvalidRequestError(
            "Finalized invoices can't be updated in this way.", code="invoice_not_editable"
        )
    for name in ("description", "footer", "default_payment_method"):
        if (value := getattr(asked, name)) is not None:
            changes[name] = value or None
    if asked.auto_advance is not None:
        changes["auto_advance"] = asked.auto_advance
        if invoice["status"] == "draft":
            at = world.now_for(invoice) + invoices.DRAFT_SECONDS if asked.auto_advance else None
            changes.update(automatically_finalizes_at=at, _due=at)
    return world.change(invoice, "invoice.updated", **changes)


def _delete(world: World, _: Retrieve, identity: str) -> Document:
    invoice = world.get("invoice", identity)
    if invoice["status"] != "draft":
        raise InvalidRequestError(
            "You can only delete draft invoices.", code="invoice_not_editable"
        )
    for item in world.select("invoiceitem", invoice=identity):
        world.change(item, None, invoice=None)
    world.store.execute("delete from objects where id = ?", identity)
    world.emit("invoice.deleted", invoice)
    return {"id": identity, "object": "invoice", "deleted": True}


def _finalize(world: World, asked: Finalize, identity: str) -> Document:
    invoice = world.get("invoice", identity)
    with world.at(world.now_for(invoice)):
        invoices.finalize(world, invoice)
        if asked.auto_advance is not None:
            world.change(invoice, None, auto_advance=asked.auto_advance)
        if invoice["status"] == "open":
            collecting.ensure_intent(world, invoice)
        return world.get("invoice", identity)


def _pay(world: World, asked: PayInvoice, identity: str) -> Document:
    invoice = world.get("invoice", identity)
    with world.at(world.now_for(invoice)):
        if invoice["status"] == "draft":
            invoices.finalize(world, invoice)
            if invoice["status"] == "paid":
                return invoice
        if asked.paid_out_of_band and invoice["status"] in invoices.OPEN:
            return invoices.mark_paid(
                world, invoice, amount=invoice["amount_due"], out_of_band=True
            )
        paid = collecting.pay(
            world, invoice, method=asked.payment_method, is_renewal=asked.off_session
        )
        if paid["status"] == "open":
            raise InvalidRequestError(
                "This invoice's PaymentIntent requires additional user action before it can be "
                "completed successfully.",
                code="invoice_payment_intent_requires_action",
            )
        return paid


def _void(world: World, _: Retrieve, identity: str) -> Document:
    invoice = world.get("invoice", identity)
    with world.at(world.now_for(invoice)):
        return invoices.void(world, invoice)


def _mark_uncollectible(world: World, _: Retrieve, identity: str) -> Document:
    invoice = world.get("invoice", identity)
    with world.at(world.now_for(invoice)):
        return invoices.mark_uncollectible(world, invoice)


def _send(world: World, _: Retrieve, identity: str) -> Document:
    invoice = world.get("invoice", identity)
    with world.at(world.now_for(invoice)):
        if invoice["status"] == "draft":
            invoices.finalize(world, invoice)
        world.emit("invoice.sent", invoice)
        return invoice


def _lines(world: World, _: Page, identity: str) -> Document:
    rows = world.get("invoice", identity)["lines"]["data"]
    return as_list(rows, url=f"/v1/invoices/{identity}/lines")


def _list(world: World, asked: ListInvoices, _: str) -> Document:
    where = {
        "collection_method": asked.collection_method,
        "customer": asked.customer,
        "status": asked.status,
        "parent.subscription_details.subscription": asked.subscription,
    }
    return page_of(world, "invoice", asked, url="/v1/invoices", where=where)


def _payments(world: World, asked: ListPayments, _: str) -> Document:
    named = asked.payment.payment_intent if asked.payment else None
    where = {
        "invoice": asked.invoice,
        "status": asked.status,
        "payment.payment_intent": named,
    }
    return page_of(world, "invoice_payment", asked, url="/v1/invoice_payments", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "invoices", CreateInvoice, _create),
    route("GET", "invoices", ListInvoices, _list),
    route("POST", "invoices/create_preview", previews.CreatePreview, previews.preview),
    route("GET", "invoices/*", Retrieve, _retrieve),
    route("POST", "invoices/*", UpdateInvoice, _update),
    route("DELETE", "invoices/*", Retrieve, _delete),
    route("POST", "invoices/*/finalize", Finalize, _finalize),
    route("POST", "invoices/*/pay", PayInvoice, _pay),
    route("POST", "invoices/*/void", Retrieve, _void),
    route("POST", "invoices/*/mark_uncollectible", Retrieve, _mark_uncollectible),
    route("POST", "invoices/*/send", Retrieve, _send),
    route("GET", "invoices/*/lines", Page, _lines),
    route("GET", "invoice_payments", ListPayments, _payments),
)
