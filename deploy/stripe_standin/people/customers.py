"""Customers."""

from typing import Any, Final, Literal

import msgspec

from deploy.stripe_standin.errors import MissingError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.people import payment_methods
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged


class InvoiceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What invoices are paid with."""

    default_payment_method: str | None = None


class CustomerFields(Retrieve, frozen=True, kw_only=True):
    """What may be said of a customer; an empty string takes it back."""

    address: dict[str, str] | Literal[""] | None = None
    balance: int | None = None
    description: str | None = None
    email: str | None = None
    invoice_settings: InvoiceSettings | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    name: str | None = None
    phone: str | None = None
    preferred_locales: list[str] | None = None
    shipping: dict[str, Any] | Literal[""] | None = None
    tax_exempt: Literal["none", "exempt", "reverse"] | None = None


class CreateCustomer(CustomerFields, frozen=True, kw_only=True):
    """A new customer."""

    payment_method: str | None = None
    test_clock: str | None = None


class ListCustomers(Page, frozen=True, kw_only=True):
    """Which customers."""

    email: str | None = None
    test_clock: str | None = None


_PLAIN: Final = (
    "address",
    "balance",
    "description",
    "email",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
)


def _create(world: World, asked: CreateCustomer, _: str) -> Document:
    if asked.test_clock:
        world.get("test_helpers.test_clock", asked.test_clock, param="test_clock")
    customer = world.new(
        "cus",
        "customer",
        **dict.fromkeys(_PLAIN),
        currency=None,
        default_source=None,
        delinquent=False,
        discount=None,
        invoice_settings={"default_payment_method": None, "custom_fields": None, "footer": None},
        next_invoice_sequence=1,
        test_clock=asked.test_clock,
    )
    customer["created"] = world.now_for(customer)
    customer["invoice_prefix"] = customer["id"][-8:].upper()
    customer.update({"balance": 0, "preferred_locales": [], "tax_exempt": "none"})
    customer.update(_said(asked))
    customer["metadata"] = merged({}, asked.metadata)
    world.save(customer)
    if asked.payment_method:
        method = payment_methods.resolve(world, asked.payment_method)
        payment_methods.keep_for(world, method, customer["id"])
    _set_default(world, customer, asked)
    world.save(customer)
    world.emit("customer.created", customer)
    return customer


def _update(world: World, asked: CustomerFields, identity: str) -> Document:
    customer = _existing(world, identity)
    settings = dict(customer["invoice_settings"])
    _set_default(world, customer, asked)
    fresh, customer["invoice_settings"] = customer["invoice_settings"], settings
    return world.change(
        customer,
        "customer.updated",
        **_said(asked),
        invoice_settings=fresh,
        metadata=merged(customer["metadata"], asked.metadata),
    )


def _set_default(world: World, customer: Document, asked: CustomerFields) -> None:
    if asked.invoice_settings is None or asked.invoice_settings.default_payment_method is None:
        return
    chosen = asked.invoice_settings.default_payment_method or None
    if chosen is not None:
        method = world.find("payment_method", chosen)
        if method is None or method["customer"] != customer["id"]:
            raise MissingError(
                "PaymentMethod", chosen, param="invoice_settings[default_payment_method]"
            )
    customer["invoice_settings"] = {
        **customer["invoice_settings"],
        "default_payment_method": chosen,
    }


def _said(asked: CustomerFields) -> Document:
    return {
        name: None if value == "" else value
        for name in _PLAIN
        if (value := getattr(asked, name)) is not None
    }


def _existing(world: World, identity: str) -> Document:
    customer = world.get("customer", identity)
    if customer.get("deleted"):
        raise MissingError("customer", identity)
    return customer


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    customer = world.get("customer", identity)
    if customer.get("deleted"):
        return _gone(identity)
    subscriptions = world.select("subscription", customer=identity)
    customer["subscriptions"] = {
        "object": "list",
        "data": [each for each in subscriptions if each["status"] != "canceled"],
        "has_more": False,
        "url": f"/v1/customers/{identity}/subscriptions",
    }
    return customer


def _delete(world: World, _: Retrieve, identity: str) -> Document:
    customer = _existing(world, identity)
    for method in world.select("payment_method", customer=identity):
        world.change(method, "payment_method.detached", customer=None, _was_detached=True)
    world.emit("customer.deleted", customer)
    customer["deleted"] = True
    world.save(customer)
    return _gone(identity)


def _gone(identity: str) -> Document:
    return {"id": identity, "object": "customer", "deleted": True}


def _list(world: World, asked: ListCustomers, _: str) -> Document:
    where = {"email": asked.email, "test_clock": asked.test_clock}
    alive = (("json_extract(document, '$.deleted') is ?", None),)
    return page_of(world, "customer", asked, url="/v1/customers", where=where, conditions=alive)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "customers", CreateCustomer, _create),
    route("GET", "customers", ListCustomers, _list),
    route("GET", "customers/*", Retrieve, _retrieve),
    route("POST", "customers/*", CustomerFields, _update),
    route("DELETE", "customers/*", Retrieve, _delete),
)
