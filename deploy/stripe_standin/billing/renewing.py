"""What time does: trials end, periods begin, invoices go out, retries run out."""

from deploy.stripe_standin.billing import collecting, discounts, invoices, terms
from deploy.stripe_standin.billing.collecting import RETRY_DAYS
from deploy.stripe_standin.limits import BILLING_PERIODS_MAX
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

_DUE = "json_extract(document, '$._due')"
_CLOCK = "json_extract(document, '$.test_clock')"


def advance(world: World, clock: Document | None, to: int) -> None:
    """Do everything that is due up to a moment, in order; for one test clock, or for none.

    Raises:
        AssertionError: if that were more steps than a clock may be moved at once.
    """
    for _ in range(BILLING_PERIODS_MAX):
        due = _next(world, clock, to)
        if due is None:
            break
        with world.at(max(due["_due"], due["created"])):
            if clock is not None:
                world.change(clock, None, frozen_time=world.now())
            if due["object"] == "subscription":
                step(world, due)
            else:
                _move_invoice(world, due)
    if clock is not None:
        world.change(clock, None, frozen_time=to)


def _next(world: World, clock: Document | None, to: int) -> Document | None:
    rows = world.store.query(
        f"select kind, id from objects where {_DUE} <= ? and {_CLOCK} is ?"  # noqa: S608 - ours
        f" order by {_DUE}, number limit 1",
        to,
        clock and clock["id"],
    )
    return world.get(rows[0]["kind"], rows[0]["id"]) if rows else None


def step(world: World, subscription: Document) -> None:
    """Do the one thing that is due with a subscription now."""
    now = world.now()
    if subscription["status"] == "incomplete":
        terms.save(
            world,
            subscription,
            "customer.subscription.updated",
            status="incomplete_expired",
            ended_at=now,
        )
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        end(world, subscription)
        return
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] is not None and pause["resumes_at"] <= now:
        name = "customer.subscription.updated"
        terms.save(world, subscription, name, pause_collection=None)
        return
    if terms.period_of(subscription)[1] <= now:
        _begin_period(world, subscription)
        return
    subscription["_told_of_trial"] = True
    terms.save(world, subscription, None)
    world.emit("customer.subscription.trial_will_end", subscription)


def end(world: World, subscription: Document, *, reason: str = "cancellation_requested") -> None:
    """End a subscription now."""
    now = world.now()
    for invoice in open_invoices(world, subscription["id"]):
        world.change(invoice, None, auto_advance=False, next_payment_attempt=None, _due=None)
    details = {**subscription["cancellation_details"], "reason": reason}
    terms.save(
        world,
        subscription,
        "customer.subscription.deleted",
        status="canceled",
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        cancellation_details=details,
    )


def open_invoices(world: World, subscription: str) -> list[Document]:
    """Return the invoices of a subscription that are not done with, newest first."""
    found = world.select("invoice", parent__subscription_details__subscription=subscription)
    return [each for each in found if each["status"] in {"draft", "open"}]


def _begin_period(world: World, subscription: Document) -> None:
    boundary = terms.period_of(subscription)[1]
    was_trial = subscription["status"] == "trialing"
    if subscription["cancel_at_period_end"]:
        end(world, subscription)
        return
    if was_trial and not _can_pay(world, subscription):
        behaviour = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if behaviour == "cancel":
            end(world, subscription)
            return
        if behaviour == "pause":
            terms.save(world, subscription, "customer.subscription.paused", status="paused")
            return
    if was_trial:
        subscription["billing_cycle_anchor"] = boundary
    start_period(world, subscription, boundary, status="active" if was_trial else None)
    bill_period(world, subscription, reason="subscription_cycle", is_now=False)


def _can_pay(world: World, subscription: Document) -> bool:
    customer = world.get("customer", subscription["customer"])
    default = customer["invoice_settings"]["default_payment_method"]
    return bool(subscription["default_payment_method"] or default) or (
        subscription["collection_method"] == "send_invoice"
    )


def start_period(
    world: World, subscription: Document, moment: int, *, status: str | None = None
) -> None:
    """Let the period begin that a moment is in."""
    start, finish = terms.period_from(subscription, moment)
    items = terms.set_period(terms.items_of(subscription), start, finish)
    terms.save(
        world,
        subscription,
        "customer.subscription.updated",
        items={**subscription["items"], "data": items},
        status=status or subscription["status"],
    )


def bill_period(world: World, subscription: Document, *, reason: str, is_now: bool) -> Document:
    """Make the invoice of the period that runs: a draft for an hour, or final at once."""
    customer = world.get("customer", subscription["customer"])
    invoice = invoices.draft(
        world,
        customer,
        currency=subscription["currency"],
        reason=reason,
        subscription=subscription,
        discounts=discounts.running(
            world, subscription["discounts"], first_invoice=reason == "subscription_create"
        ),
    )
    start, finish = terms.period_of(subscription)
    rows = invoices.take_pending(world, invoice)
    is_trial = subscription["status"] == "trialing"
    rows += terms.lines_for(world, subscription, start, finish, is_trial=is_trial)
    invoices.fill(world, invoice, rows)
    pause = subscription["pause_collection"]
    keeps = bool(pause) and pause["behavior"] == "keep_as_draft"
    if not keeps:
        at = world.now() + invoices.DRAFT_SECONDS
        invoice.update(auto_advance=True, automatically_finalizes_at=at, _due=at)
    world.save(invoice)
    world.emit("invoice.created", invoice)
    subscription["latest_invoice"] = invoice["id"]
    world.save(subscription)
    if is_now and not keeps:
        invoices.finalize(world, invoice)
    return invoice


def _move_invoice(world: World, invoice: Document) -> None:
    """Finalize a draft whose hour is over, or try an open one again."""
    invoice["_due"] = None
    world.save(invoice)
    if invoice["status"] == "draft":
        invoices.finalize(world, invoice)
        named = invoices.subscription_of(invoice)
        pause = (world.find("subscription", named) or {}).get("pause_collection")
        if pause and invoice["status"] == "open":
            if pause["behavior"] == "void":
                invoices.void(world, invoice)
            else:
                invoices.mark_uncollectible(world, invoice)
            return
    collecting.attempt(world, invoice, is_renewal=True)


def on_invoice(world: World, name: str, invoice: Document) -> None:
    """Carry what became of an invoice over to its subscription."""
    if invoice.get("object") != "invoice" or not invoices.subscription_of(invoice):
        return
    subscription = world.find("subscription", invoices.subscription_of(invoice))
    if subscription is None or subscription["status"] in terms.ENDED:
        return
    status = subscription["status"]
    if name == "invoice.paid" and status in {"incomplete", "past_due", "unpaid"}:
        terms.save(world, subscription, "customer.subscription.updated", status="active")
    failures = {"invoice.payment_failed", "invoice.payment_action_required"}
    is_first = invoice["billing_reason"] == "subscription_create"
    if name in failures and status == "active" and not is_first:
        terms.save(world, subscription, "customer.subscription.updated", status="past_due")
    tries = invoice["attempt_count"]
    is_cycle = invoice["billing_reason"] == "subscription_cycle"
    if name == "invoice.payment_failed" and is_cycle and tries > len(RETRY_DAYS):
        end(world, subscription, reason="payment_failed")
