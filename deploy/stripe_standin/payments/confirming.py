"""Confirm an intent: ask the bank, perhaps the cardholder first, and record what came of it."""

import msgspec

from deploy.stripe_standin.errors import CardDeclinedError, InvalidRequestError, MalformedError
from deploy.stripe_standin.payments import aftermath, challenges, charges
from deploy.stripe_standin.payments.model import CONFIRMABLE, check_state, unexpected
from deploy.stripe_standin.people import payment_methods
from deploy.stripe_standin.people.cards import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    Decline,
    bank_named,
)
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, shown


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody wants to pay."""

    payment_method: str | None = None
    return_url: str | None = None
    is_off_session: bool = False
    fails_on_action: bool = False
    is_renewal: bool = False
    """For an invoice, with nobody there: a bank that wants to ask makes the intent wait."""


def confirm(world: World, intent: Document, asked: Confirmation) -> Document:
    """Try to pay an intent.

    Raises:
        InvalidRequestError: if its state does not allow it, or the method is another customer's.
        CardDeclinedError: if the bank refuses; the intent remembers why.
    """
    check_state(intent, CONFIRMABLE, "confirmed")
    method = _method_for(world, intent, asked)
    _check_return_url(intent, asked)
    intent.update(payment_method=method["id"], next_action=None)
    intent["_return_url"] = asked.return_url
    card = payment_methods.card_behind(method)
    if card is not None and asked.is_off_session:
        if challenges.is_needed_off_session(card, method):
            raise _refused(world, intent, method, AUTHENTICATION_REQUIRED)
    elif card is not None and _is_challenged(intent, method, asked):
        return _challenge(world, intent, method, asked)
    return charge(world, intent, method)


def charge(world: World, intent: Document, method: Document) -> Document:
    """Ask the bank for the money; whoever had to say yes has said it.

    Raises:
        CardDeclinedError: if the bank refuses.
    """
    card = payment_methods.card_behind(method)
    if card is None:
        return _begin_debit(world, intent, method)
    if card.decline is not None:
        raise _refused(world, intent, method, card.decline)
    if intent["setup_future_usage"] and intent["customer"]:
        method["_is_set_up"] = True
        world.save(payment_methods.keep_for(world, method, intent["customer"]))
    paid = charges.new_charge(world, intent, method)
    intent.update(latest_charge=paid["id"], last_payment_error=None, next_action=None)
    if intent["capture_method"] == "manual":
        world.save(paid)
        world.emit("charge.succeeded", paid)
        intent["amount_capturable"] = intent["amount"]
        world.change(intent, "payment_intent.amount_capturable_updated", status="requires_capture")
        return intent
    paid.update(captured=True, amount_captured=paid["amount"])
    world.save(paid)
    world.emit("charge.succeeded", paid)
    _complete(world, intent, paid)
    aftermath.follow(world, paid, card)
    return intent


def complete_challenge(world: World, intent: Document, *, succeeds: bool) -> Document:
    """Carry on after the cardholder was asked; what came of it is in the intent.

    Raises:
        InvalidRequestError: if nobody is being asked.
    """
    check_state(intent, frozenset({"requires_action"}), "authenticated")
    method = world.get("payment_method", intent["payment_method"])
    if not succeeds:
        _fail(world, intent, method, AUTHENTICATION_FAILED, charge_id=None)
        return intent
    try:
        return charge(world, intent, method)
    except CardDeclinedError:
        return intent  # it carries the decline


def settle(world: World, intent: Document, *, succeeds: bool) -> Document:
    """End the days in which a bank debit is under way.

    Raises:
        InvalidRequestError: if none is.
    """
    check_state(intent, frozenset({"processing"}), "settled")
    method = world.get("payment_method", intent["payment_method"])
    pending = world.get("charge", intent["latest_charge"])
    bank = bank_named(method.get("_bank", ""))
    decline = bank.decline if bank else None
    if decline is None and succeeds:
        pending.update(captured=True, amount_captured=pending["amount"], paid=True)
        world.change(pending, "charge.succeeded", status="succeeded")
        _complete(world, intent, pending)
        return intent
    decline = decline or AUTHENTICATION_FAILED
    world.change(
        pending,
        "charge.failed",
        status="failed",
        paid=False,
        failure_code=decline.code,
        failure_message=decline.message,
    )
    _fail(world, intent, method, decline, charge_id=pending["id"])
    return intent


def _complete(world: World, intent: Document, paid: Document) -> None:
    """The intent first; the balance follows, as it does at Stripe."""
    world.change(
        intent,
        "payment_intent.succeeded",
        status="succeeded",
        amount_received=paid["amount"],
        amount_capturable=0,
    )
    charges.capture(world, paid, paid["amount"])
    world.emit("charge.updated", paid, previous={"balance_transaction": None})


def _method_for(world: World, intent: Document, asked: Confirmation) -> Document:
    named = asked.payment_method or intent["payment_method"]
    if named is None:
        raise unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method.",
            "payment_intent_unexpected_state",
        )
    method = payment_methods.resolve(world, named)
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise InvalidRequestError(
            "The customer of the PaymentMethod does not match that of the PaymentIntent. Please "
            "include the customer the PaymentMethod belongs to.",
            param="payment_method",
        )
    if method["customer"] is None and method.get("_was_detached"):
        raise InvalidRequestError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, or was detached from a Customer. It may not be used again.",
            param="payment_method",
        )
    return method


def _check_return_url(intent: Document, asked: Confirmation) -> None:
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] != "never" and not asked.return_url:
        raise MalformedError(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment "
            "methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never`.",
            param="return_url",
        )
    if asked.return_url and not asked.return_url.startswith(("https://", "http://")):
        raise MalformedError("Not a valid URL", code="url_invalid", param="return_url")


def _is_challenged(intent: Document, method: Document, asked: Confirmation) -> bool:
    card = payment_methods.card_behind(method)
    if card is None:
        return False
    if asked.is_renewal:
        return challenges.is_needed_off_session(card, method)
    return challenges.is_needed(card, method, wanted=_wanted_challenge(intent))


def _wanted_challenge(intent: Document) -> str | None:
    wanted: str | None = (intent["payment_method_options"].get("card") or {}).get(
        "request_three_d_secure"
    )
    return wanted


def _challenge(world: World, intent: Document, method: Document, asked: Confirmation) -> Document:
    if asked.fails_on_action:
        raise _refused(world, intent, method, AUTHENTICATION_REQUIRED)
    action = challenges.next_action(world, intent, asked.return_url)
    intent["next_action"] = action
    return world.change(intent, "payment_intent.requires_action", status="requires_action")


def _begin_debit(world: World, intent: Document, method: Document) -> Document:
    pending = charges.new_charge(world, intent, method, status="pending", paid=False)
    world.save(pending)
    world.emit("charge.pending", pending)
    intent.update(latest_charge=pending["id"], last_payment_error=None)
    return world.change(intent, "payment_intent.processing", status="processing")


def _refused(
    world: World, intent: Document, method: Document, decline: Decline
) -> CardDeclinedError:
    failed = charges.failed_charge(world, intent, method, decline)
    _fail(world, intent, method, decline, charge_id=failed["id"])
    return CardDeclinedError(
        decline.message,
        code=decline.code,
        decline_code=decline.decline_code,
        objects={
            "charge": failed["id"],
            "payment_intent": shown(intent),
            "payment_method": shown(method),
        },
    )


def _fail(
    world: World, intent: Document, method: Document, decline: Decline, *, charge_id: str | None
) -> None:
    kind = "invalid_request_error" if decline.decline_code is None else "card_error"
    error = {
        "type": kind,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
        "charge": charge_id,
        "payment_method": shown(method),
        "payment_method_type": method["type"],
    }
    intent.update(
        last_payment_error={name: value for name, value in error.items() if value},
        latest_charge=charge_id or intent["latest_charge"],
        payment_method=None,
        next_action=None,
    )
    world.change(intent, "payment_intent.payment_failed", status="requires_payment_method")
