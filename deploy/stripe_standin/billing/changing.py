"""Change a subscription: its items, how it is paid, when it pauses and when it ends."""

from typing import Annotated, Literal

import msgspec

from deploy.stripe_standin.billing import (
    collecting,
    discounts,
    invoices,
    prorating,
    renewing,
    terms,
)
from deploy.stripe_standin.billing.discounts import DiscountGiven
from deploy.stripe_standin.billing.subscribing import (
    PaymentSettings,
    TrialSettings,
    read_trial_end,
)
from deploy.stripe_standin.errors import (
    CardDeclinedError,
    InvalidRequestError,
    MissingError,
    UndoneDeclineError,
)
from deploy.stripe_standin.listing import Retrieve
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

ProrationBehavior = Literal["always_invoice", "create_prorations", "none"]


class Pause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of invoices while collection is paused."""

    behavior: Literal["keep_as_draft", "mark_uncollectible", "void"]
    resumes_at: int | None = None


class CancellationDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it ends."""

    comment: str | None = None
    feedback: str | None = None


class UpdateSubscription(Retrieve, frozen=True, kw_only=True):
    """What changes."""

    billing_cycle_anchor: Literal["now", "unchanged"] = "unchanged"
    cancel_at: str | None = None
    cancel_at_period_end: bool | None = None
    cancellation_details: CancellationDetails | None = None
    collection_method: Literal["charge_automatically", "send_invoice"] | None = None
    days_until_due: Annotated[int, msgspec.Meta(ge=0, le=365)] | None = None
    default_payment_method: str | None = None
    description: str | None = None
    discounts: list[DiscountGiven] | Literal[""] | None = None
    items: list[terms.ItemAsked] | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    off_session: bool = False
    pause_collection: Pause | Literal[""] | None = None
    payment_behavior: Literal["allow_incomplete", "default_incomplete", "error_if_incomplete"] = (
        "allow_incomplete"
    )
    payment_settings: PaymentSettings | None = None
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: int | None = None
    trial_end: str | None = None
    trial_settings: TrialSettings | None = None


def update(world: World, asked: UpdateSubscription, identity: str) -> Document:
    """Change a subscription.

    Raises:
        InvalidRequestError: if it has ended, or the change makes no sense.
        UndoneDeclineError: if it was to be all or nothing and the card was refused.
    """
    subscription = world.get("subscription", identity)
    if subscription["status"] in terms.ENDED:
        raise InvalidRequestError(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="resource_missing",
        )
    with world.at(world.now_for(subscription)):
        _change_plainly(world, subscription, asked)
        if asked.items is not None or asked.trial_end or asked.billing_cycle_anchor == "now":
            _change_terms(world, subscription, asked)
        return world.get("subscription", identity)


def _change_plainly(world: World, subscription: Document, asked: UpdateSubscription) -> None:
    changes: Document = {"metadata": merged(subscription["metadata"], asked.metadata)}
    for name in ("collection_method", "days_until_due"):
        if (value := getattr(asked, name)) is not None:
            changes[name] = value
    if asked.description is not None:
        changes["description"] = asked.description or None
    if asked.default_payment_method:
        changes["default_payment_method"] = _own_method(
            world, subscription, asked.default_payment_method
        )
    if asked.trial_settings is not None:
        changes["trial_settings"] = msgspec.to_builtins(asked.trial_settings)
    if asked.pause_collection is not None:
        changes["pause_collection"] = msgspec.to_builtins(asked.pause_collection) or None
    if asked.discounts is not None:
        changes["discounts"] = discounts.give(
            world,
            list(asked.discounts) if asked.discounts else [],
            customer=subscription["customer"],
            subscription=subscription["id"],
        )
    changes.update(_ending(world, subscription, asked))
    terms.save(world, subscription, "customer.subscription.updated", **changes)


def _own_method(world: World, subscription: Document, named: str) -> str:
    method = world.find("payment_method", named)
    if method is None or method["customer"] != subscription["customer"]:
        raise MissingError("PaymentMethod", named, param="default_payment_method")
    return str(method["id"])


def _ending(world: World, subscription: Document, asked: UpdateSubscription) -> Document:
    changes: Document = {}
    if asked.cancellation_details is not None:
        details = msgspec.to_builtins(asked.cancellation_details)
        changes["cancellation_details"] = {**subscription["cancellation_details"], **details}
    if asked.cancel_at is not None:
        changes["cancel_at"] = int(asked.cancel_at) if asked.cancel_at.isdigit() else None
        changes["canceled_at"] = world.now() if changes["cancel_at"] else None
    if asked.cancel_at_period_end is not None:
        ends = asked.cancel_at_period_end
        changes["cancel_at_period_end"] = ends
        changes["cancel_at"] = terms.period_of(subscription)[1] if ends else None
        changes["canceled_at"] = world.now() if ends else None
        reason = "cancellation_requested" if ends else None
        details = changes.get("cancellation_details") or subscription["cancellation_details"]
        changes["cancellation_details"] = {**details, "reason": reason}
    return changes


def _change_terms(world: World, subscription: Document, asked: UpdateSubscription) -> None:
    """Change items, the trial or the anchor, and ask or give back what that makes different."""
    moment = asked.proration_date or world.now()
    start, finish = terms.period_of(subscription)
    if not start <= moment <= finish:
        raise InvalidRequestError(
            "Invalid proration_date: it must be within the current period.",
            param="proration_date",
        )
    before = terms.items_of(subscription)
    after = terms.apply_items(world, before, asked.items or [], subscription["id"])
    trial_end = read_trial_end(asked.trial_end, world.now())
    is_new_cycle = (
        terms.rhythm(after[0]) != terms.rhythm(before[0])
        or asked.billing_cycle_anchor == "now"
        or asked.trial_end == "now"
    )
    pays = subscription["status"] != "trialing" and asked.proration_behavior != "none"
    if is_new_cycle or trial_end:
        if pays:
            for item in before:
                prorating.credit(world, subscription, item, moment)
        _restart(world, subscription, after, trial_end)
        invoice = renewing.bill_period(
            world, subscription, reason="subscription_update", is_now=True
        )
    else:
        if pays:
            prorating.prorate(world, subscription, after, moment)
        _set_items(world, subscription, terms.set_period(after, start, finish))
        if not pays or asked.proration_behavior != "always_invoice":
            return
        invoice = _invoice_now(world, subscription)
    _collect(world, invoice, asked)


def _restart(
    world: World, subscription: Document, items: list[Document], trial_end: int | None
) -> None:
    now = world.now()
    subscription["billing_cycle_anchor"] = trial_end or now
    if trial_end:
        subscription.update(trial_start=subscription["trial_start"] or now, trial_end=trial_end)
        subscription.pop("_told_of_trial", None)
    elif subscription["status"] == "trialing":
        subscription["trial_end"] = now
    subscription["items"]["data"] = items
    start, end = (now, trial_end) if trial_end else terms.period_from(subscription, now)
    status = "trialing" if trial_end else "active"
    _set_items(world, subscription, terms.set_period(items, start, end), status=status)


def _set_items(
    world: World, subscription: Document, items: list[Document], *, status: str | None = None
) -> None:
    terms.save(
        world,
        subscription,
        "customer.subscription.updated",
        items={**subscription["items"], "data": items},
        status=status or subscription["status"],
    )


def _invoice_now(world: World, subscription: Document) -> Document:
    """Invoice what waits, at once."""
    customer = world.get("customer", subscription["customer"])
    invoice = invoices.draft(
        world,
        customer,
        currency=subscription["currency"],
        reason="subscription_update",
        subscription=subscription,
    )
    invoices.fill(world, invoice, invoices.take_pending(world, invoice))
    world.emit("invoice.created", invoice)
    terms.save(world, subscription, None, latest_invoice=invoice["id"])
    return invoices.finalize(world, invoice)


def _collect(world: World, invoice: Document, asked: UpdateSubscription) -> None:
    if invoice["status"] != "open":
        return
    if asked.payment_behavior != "error_if_incomplete":
        collecting.attempt(world, invoice, is_renewal=asked.off_session)
        return
    try:
        collecting.pay(world, invoice, is_renewal=asked.off_session)
    except CardDeclinedError as declined:
        raise UndoneDeclineError(declined) from declined


class CancelSubscription(Retrieve, frozen=True, kw_only=True):
    """How it ends, now."""

    cancellation_details: CancellationDetails | None = None
    invoice_now: bool = False
    prorate: bool = False


def cancel(world: World, asked: CancelSubscription, identity: str) -> Document:
    """End a subscription now.

    Raises:
        MissingError: if it has ended already, as Stripe says it.
    """
    subscription = world.get("subscription", identity)
    if subscription["status"] in terms.ENDED:
        raise MissingError("subscription", identity)
    with world.at(world.now_for(subscription)):
        if asked.cancellation_details is not None:
            details = msgspec.to_builtins(asked.cancellation_details)
            subscription["cancellation_details"].update(details)
        if asked.prorate and subscription["status"] != "trialing":
            for item in terms.items_of(subscription):
                prorating.credit(world, subscription, item, world.now())
        if asked.invoice_now:
            _invoice_now(world, subscription)
        renewing.end(world, subscription)
        return subscription


class Resume(Retrieve, frozen=True, kw_only=True):
    """How it goes on."""

    billing_cycle_anchor: Literal["now", "unchanged"] = "now"
    proration_behavior: ProrationBehavior = "create_prorations"


def resume(world: World, _: Resume, identity: str) -> Document:
    """Let a paused subscription go on with a new period, which is billed at once.

    Raises:
        InvalidRequestError: if it is not paused.
    """
    subscription = world.get("subscription", identity)
    if subscription["status"] != "paused":
        raise InvalidRequestError(
            f"Cannot resume a subscription with a status of {subscription['status']}."
        )
    with world.at(world.now_for(subscription)):
        _restart(world, subscription, terms.items_of(subscription), None)
        invoice = renewing.bill_period(
            world, subscription, reason="subscription_cycle", is_now=True
        )
        collecting.attempt(world, invoice, is_renewal=False)
        world.emit("customer.subscription.resumed", world.get("subscription", identity))
        return world.get("subscription", identity)
