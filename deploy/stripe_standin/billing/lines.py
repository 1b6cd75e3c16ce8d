"""Invoice items that wait for an invoice, and the lines of one."""

from typing import Final, Literal

import msgspec

from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import check_currency
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged


class Pricing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a piece costs."""

    price: str


class CreateItem(Retrieve, frozen=True, kw_only=True):
    """Something to be invoiced."""

    customer: str
    amount: int | None = None
    currency: str | None = None
    description: str | None = None
    discountable: bool = True
    invoice: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    pricing: Pricing | None = None
    quantity: int = 1
    subscription: str | None = None


class ListItems(Page, frozen=True, kw_only=True):
    """Which items."""

    customer: str | None = None
    invoice: str | None = None
    pending: bool | None = None


def pricing_of(price: Document) -> Document:
    """Return how a line shows its price."""
    return {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": str(price["unit_amount"]),
    }


def new_item(
    world: World, customer: Document, *, amount: int, currency: str, description: str | None
) -> Document:
    """Return an item that waits for the customer's next invoice, not kept yet."""
    now = world.now()
    item = world.new(
        "ii",
        "invoiceitem",
        amount=amount,
        currency=currency,
        customer=customer["id"],
        date=now,
        description=description,
        discountable=True,
        discounts=[],
        invoice=None,
        net_amount=amount,
        parent=None,
        period={"start": now, "end": now},
        pricing=None,
        proration=False,
        quantity=1,
        tax_rates=[],
        test_clock=customer["test_clock"],
    )
    del item["created"]
    return item


def new_line(world: World, **fields: object) -> Document:
    """Return a line of an invoice."""
    line = world.new("il", "line_item")
    del line["created"]
    return {
        **line,
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "parent": None,
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": 1,
        "subscription": None,
        "taxes": [],
        **fields,
    }


def line_of_item(world: World, item: Document) -> Document:
    """Return the line that an invoice item becomes."""
    parent = item["parent"] or {}
    about = parent.get("subscription_details") or {}
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": None},
        "subscription": about.get("subscription"),
    }
    if about.get("subscription_item"):
        details["subscription_item"] = about["subscription_item"]
        kind = "subscription_item_details"
    else:
        kind = "invoice_item_details"
    return new_line(
        world,
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        discountable=item["discountable"],
        metadata=item["metadata"],
        parent={"type": kind, kind: details},
        period=item["period"],
        pricing=item["pricing"],
        quantity=item["quantity"],
        subscription=about.get("subscription"),
        subtotal=item["amount"],
    )


def pending_items(world: World, customer: str, *, subscription: str | None) -> list[Document]:
    """Return what waits for the next invoice of a subscription, or of the customer."""
    found = world.select("invoiceitem", customer=customer, invoice=None, oldest_first=True)
    return [
        each
        for each in found
        if ((each["parent"] or {}).get("subscription_details") or {}).get("subscription")
        in (None, subscription)
    ]


def _create(world: World, asked: CreateItem, _: str) -> Document:
    customer = world.get("customer", asked.customer, param="customer")
    with world.at(world.now_for(customer)):
        if asked.pricing is not None:
            price = world.get("price", asked.pricing.price, param="pricing[price]")
            amount, currency = price["unit_amount"] * asked.quantity, price["currency"]
        elif asked.amount is not None and asked.currency is not None:
            price, amount, currency = None, asked.amount, check_currency(asked.currency)
        else:
            raise MalformedError(
                "One of the following params should be provided for this request: amount and "
                "currency, or pricing.",
                code="parameter_missing",
                param="amount",
            )
        item = new_item(
            world, customer, amount=amount, currency=currency, description=asked.description
        )
        item["pricing"] = price and pricing_of(price)
        item["quantity"] = asked.quantity
        item["discountable"] = asked.discountable
        item["metadata"] = merged({}, asked.metadata)
        if asked.subscription is not None:
            world.get("subscription", asked.subscription, param="subscription")
            details = {"subscription": asked.subscription}
            item["parent"] = {
                "type": "subscription_details",
                "subscription_details": details,
            }
        if asked.invoice is not None:
            _check_draft(world, asked.invoice)
            item["invoice"] = asked.invoice
        world.save(item)
        world.emit("invoiceitem.created", item)
        return item


def _check_draft(world: World, invoice: str) -> None:
    if world.get("invoice", invoice, param="invoice")["status"] != "draft":
        raise InvalidRequestError(
            "The invoice is already finalized, you can't attach an invoice item.",
            code="invoice_not_editable",
        )


def _delete(world: World, _: Retrieve, identity: str) -> Document:
    item = world.get("invoiceitem", identity)
    if item["invoice"] is not None:
        _check_draft(world, item["invoice"])
    world.store.execute("delete from objects where id = ?", identity)
    world.emit("invoiceitem.deleted", item)
    return {"id": identity, "object": "invoiceitem", "deleted": True}


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("invoiceitem", identity)


def _list(world: World, asked: ListItems, _: str) -> Document:
    conditions: tuple[tuple[str, object], ...] = ()
    if asked.pending is not None:
        is_pending = "(json_extract(document, '$.invoice') is null) is ?"
        conditions = ((is_pending, int(asked.pending)),)
    where = {"customer": asked.customer, "invoice": asked.invoice}
    return page_of(
        world, "invoiceitem", asked, url="/v1/invoiceitems", where=where, conditions=conditions
    )


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "invoiceitems", CreateItem, _create),
    route("GET", "invoiceitems", ListItems, _list),
    route("GET", "invoiceitems/*", Retrieve, _retrieve),
    route("DELETE", "invoiceitems/*", Retrieve, _delete),
)
