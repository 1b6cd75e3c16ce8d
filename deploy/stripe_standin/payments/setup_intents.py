"""Setup intents: a card made ready for payments its holder will not be there for."""

from typing import Any, Final, Literal

import msgspec

from deploy.stripe_standin.errors import CardDeclinedError, InvalidRequestError
from deploy.stripe_standin.ids import mint_client_secret
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.payments.challenges import next_action
from deploy.stripe_standin.payments.model import CONFIRMABLE, check_state, unexpected
from deploy.stripe_standin.people import payment_methods
from deploy.stripe_standin.people.cards import Decline
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged, shown

_AUTHENTICATION_FAILED: Final = Decline(
    code="setup_intent_authentication_failure",
    decline_code=None,
    message="The latest attempt to set up the payment method has failed because authentication "
    "failed.",
)


class ConfirmSetup(Retrieve, frozen=True, kw_only=True):
    """Which card."""

    payment_method: str | None = None
    payment_method_options: dict[str, Any] | None = None
    mandate_data: dict[str, Any] | None = None
    return_url: str | None = None
    use_stripe_sdk: bool = False


class CreateSetup(ConfirmSetup, frozen=True, kw_only=True):
    """A new setup intent."""

    automatic_payment_methods: dict[str, str] | None = None
    confirm: bool = False
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    payment_method_types: list[str] | None = None
    usage: Literal["on_session", "off_session"] = "off_session"


class UpdateSetup(Retrieve, frozen=True, kw_only=True):
    """What may change."""

    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    payment_method: str | None = None


class CancelSetup(Retrieve, frozen=True, kw_only=True):
    """Why not."""

    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None


class RetrieveSetup(Retrieve, frozen=True, kw_only=True):
    """One setup intent."""

    client_secret: str | None = None


class ListSetups(Page, frozen=True, kw_only=True):
    """Which setup intents."""

    customer: str | None = None
    payment_method: str | None = None


def _create(world: World, asked: CreateSetup, _: str) -> Document:
    if asked.customer:
        world.get("customer", asked.customer, param="customer")
    automatic = asked.automatic_payment_methods
    if automatic is None and asked.payment_method_types is None:
        automatic = {"enabled": "true"}
    intent = world.new(
        "seti",
        "setup_intent",
        application=None,
        automatic_payment_methods=automatic
        and {"enabled": True, "allow_redirects": automatic.get("allow_redirects", "always")},
        cancellation_reason=None,
        customer=asked.customer,
        description=asked.description,
        last_setup_error=None,
        latest_attempt=None,
        mandate=None,
        metadata=merged({}, asked.metadata),
        next_action=None,
        payment_method=None,
        payment_method_options=asked.payment_method_options or {},
        payment_method_types=asked.payment_method_types or ["card"],
        single_use_mandate=None,
        status="requires_payment_method",
        usage=asked.usage,
    )
    intent["client_secret"] = mint_client_secret(intent["id"])
    if asked.payment_method:
        method = payment_methods.resolve(world, asked.payment_method)
        intent.update(payment_method=method["id"], status="requires_confirmation")
    world.save(intent)
    world.emit("setup_intent.created", intent)
    return confirm(world, intent, asked) if asked.confirm else intent


def confirm(world: World, intent: Document, asked: ConfirmSetup) -> Document:
    """Ask the bank whether the card may be kept.

    Raises:
        InvalidRequestError: if the state does not allow it, or no card is named.
        CardDeclinedError: if the bank refuses.
    """
    check_state(intent, CONFIRMABLE, "confirmed")
    named = asked.payment_method or intent["payment_method"]
    if named is None:
        raise unexpected(
            intent,
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            "setup_intent_unexpected_state",
        )
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] != "never" and not asked.return_url:
        raise InvalidRequestError(
            "This SetupIntent is configured to accept payment methods that might redirect your "
            "customer off of your page; you must provide a `return_url`.",
            param="return_url",
        )
    method = payment_methods.resolve(world, named)
    intent.update(payment_method=method["id"], next_action=None)
    intent["_return_url"] = asked.return_url
    card = payment_methods.card_behind(method)
    if card is not None and card.challenge in {"always", "until_set_up"}:
        action = next_action(world, intent, asked.return_url)
        intent["next_action"] = action
        return world.change(intent, "setup_intent.requires_action", status="requires_action")
    return _set_up(world, intent, method)


def complete_challenge(world: World, intent: Document, *, succeeds: bool) -> Document:
    """Carry on after the cardholder was asked; what came of it is in the intent.

    Raises:
        InvalidRequestError: if nobody is being asked.
    """
    check_state(intent, frozenset({"requires_action"}), "authenticated")
    method = world.get("payment_method", intent["payment_method"])
    if not succeeds:
        _fail(world, intent, method, _AUTHENTICATION_FAILED)
        return intent
    try:
        return _set_up(world, intent, method)
    except CardDeclinedError:
        return intent  # it carries the decline


def _set_up(world: World, intent: Document, method: Document) -> Document:
    card = payment_methods.card_behind(method)
    if card is not None and card.decline is not None and not card.can_be_kept:
        _fail(world, intent, method, card.decline)
        raise CardDeclinedError(
            card.decline.message,
            code=card.decline.code,
            decline_code=card.decline.decline_code,
            objects={"setup_intent": shown(intent), "payment_method": shown(method)},
        )
    if intent["customer"]:
        payment_methods.keep_for(world, method, intent["customer"])
    method["_is_set_up"] = True
    world.save(method)
    intent.update(last_setup_error=None, next_action=None)
    return world.change(intent, "setup_intent.succeeded", status="succeeded")


def _fail(world: World, intent: Document, method: Document, decline: Decline) -> None:
    error = {
        "type": "card_error" if decline.decline_code else "invalid_request_error",
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
        "payment_method": shown(method),
    }
    intent.update(
        last_setup_error={name: value for name, value in error.items() if value},
        payment_method=None,
        next_action=None,
    )
    world.change(intent, "setup_intent.setup_failed", status="requires_payment_method")


def _confirm(world: World, asked: ConfirmSetup, identity: str) -> Document:
    return confirm(world, world.get("setup_intent", identity), asked)


def _update(world: World, asked: UpdateSetup, identity: str) -> Document:
    intent = world.get("setup_intent", identity)
    changes: Document = msgspec.to_builtins(asked)
    changes = {name: value for name, value in changes.items() if value is not None}
    changes.pop("expand", None)
    changes["metadata"] = merged(intent["metadata"], asked.metadata)
    if asked.payment_method:
        check_state(intent, CONFIRMABLE, "updated")
        method = payment_methods.resolve(world, asked.payment_method)
        changes.update(payment_method=method["id"], status="requires_confirmation")
    return world.change(intent, None, **changes)


def _cancel(world: World, asked: CancelSetup, identity: str) -> Document:
    intent = world.get("setup_intent", identity)
    check_state(intent, CONFIRMABLE, "canceled")
    intent.update(cancellation_reason=asked.cancellation_reason, next_action=None)
    return world.change(intent, "setup_intent.canceled", status="canceled")


def _retrieve(world: World, asked: RetrieveSetup, identity: str) -> Document:
    intent = world.get("setup_intent", identity)
    if asked.client_secret not in (None, intent["client_secret"]):
        raise InvalidRequestError(
            "The client_secret provided does not match any associated SetupIntent on this account.",
            param="client_secret",
        )
    return intent


def _list(world: World, asked: ListSetups, _: str) -> Document:
    where = {"customer": asked.customer, "payment_method": asked.payment_method}
    return page_of(world, "setup_intent", asked, url="/v1/setup_intents", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "setup_intents", CreateSetup, _create),
    route("GET", "setup_intents", ListSetups, _list),
    route("GET", "setup_intents/*", RetrieveSetup, _retrieve),
    route("POST", "setup_intents/*", UpdateSetup, _update),
    route("POST", "setup_intents/*/confirm", ConfirmSetup, _confirm),
    route("POST", "setup_intents/*/cancel", CancelSetup, _cancel),
)
