"""Begin a subscription: with a trial, or with a first invoice that has to be paid."""

from typing import Annotated, Final, Literal

import msgspec

from deploy.stripe_standin.billing import collecting, discounts, renewing, terms
from deploy.stripe_standin.billing.collecting import DAY_SECONDS
from deploy.stripe_standin.billing.discounts import DiscountGiven
from deploy.stripe_standin.errors import (
    CardDeclinedError,
    InvalidRequestError,
    MalformedError,
    MissingError,
    UndoneDeclineError,
)
from deploy.stripe_standin.listing import Retrieve
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

TRIAL_DAYS_MAX: Final = 730
Behavior = Literal["allow_incomplete", "default_incomplete", "error_if_incomplete"]


class EndBehavior(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do if a trial ends and nothing is known to pay with."""

    missing_payment_method: Literal["cancel", "create_invoice", "pause"]


class TrialSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a trial ends."""

    end_behavior: EndBehavior


class PaymentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How invoices are paid."""

    payment_method_types: list[str] | None = None
    save_default_payment_method: Literal["off", "on_subscription"] | None = None


class CreateSubscription(Retrieve, frozen=True, kw_only=True):
    """A new subscription."""

    customer: str
    items: list[terms.ItemAsked]
    cancel_at: int | None = None
    cancel_at_period_end: bool = False
    collection_method: Literal["charge_automatically", "send_invoice"] = "charge_automatically"
    days_until_due: Annotated[int, msgspec.Meta(ge=0, le=365)] | None = None
    default_payment_method: str | None = None
    description: str | None = None
    discounts: list[DiscountGiven] | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    off_session: bool = False
    payment_behavior: Behavior = "allow_incomplete"
    payment_settings: PaymentSettings | None = None
    proration_behavior: Literal["always_invoice", "create_prorations", "none"] | None = None
    trial_end: str | None = None
    trial_period_days: Annotated[int, msgspec.Meta(ge=1, le=TRIAL_DAYS_MAX)] | None = None
    trial_settings: TrialSettings | None = None


def create(world: World, asked: CreateSubscription, _: str = "") -> Document:
    """Begin a subscription.

    Raises:
        InvalidRequestError: if something named is not there, or does not go together.
        UndoneDeclineError: if it was to be all or nothing and the card was refused.
    """
    customer = world.get("customer", asked.customer, param="customer")
    if asked.collection_method == "send_invoice" and asked.days_until_due is None:
        raise MalformedError(
            "You must provide `days_until_due` when `collection_method` is `send_invoice`.",
            code="parameter_missing",
            param="days_until_due",
        )
    with world.at(world.now_for(customer)):
        _check_can_pay(world, customer, asked)
        subscription = _new(world, customer, asked)
        world.save(subscription)
        subscription["discounts"] = discounts.give(
            world,
            asked.discounts or [],
            customer=customer["id"],
            subscription=subscription["id"],
        )
        terms.save(world, subscription, None)
        world.emit("customer.subscription.created", subscription)
        return _bill_first(world, subscription, asked)


def _check_can_pay(world: World, customer: Document, asked: CreateSubscription) -> None:
    if asked.default_payment_method is not None:
        method = world.find("payment_method", asked.default_payment_method)
        if method is None or method["customer"] != customer["id"]:
            raise MissingError(
                "PaymentMethod", asked.default_payment_method, param="default_payment_method"
            )
        return
    known = customer["invoice_settings"]["default_payment_method"]
    has_trial = asked.trial_end is not None or asked.trial_period_days is not None
    is_lenient = asked.payment_behavior == "default_incomplete" or has_trial
    if known is None and not is_lenient and asked.collection_method == "charge_automatically":
        raise InvalidRequestError(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )


def _new(world: World, customer: Document, asked: CreateSubscription) -> Document:
    now = world.now()
    subscription = world.new("sub", "subscription", **_blank(asked))
    items = terms.apply_items(world, [], asked.items, subscription["id"])
    trial_end = _trial_end(asked, now)
    subscription.update(
        currency=items[0]["price"]["currency"],
        customer=customer["id"],
        items={
            "object": "list",
            "data": items,
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={subscription['id']}",
        },
        start_date=now,
        billing_cycle_anchor=trial_end or now,
        status="trialing" if trial_end else "active",
        test_clock=customer["test_clock"],
        trial_start=now if trial_end else None,
        trial_end=trial_end,
    )
    start, end = (now, trial_end) if trial_end else terms.period_from(subscription, now)
    subscription["items"]["data"] = terms.set_period(items, start, end)
    if asked.cancel_at_period_end:
        subscription.update(canceled_at=now, cancel_at=end)
    return subscription


def _blank(asked: CreateSubscription) -> Document:
    settings = msgspec.to_builtins(asked.payment_settings or PaymentSettings())
    return {
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_mode": {"type": "flexible"},
        "cancel_at": asked.cancel_at,
        "cancel_at_period_end": asked.cancel_at_period_end,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": asked.collection_method,
        "days_until_due": asked.days_until_due,
        "default_payment_method": asked.default_payment_method,
        "default_tax_rates": [],
        "description": asked.description,
        "discounts": [],
        "ended_at": None,
        "latest_invoice": None,
        "metadata": merged({}, asked.metadata),
        "pause_collection": None,
        "payment_settings": {"payment_method_options": None, **settings},
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "trial_settings": {
            "end_behavior": {
                "missing_payment_method": asked.trial_settings.end_behavior.missing_payment_method
                if asked.trial_settings
                else "create_invoice"
            }
        },
    }


def _trial_end(asked: CreateSubscription, now: int) -> int | None:
    if asked.trial_period_days is not None:
        return now + asked.trial_period_days * DAY_SECONDS
    return read_trial_end(asked.trial_end, now)


def read_trial_end(said: str | None, now: int) -> int | None:
    """Return the end of a trial as a unix second; `now` and nothing mean none.

    Raises:
        MalformedError: if it is no moment to come.
    """
    if said in (None, "now"):
        return None
    if not said.isdigit() or not now < int(said) <= now + TRIAL_DAYS_MAX * DAY_SECONDS:
        raise MalformedError(
            "Invalid trial_end: must be a timestamp in the future, of at most two years.",
            param="trial_end",
        )
    return int(said)


def _bill_first(world: World, subscription: Document, asked: CreateSubscription) -> Document:
    identity = subscription["id"]
    waits = asked.payment_behavior == "default_incomplete"
    invoice = renewing.bill_period(world, subscription, reason="subscription_create", is_now=True)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        terms.save(world, world.get("subscription", identity), None, status="incomplete")
        if waits:
            collecting.ensure_intent(world, invoice)
        else:
            _pay_first(world, invoice, asked)
    elif invoice["status"] == "open":
        collecting.attempt(world, invoice, is_renewal=False)
    return world.get("subscription", identity)


def _pay_first(world: World, invoice: Document, asked: CreateSubscription) -> None:
    all_or_nothing = asked.payment_behavior == "error_if_incomplete"
    try:
        paid = collecting.pay(world, invoice, is_renewal=asked.off_session)
    except CardDeclinedError as declined:
        if all_or_nothing:
            raise UndoneDeclineError(declined) from declined
        return
    if all_or_nothing and paid["status"] != "paid":
        raise InvalidRequestError(
            "Payment for this subscription requires additional user action before it can be "
            "completed successfully.",
            code="subscription_payment_intent_requires_action",
        )
