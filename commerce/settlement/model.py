"""What Stripe tells: how an event is signed, read, and what it is about. Pure.

Signatures: https://docs.stripe.com/webhooks/signature.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from commerce.payments.model import PAYMENT_METADATA
from commerce.settlement.errors import NotOurEventError
from protocol.ids import PaymentId

SIGNATURE_AGE_SECONDS_MAX: Final = 300
SIGNATURE_FUTURE_SECONDS_MAX: Final = 60
RETRY_SECONDS: Final = (1, 5, 30, 120, 600, 3_600, 10_800, 43_200)
"""How long after each failure an event is taken up again; after the last it is dead."""

Subject = Literal["payment", "refund", "dispute", "warning", "nothing"]
"""What an event is about, as far as it concerns us; `nothing` is known and of no concern."""

State = Literal["pending", "done", "ignored", "dead"]


def _all(group: str, *names: str) -> list[str]:
    return [f"{group}.{name}" for name in names]


_SUBJECTS: Final[Mapping[Subject, Sequence[str]]] = {
    "payment": (
        *_all("payment_intent", "created", "requires_action", "processing", "succeeded"),
        *_all("payment_intent", "amount_capturable_updated", "payment_failed", "canceled"),
        *_all("payment_intent", "partially_funded"),
        *_all("charge", "succeeded", "pending", "failed", "captured", "expired", "updated"),
        "charge.refunded",
    ),
    "refund": (*_all("refund", "created", "updated", "failed"), "charge.refund.updated"),
    "dispute": (
        *_all("charge.dispute", "created", "updated", "closed"),
        *_all("charge.dispute", "funds_withdrawn", "funds_reinstated"),
    ),
    "warning": _all("radar.early_fraud_warning", "created", "updated"),
    "nothing": (
        *_all("setup_intent", "created", "succeeded", "setup_failed", "requires_action"),
        "setup_intent.canceled",
        *_all("payment_method", "attached", "updated", "automatically_updated", "detached"),
        "mandate.updated",
        *_all("review", "opened", "closed"),
        *_all("checkout.session", "completed", "expired"),
        *_all("checkout.session", "async_payment_succeeded", "async_payment_failed"),
        *_all("customer.subscription", "created", "updated", "deleted", "paused", "resumed"),
        *_all("customer.subscription", "trial_will_end", "pending_update_applied"),
        "customer.subscription.pending_update_expired",
        *_all("subscription_schedule", "created", "updated", "released", "canceled", "aborted"),
        *_all("subscription_schedule", "completed", "expiring"),
        "entitlements.active_entitlement_summary.updated",
        *_all("invoice", "created", "finalized", "finalization_failed", "sent", "paid"),
        *_all("invoice", "payment_succeeded", "payment_failed", "payment_action_required"),
        *_all("invoice", "payment_attempt_required", "overdue", "overpaid", "upcoming"),
        *_all("invoice", "will_be_due", "updated", "voided", "marked_uncollectible", "deleted"),
        "invoice_payment.paid",
        *_all("invoiceitem", "created", "deleted"),
        *_all("credit_note", "created", "updated", "voided"),
        *_all("customer", "created", "updated", "deleted"),
        *_all("customer.tax_id", "created", "updated", "deleted"),
        *_all("product", "created", "updated", "deleted"),
        *_all("price", "created", "updated", "deleted"),
        *_all("coupon", "created", "updated", "deleted"),
        *_all("promotion_code", "created", "updated"),
        *_all("tax_rate", "created", "updated"),
        "tax.settings.updated",
        *_all("payout", "created", "updated", "paid", "failed", "canceled"),
        "payout.reconciliation_completed",
        "balance.available",
        *_all("billing.meter", "created", "updated", "deactivated", "reactivated"),
        *_all("billing.credit_grant", "created", "updated"),
        "billing.alert.triggered",
        *_all("reporting.report_run", "succeeded", "failed"),
        *_all("test_helpers.test_clock", "created", "advancing", "ready", "deleted"),
        "test_helpers.test_clock.internal_failure",
    ),
}
SUBJECT_OF: Final[Mapping[str, Subject]] = {
    name: subject for subject, names in _SUBJECTS.items() for name in names
}
"""Every name of an event that we know, and what it is about."""


class StripeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it came. `object_id` is the intent, refund, dispute or warning it is about."""

    id: str
    type: str
    object_id: str | None
    livemode: bool
    api_version: str | None
    created_at: datetime
    payload: bytes

    @property
    def subject(self) -> Subject:
        """What it is about; a name we do not know is about nothing."""
        return "nothing" if self.object_id is None else SUBJECT_OF.get(self.type, "nothing")


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a worker has taken up; `attempts` counts this one too."""

    id: str
    type: str
    object_id: str
    payload: bytes
    attempts: int

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return SUBJECT_OF[self.type]

    @property
    def payment(self) -> PaymentId | None:
        """Our own name of the payment it is about, if it says so."""
        about: dict[str, Any] = msgspec.json.decode(self.payload)["data"]["object"]
        found = (about.get("metadata") or {}).get(PAYMENT_METADATA)
        return PaymentId(found) if isinstance(found, str) else None

    @property
    def next_seconds(self) -> int | None:
        """In how many seconds it is taken up again, if this time failed; None if never."""
        tried = self.attempts - 1
        return RETRY_SECONDS[tried] if tried < len(RETRY_SECONDS) else None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Events taken up together that are about one thing: it is asked after once."""

    subject: Subject
    object_id: str
    events: tuple[Taken, ...]

    @property
    def ids(self) -> list[str]:
        """The ids of its events."""
        return [event.id for event in self.events]

    @property
    def payment(self) -> PaymentId | None:
        """Our own name of the payment they are about, if one of them says so."""
        return next((event.payment for event in self.events if event.payment), None)


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events that somebody wants taken up again."""

    again: int
    new: int


def groups_of(taken: Iterable[Taken]) -> list[Group]:
    """Return events by what they are about, in the order in which each was first told of."""
    by_object: dict[tuple[Subject, str], list[Taken]] = {}
    for event in taken:
        by_object.setdefault((event.subject, event.object_id), []).append(event)
    return [
        Group(subject=subject, object_id=object_id, events=tuple(events))
        for (subject, object_id), events in by_object.items()
    ]


def is_signed(raw: bytes, header: str, *, secrets: Iterable[str], now: datetime) -> bool:
    """Say whether one of the secrets signed this body, lately and not in the future."""
    told = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in told if name == "t"]
    given = [value for name, value in told if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdecimal()) or len(times[0]) > 12:
        return False
    age = now - datetime.fromtimestamp(int(times[0]), UTC)
    oldest = timedelta(seconds=SIGNATURE_AGE_SECONDS_MAX)
    if not -timedelta(seconds=SIGNATURE_FUTURE_SECONDS_MAX) <= age <= oldest:
        return False
    signed = times[0].encode() + b"." + raw
    wanted = [_signature(signed, secret) for secret in secrets if secret]
    matches = [hmac.compare_digest(one, two.encode()) for one in wanted for two in given]
    return any(matches)


def _signature(signed: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()


class _Data(msgspec.Struct):
    object: dict[str, Any]


class _Event(msgspec.Struct):
    id: str
    object: Literal["event"]
    type: str
    created: int
    livemode: bool
    data: _Data
    api_version: str | None = None
    account: str | None = None


def read_event(raw: bytes, *, is_live: bool) -> StripeEvent:
    """Return the event that is written there.

    Raises:
        NotOurEventError: if it is none, or not of this account.
    """
    try:
        event = msgspec.json.decode(raw, type=_Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotOurEventError(f"{error}".rstrip(".")) from error
    if event.livemode != is_live:
        raise NotOurEventError("it is of the live account" if event.livemode else "it is a test")
    if event.account is not None:
        raise NotOurEventError("it is of a connected account")
    return StripeEvent(
        id=event.id,
        type=event.type,
        object_id=_object_of(event),
        livemode=event.livemode,
        api_version=event.api_version,
        created_at=datetime.fromtimestamp(event.created, UTC),
        payload=raw,
    )


def _object_of(event: _Event) -> str | None:
    about = event.data.object
    is_charge = SUBJECT_OF.get(event.type) == "payment" and event.type.startswith("charge.")
    found = about.get("payment_intent") if is_charge else about.get("id")
    if isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) else None
