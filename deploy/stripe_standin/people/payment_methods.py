"""Payment methods: made of test cards only, attached to at most one customer ever."""

import hashlib
from typing import Final, Literal

import msgspec

from deploy.stripe_standin.errors import CardDeclinedError, InvalidRequestError, MissingError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.people.cards import (
    TestBank,
    TestCard,
    bank_named,
    card_named,
    card_of,
)
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged, shown

EXPIRY_YEARS: Final = 4


class CardData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card by token; numbers are for the stand-in's own page."""

    token: str | None = None
    number: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    cvc: str | None = None


class BillingDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the bank knows."""

    address: dict[str, str] | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    tax_id: str | None = None


class CreatePaymentMethod(Retrieve, frozen=True, kw_only=True):
    """A new card."""

    type: Literal["card"]
    card: CardData | None = None
    billing_details: BillingDetails | None = None
    metadata: dict[str, str] | Literal[""] | None = None


class UpdatePaymentMethod(Retrieve, frozen=True, kw_only=True):
    """What may change of a card."""

    billing_details: BillingDetails | None = None
    metadata: dict[str, str] | Literal[""] | None = None


class Attach(Retrieve, frozen=True, kw_only=True):
    """Whose it becomes."""

    customer: str


class ListPaymentMethods(Page, frozen=True, kw_only=True):
    """Whose cards."""

    customer: str | None = None
    type: str | None = None


class ListOfCustomer(Page, frozen=True, kw_only=True):
    """The cards of a customer."""

    type: str | None = None


def from_card(world: World, card: TestCard) -> Document:
    """Make a payment method of a test card."""
    year = world.clock.now().year + EXPIRY_YEARS
    digest = hashlib.sha256(card.number.encode()).hexdigest()
    details = {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": year,
        "fingerprint": digest[:16],
        "funding": card.funding,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": card.challenge != "never"},
        "wallet": None,
    }
    return world.save(_new(world, "card", details, _number=card.number))


def from_bank(world: World, bank: TestBank) -> Document:
    """Make a payment method of a test bank account."""
    details = {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "last4": "6789",
        "routing_number": "110000000",
    }
    return world.save(_new(world, "us_bank_account", details, _bank=bank.token))


def resolve(world: World, identity: str, *, param: str = "payment_method") -> Document:
    """Return the payment method with an id; a documented test one is made anew each time.

    Raises:
        MissingError: if there is none.
    """
    if card := card_named(identity):
        return from_card(world, card)
    if bank := bank_named(identity):
        return from_bank(world, bank)
    found = world.find("payment_method", identity)
    if found is None:
        raise MissingError("PaymentMethod", identity, param=param)
    return found


def card_behind(method: Document) -> TestCard | None:
    """Return the test card a payment method is made of; None for a bank account."""
    return card_of(method["_number"]) if "_number" in method else None


def keep_for(world: World, method: Document, customer: str) -> Document:
    """Attach a payment method to a customer.

    Raises:
        InvalidRequestError: if it is another's, or was detached before.
    """
    if method["customer"] == customer:
        return method
    if method["customer"] is not None or method.get("_was_detached"):
        raise InvalidRequestError(
            "The payment method you provided has already been attached to a customer."
            if method["customer"]
            else "This PaymentMethod was previously used without being attached to a Customer or "
            "was detached from a Customer, and may not be used again."
        )
    return world.change(method, "payment_method.attached", customer=customer)


def _new(world: World, kind: str, details: Document, **own: str) -> Document:
    return world.new(
        "pm",
        "payment_method",
        type=kind,
        allow_redisplay="unspecified",
        billing_details=_billing(None),
        customer=None,
        **{kind: details},
        **own,
    )


def _billing(asked: BillingDetails | None) -> Document:
    empty = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    found: Document = msgspec.to_builtins(asked or BillingDetails())
    return {**found, "address": {**empty, **(found["address"] or {})}}


def _create(world: World, asked: CreatePaymentMethod, _: str) -> Document:
    if asked.card is None or asked.card.token is None:
        raise InvalidRequestError(
            "Sending credit card numbers directly to the Stripe API is generally unsafe. Use a "
            "test token such as tok_visa, or the page.",
            param="card[number]" if asked.card else "card",
        )
    card = card_named(asked.card.token)
    if card is None:
        raise MissingError("token", asked.card.token, param="card[token]")
    method = from_card(world, card)
    method["billing_details"] = _billing(asked.billing_details)
    method["metadata"] = merged({}, asked.metadata)
    return world.save(method)


def _update(world: World, asked: UpdatePaymentMethod, identity: str) -> Document:
    method = world.get("payment_method", identity)
    return world.change(
        method,
        "payment_method.updated",
        metadata=merged(method["metadata"], asked.metadata),
        billing_details=_billing(asked.billing_details)
        if asked.billing_details
        else method["billing_details"],
    )


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return resolve(world, identity)


def _attach(world: World, asked: Attach, identity: str) -> Document:
    world.get("customer", asked.customer, param="customer")
    method = resolve(world, identity)
    card = card_behind(method)
    if card is not None and card.decline is not None and not card.can_be_kept:
        raise CardDeclinedError(
            card.decline.message,
            code=card.decline.code,
            decline_code=card.decline.decline_code,
            objects={"payment_method": shown(method)},
        )
    return keep_for(world, method, asked.customer)


def _detach(world: World, _: Retrieve, identity: str) -> Document:
    method = world.get("payment_method", identity)
    if method["customer"] is None:
        raise InvalidRequestError(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    owner = world.get("customer", method["customer"])
    if owner["invoice_settings"]["default_payment_method"] == identity:
        owner["invoice_settings"]["default_payment_method"] = None
        world.save(owner)
    return world.change(method, "payment_method.detached", customer=None, _was_detached=True)


def _list(world: World, asked: ListPaymentMethods, _: str) -> Document:
    where = {"customer": asked.customer, "type": asked.type}
    return page_of(world, "payment_method", asked, url="/v1/payment_methods", where=where)


def _list_of_customer(world: World, asked: ListOfCustomer, customer: str) -> Document:
    world.get("customer", customer)
    where = {"customer": customer, "type": asked.type}
    url = f"/v1/customers/{customer}/payment_methods"
    return page_of(world, "payment_method", asked, url=url, where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "payment_methods", CreatePaymentMethod, _create),
    route("GET", "payment_methods", ListPaymentMethods, _list),
    route("GET", "payment_methods/*", Retrieve, _retrieve),
    route("POST", "payment_methods/*", UpdatePaymentMethod, _update),
    route("POST", "payment_methods/*/attach", Attach, _attach),
    route("POST", "payment_methods/*/detach", Retrieve, _detach),
    route("GET", "customers/*/payment_methods", ListOfCustomer, _list_of_customer),
    route("GET", "customers/*/payment_methods/*", Retrieve, _retrieve),
)
