"""Preview an invoice: do what was asked within a savepoint, look, and undo it.

So a preview can never differ from what would really be charged.
"""

from typing import Literal

import msgspec

from deploy.stripe_standin.billing import changing, invoices, renewing, terms
from deploy.stripe_standin.billing.discounts import DiscountGiven
from deploy.stripe_standin.billing.subscribing import CreateSubscription, create
from deploy.stripe_standin.errors import InvalidRequestError, MalformedError
from deploy.stripe_standin.listing import Retrieve
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World


class SubscriptionDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would change."""

    billing_cycle_anchor: Literal["now", "unchanged"] = "unchanged"
    cancel_at_period_end: bool | None = None
    cancel_now: bool = False
    items: list[terms.ItemAsked] | None = None
    proration_behavior: changing.ProrationBehavior = "create_prorations"
    proration_date: int | None = None
    trial_end: str | None = None


class CreatePreview(Retrieve, frozen=True, kw_only=True):
    """Of which subscription, or for which customer."""

    customer: str | None = None
    discounts: list[DiscountGiven] | None = None
    preview_mode: Literal["next"] = "next"
    subscription: str | None = None
    subscription_details: SubscriptionDetails | None = None


def preview(world: World, asked: CreatePreview, _: str) -> Document:
    """Return the invoice that would come; nothing is kept of it.

    Raises:
        InvalidRequestError: if none would.
        MalformedError: if it is not said for whom.
    """
    listeners, world.listeners = world.listeners, []
    try:
        with world.store.imagined():
            found = _imagine(world, asked)
            found = msgspec.json.decode(msgspec.json.encode(found))
    finally:
        world.listeners = listeners
    found.update(id=invoices.preview_id(), status="draft", number=None, amount_paid=0)
    found.update(amount_remaining=found["amount_due"], lines=found["lines"])
    return dict(found)


def _imagine(world: World, asked: CreatePreview) -> Document:
    details = asked.subscription_details or SubscriptionDetails()
    if asked.subscription is None:
        return _of_new(world, asked, details)
    subscription = world.get("subscription", asked.subscription, param="subscription")
    with world.at(world.now_for(subscription)):
        if details.cancel_now:
            changing.cancel(
                world,
                changing.CancelSubscription(
                    invoice_now=True, prorate=details.proration_behavior != "none"
                ),
                subscription["id"],
            )
            return _latest(world, subscription["id"])
        before = subscription["latest_invoice"]
        changing.update(world, _as_update(asked, details), subscription["id"])
        changed = world.get("subscription", subscription["id"])
        if changed["latest_invoice"] != before:
            return _latest(world, subscription["id"])
        return _upcoming(world, changed)


def _as_update(asked: CreatePreview, details: SubscriptionDetails) -> changing.UpdateSubscription:
    return changing.UpdateSubscription(
        billing_cycle_anchor=details.billing_cycle_anchor,
        cancel_at_period_end=details.cancel_at_period_end,
        discounts=asked.discounts,
        items=details.items,
        proration_behavior=details.proration_behavior,
        proration_date=details.proration_date,
        trial_end=details.trial_end,
    )


def _of_new(world: World, asked: CreatePreview, details: SubscriptionDetails) -> Document:
    if asked.customer is None or not details.items:
        raise MalformedError(
            "You must pass a subscription, or a customer and subscription_details[items].",
            code="parameter_missing",
            param="subscription",
        )
    made = create(
        world,
        CreateSubscription(
            customer=asked.customer,
            items=details.items,
            discounts=asked.discounts,
            payment_behavior="default_incomplete",
            trial_end=details.trial_end,
        ),
    )
    return _latest(world, made["id"])


def _upcoming(world: World, subscription: Document) -> Document:
    """What the next period will be billed, with all that waits."""
    end = terms.period_of(subscription)[1]
    if subscription["cancel_at_period_end"] or subscription["status"] in terms.ENDED:
        raise InvalidRequestError(
            f"No upcoming invoices for customer: {subscription['customer']}",
            code="invoice_upcoming_none",
        )
    with world.at(end):
        if subscription["status"] == "trialing":
            subscription["billing_cycle_anchor"] = end
        renewing.start_period(world, subscription, end, status="active")
        return renewing.bill_period(world, subscription, reason="upcoming", is_now=False)


def _latest(world: World, subscription: str) -> Document:
    found = world.get("subscription", subscription)
    return world.get("invoice", found["latest_invoice"])
