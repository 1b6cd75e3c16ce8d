"""Payment intents: create, look up, change, confirm, capture, cancel."""

from typing import Any, Final, Literal

import msgspec

from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.ids import mint_client_secret
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import check_amount, check_currency
from deploy.stripe_standin.payments import charges
from deploy.stripe_standin.payments.confirming import Confirmation, confirm
from deploy.stripe_standin.payments.model import (
    CANCELABLE,
    CAPTURABLE,
    CHANGEABLE,
    check_state,
)
from deploy.stripe_standin.people import payment_methods
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

Usage = Literal["on_session", "off_session"]


class AutomaticMethods(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the account's methods are offered, and those that lead away from the page."""

    enabled: bool
    allow_redirects: Literal["always", "never"] = "always"


class IntentFields(Retrieve, frozen=True, kw_only=True):
    """What may be said when creating and later."""

    capture_method: Literal["automatic", "automatic_async", "manual"] | None = None
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    payment_method: str | None = None
    payment_method_options: dict[str, Any] | None = None
    payment_method_types: list[str] | None = None
    receipt_email: str | None = None
    setup_future_usage: Usage | Literal[""] | None = None
    shipping: dict[str, Any] | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    transfer_group: str | None = None


class ConfirmIntent(Retrieve, frozen=True, kw_only=True):
    """How to pay."""

    payment_method: str | None = None
    return_url: str | None = None
    off_session: str | None = None
    error_on_requires_action: bool = False
    capture_method: Literal["automatic", "automatic_async", "manual"] | None = None
    payment_method_options: dict[str, Any] | None = None
    receipt_email: str | None = None
    setup_future_usage: Usage | Literal[""] | None = None
    use_stripe_sdk: bool = False
    mandate_data: dict[str, Any] | None = None


class CreateIntent(IntentFields, frozen=True, kw_only=True):
    """A new intent."""

    amount: int
    currency: str
    automatic_payment_methods: AutomaticMethods | None = None
    confirm: bool = False
    confirmation_method: Literal["automatic", "manual"] = "automatic"
    error_on_requires_action: bool = False
    off_session: str | None = None
    return_url: str | None = None
    use_stripe_sdk: bool = False
    mandate_data: dict[str, Any] | None = None


class UpdateIntent(IntentFields, frozen=True, kw_only=True):
    """What changes."""

    amount: int | None = None
    currency: str | None = None


class CaptureIntent(Retrieve, frozen=True, kw_only=True):
    """How much to take of what was authorised."""

    amount_to_capture: int | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    statement_descriptor: str | None = None


class CancelIntent(Retrieve, frozen=True, kw_only=True):
    """Why not."""

    cancellation_reason: (
        Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | None
    ) = None


class RetrieveIntent(Retrieve, frozen=True, kw_only=True):
    """One intent; a browser shows its secret."""

    client_secret: str | None = None


class ListIntents(Page, frozen=True, kw_only=True):
    """Which intents."""

    customer: str | None = None


_PLAIN: Final = (
    "capture_method",
    "customer",
    "description",
    "payment_method_options",
    "payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create(world: World, asked: CreateIntent, _: str = "") -> Document:
    """Create an intent, and confirm it if asked to.

    Raises:
        InvalidRequestError: if something named is not there, or does not go together.
        CardDeclinedError: if it is confirmed and the bank refuses.
    """
    currency = check_currency(asked.currency)
    check_amount(asked.amount, currency)
    _check_confirmation(asked)
    if asked.customer:
        world.get("customer", asked.customer, param="customer")
    intent = draft(world, asked, currency)
    if asked.payment_method:
        method = payment_methods.resolve(world, asked.payment_method)
        intent.update(payment_method=method["id"], status="requires_confirmation")
    world.save(intent)
    world.emit("payment_intent.created", intent)
    if not asked.confirm:
        return intent
    return confirm(
        world,
        intent,
        Confirmation(
            return_url=asked.return_url,
            is_off_session=_is_off_session(asked.off_session),
            fails_on_action=asked.error_on_requires_action,
        ),
    )


def draft(world: World, asked: CreateIntent, currency: str) -> Document:
    """Return a new intent that is not kept yet."""
    automatic = asked.automatic_payment_methods
    if automatic is None and asked.payment_method_types is None:
        automatic = AutomaticMethods(enabled=True)
    intent = world.new(
        "pi",
        "payment_intent",
        **dict.fromkeys(_PLAIN),
        amount=asked.amount,
        amount_capturable=0,
        amount_received=0,
        application=None,
        automatic_payment_methods=msgspec.to_builtins(automatic) if automatic else None,
        canceled_at=None,
        cancellation_reason=None,
        confirmation_method=asked.confirmation_method,
        currency=currency,
        last_payment_error=None,
        latest_charge=None,
        next_action=None,
        payment_method=None,
        processing=None,
        review=None,
        status="requires_payment_method",
    )
    intent["client_secret"] = mint_client_secret(intent["id"])
    intent.update(_said(asked))
    intent["capture_method"] = asked.capture_method or "automatic_async"
    intent["payment_method_types"] = asked.payment_method_types or ["card"]
    intent["payment_method_options"] = asked.payment_method_options or {}
    intent["metadata"] = merged({}, asked.metadata)
    return intent


def _check_confirmation(asked: CreateIntent) -> None:
    automatic = asked.automatic_payment_methods
    if automatic and automatic.enabled and asked.payment_method_types is not None:
        raise MalformedError(
            "You may only specify one of these parameters: automatic_payment_methods, "
            "payment_method_types.",
            param="payment_method_types",
        )
    if asked.confirm:
        return
    for name in ("return_url", "off_session"):
        if getattr(asked, name) is not None:
            raise MalformedError(
                f"The parameter `{name}` cannot be passed when creating a PaymentIntent unless "
                "`confirm` is set to true.",
                param=name,
            )


def _is_off_session(said: str | None) -> bool:
    return said not in (None, "", "false")


def _said(asked: IntentFields | ConfirmIntent) -> Document:
    return {
        name: None if value == "" else value
        for name in _PLAIN
        if (value := getattr(asked, name, None)) is not None
    }


def _retrieve(world: World, asked: RetrieveIntent, identity: str) -> Document:
    intent = world.get("payment_intent", identity, param="intent")
    if asked.client_secret is not None and asked.client_secret != intent["client_secret"]:
        raise InvalidRequestError(
            "The client_secret provided does not match any associated PaymentIntent on this "
            "account.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )
    return intent


def _update(world: World, asked: UpdateIntent, identity: str) -> Document:
    intent = world.get("payment_intent", identity, param="intent")
    changes = _said(asked)
    changes["metadata"] = merged(intent["metadata"], asked.metadata)
    currency = check_currency(asked.currency) if asked.currency else intent["currency"]
    if asked.amount is not None or asked.currency is not None or asked.payment_method:
        check_state(intent, CHANGEABLE, "updated")
        amount = intent["amount"] if asked.amount is None else asked.amount
        check_amount(amount, currency)
        changes.update(amount=amount, currency=currency)
    if asked.customer:
        world.get("customer", asked.customer, param="customer")
    if asked.payment_method:
        method = payment_methods.resolve(world, asked.payment_method)
        changes.update(
            payment_method=method["id"], status="requires_confirmation", next_action=None
        )
    return world.change(intent, None, **changes)


def _confirm(world: World, asked: ConfirmIntent, identity: str) -> Document:
    intent = world.get("payment_intent", identity, param="intent")
    intent.update(_said(asked))
    return confirm(
        world,
        intent,
        Confirmation(
            payment_method=asked.payment_method,
            return_url=asked.return_url,
            is_off_session=_is_off_session(asked.off_session),
            fails_on_action=asked.error_on_requires_action,
        ),
    )


def _capture(world: World, asked: CaptureIntent, identity: str) -> Document:
    intent = world.get("payment_intent", identity, param="intent")
    check_state(intent, CAPTURABLE, "captured")
    amount = (
        intent["amount_capturable"]
        if asked.amount_to_capture is None
        else (asked.amount_to_capture)
    )
    if not 1 <= amount <= intent["amount_capturable"]:
        raise MalformedError(
            "The requested capture amount is greater than the amount you can capture for this "
            "charge.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = charges.capture(world, world.get("charge", intent["latest_charge"]), amount)
    world.emit("charge.captured", charge)
    return world.change(
        intent,
        "payment_intent.succeeded",
        status="succeeded",
        amount_received=amount,
        amount_capturable=0,
        metadata=merged(intent["metadata"], asked.metadata),
    )


def cancel(world: World, intent: Document, reason: str | None) -> Document:
    """Give an intent up; what was authorised is let go.

    Raises:
        InvalidRequestError: if it has ended already.
    """
    check_state(intent, CANCELABLE, "canceled")
    if intent["status"] == "requires_capture":
        charge = world.get("charge", intent["latest_charge"])
        world.change(charge, "charge.refunded", refunded=True, amount_refunded=charge["amount"])
    return world.change(
        intent,
        "payment_intent.canceled",
        status="canceled",
        canceled_at=world.now(),
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )


def _cancel(world: World, asked: CancelIntent, identity: str) -> Document:
    intent = world.get("payment_intent", identity, param="intent")
    return cancel(world, intent, asked.cancellation_reason)


def _list(world: World, asked: ListIntents, _: str) -> Document:
    where = {"customer": asked.customer}
    return page_of(world, "payment_intent", asked, url="/v1/payment_intents", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "payment_intents", CreateIntent, create),
    route("GET", "payment_intents", ListIntents, _list),
    route("GET", "payment_intents/*", RetrieveIntent, _retrieve),
    route("POST", "payment_intents/*", UpdateIntent, _update),
    route("POST", "payment_intents/*/confirm", ConfirmIntent, _confirm),
    route("POST", "payment_intents/*/capture", CaptureIntent, _capture),
    route("POST", "payment_intents/*/cancel", CancelIntent, _cancel),
)
