"""Disputes: a cardholder wants money back from the bank; it is taken until somebody decides."""

from typing import Final, Literal

from deploy.stripe_standin.errors import InvalidRequestError
from deploy.stripe_standin.listing import Page, Retrieve, page_of
from deploy.stripe_standin.money import DISPUTE_FEE_MINOR
from deploy.stripe_standin.payments import ledger
from deploy.stripe_standin.routing import Route, route
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World, merged

EVIDENCE_SECONDS: Final = 9 * 24 * 3600
_FIELDS: Final = """
    access_activity_log billing_address cancellation_policy cancellation_policy_disclosure
    cancellation_rebuttal customer_communication customer_email_address customer_name
    customer_purchase_ip customer_signature duplicate_charge_documentation
    duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy
    refund_policy_disclosure refund_refusal_explanation service_date service_documentation
    shipping_address shipping_carrier shipping_date shipping_documentation
    shipping_tracking_number uncategorized_file uncategorized_text
""".split()  # noqa: SIM905 - a column of words
_VERDICTS: Final = {"winning_evidence": "won", "losing_evidence": "lost"}
"""What `uncategorized_text` decides, as documented for test disputes."""
_OPEN: Final = frozenset(
    {
        "needs_response",
        "under_review",
        "warning_needs_response",
        "warning_under_review",
    }
)


class UpdateDispute(Retrieve, frozen=True, kw_only=True):
    """What speaks against it."""

    evidence: dict[str, str] | None = None
    metadata: dict[str, str] | Literal[""] | None = None
    submit: bool = True


class ListDisputes(Page, frozen=True, kw_only=True):
    """Which disputes."""

    charge: str | None = None
    payment_intent: str | None = None


def open_dispute(
    world: World,
    charge: Document,
    reason: str,
    *,
    amount: int | None = None,
    is_inquiry: bool = False,
) -> Document:
    """Let the cardholder dispute a charge; an inquiry takes no money yet.

    Raises:
        InvalidRequestError: if the charge brought no money, or is disputed already.
    """
    if charge["disputed"] or not charge["captured"]:
        raise InvalidRequestError(f"Charge {charge['id']} cannot be disputed.")
    dispute = _new(world, charge, amount or charge["amount_captured"], is_inquiry=is_inquiry)
    dispute["reason"] = reason
    charge["_is_refundable"] = is_inquiry
    world.change(charge, None, disputed=True)
    world.save(dispute)
    world.emit("charge.dispute.created", dispute)
    if not is_inquiry:
        _withdraw(world, dispute)
    return dispute


def _new(world: World, charge: Document, amount: int, *, is_inquiry: bool) -> Document:
    return world.new(
        "du",
        "dispute",
        amount=amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=dict.fromkeys(_FIELDS),
        evidence_details={
            "due_by": world.now() + EVIDENCE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=is_inquiry,
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "type": "card",
            "card": {"brand": "visa", "case_type": "inquiry" if is_inquiry else "chargeback"},
        },
        reason="general",
        status="warning_needs_response" if is_inquiry else "needs_response",
    )


def decide(world: World, dispute: Document, verdict: str) -> Document:
    """End a dispute: `won`, `lost` or `warning_closed`.

    Raises:
        InvalidRequestError: if it has ended.
    """
    if dispute["status"] not in _OPEN:
        raise InvalidRequestError(f"This dispute is already {dispute['status']}.")
    dispute["status"] = verdict
    if verdict == "won" and dispute["balance_transactions"]:
        _book(world, dispute, dispute["amount"], fee=0, category="dispute_reversal")
        world.emit("charge.dispute.funds_reinstated", dispute)
    if verdict != "lost":
        charge = world.get("charge", dispute["charge"])
        charge["_is_refundable"] = True
        dispute["is_charge_refundable"] = True
        world.save(charge)
    world.save(dispute)
    world.emit("charge.dispute.closed", dispute)
    return dispute


def _withdraw(world: World, dispute: Document) -> None:
    _book(world, dispute, -dispute["amount"], fee=DISPUTE_FEE_MINOR, category="dispute")
    world.emit("charge.dispute.funds_withdrawn", dispute)


def _book(world: World, dispute: Document, amount: int, *, fee: int, category: str) -> None:
    identity = ledger.book(
        world, dispute, kind="adjustment", amount=amount, fee=fee, category=category
    )
    dispute["balance_transactions"].append(world.get("balance_transaction", identity))
    world.save(dispute)


def _update(world: World, asked: UpdateDispute, identity: str) -> Document:
    dispute = world.get("dispute", identity)
    if dispute["status"] not in _OPEN:
        raise InvalidRequestError("This dispute is already closed")
    evidence = dict(dispute["evidence"])
    for name, value in (asked.evidence or {}).items():
        if name not in evidence:
            raise InvalidRequestError(
                f"Received unknown parameter: evidence[{name}]",
                code="parameter_unknown",
                param=f"evidence[{name}]",
            )
        evidence[name] = value or None
    has_evidence = any(evidence.values())
    details = {**dispute["evidence_details"], "has_evidence": has_evidence}
    is_submitted = asked.submit and asked.evidence is not None
    status = dispute["status"]
    if is_submitted:
        details["submission_count"] += 1
        status = status.replace("needs_response", "under_review")
    world.change(
        dispute,
        "charge.dispute.updated",
        evidence=evidence,
        evidence_details=details,
        metadata=merged(dispute["metadata"], asked.metadata),
        status=status,
    )
    verdict = _VERDICTS.get(evidence["uncategorized_text"] or "")
    if is_submitted and verdict:
        if status.startswith("warning"):
            verdict = "warning_closed"
        decide(world, dispute, verdict)
    return dispute


def _close(world: World, _: Retrieve, identity: str) -> Document:
    return decide(world, world.get("dispute", identity), "lost")


def _retrieve(world: World, _: Retrieve, identity: str) -> Document:
    return world.get("dispute", identity)


def _list(world: World, asked: ListDisputes, _: str) -> Document:
    where = {"charge": asked.charge, "payment_intent": asked.payment_intent}
    return page_of(world, "dispute", asked, url="/v1/disputes", where=where)


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "disputes", ListDisputes, _list),
    route("GET", "disputes/*", Retrieve, _retrieve),
    route("POST", "disputes/*", UpdateDispute, _update),
    route("POST", "disputes/*/close", Retrieve, _close),
)
