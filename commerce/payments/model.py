"""What an attempt to be paid is, and how what Stripe says is taken in. Pure: no clock, no network.

The states are those of `protocol.views.PaymentState`. What Stripe says of one intent may come
twice, late, or in another order than it happened: it counts only if it was asked for later than
what is known, and nothing leaves a state that is final.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from protocol import views
from protocol.ids import OrderId, PaymentId, UserId
from protocol.money import Money
from protocol.views import PaymentState

PAYMENT_METADATA: Final = "rialto_payment"
ORDER_METADATA: Final = "rialto_order"
"""Under which names Stripe's objects say whose they are."""

SAME_KEY_HOURS_MAX: Final = 20
"""Stripe remembers an idempotency key for 24 hours: after that many we look, and do not repeat."""

FINAL: Final[frozenset[PaymentState]] = frozenset({"succeeded", "failed", "canceled"})
OVER: Final[frozenset[PaymentState]] = frozenset({"failed", "canceled"})
"""States after which the order may be paid for by another attempt."""

AWAITS_ANSWER: Final[frozenset[PaymentState]] = frozenset({"created", "submitting", "unknown"})

AWAITS_BUYER: Final[frozenset[PaymentState]] = frozenset(
    {"requires_method", "requires_action", "processing"}
)
"""States that a buyer or their bank ends; Stripe tells us when."""

TRANSITIONS: Final[Mapping[PaymentState, frozenset[PaymentState]]] = {
    "created": frozenset({"submitting", "canceled"}),
    "submitting": frozenset(
        {
            "requires_method",
            "requires_action",
            "processing",
            "succeeded",
            "failed",
            "canceled",
            "unknown",
        }
    ),
    "unknown": frozenset(
        {"requires_method", "requires_action", "processing", "succeeded", "failed", "canceled"}
    ),
    "requires_method": frozenset(
        {"submitting", "requires_action", "processing", "succeeded", "failed", "canceled"}
    ),
    "requires_action": frozenset({"requires_method", "processing", "succeeded", "canceled"}),
    "processing": frozenset({"requires_method", "requires_action", "succeeded", "canceled"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""Every edge there is: from a state to those it may become."""


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid, by whom, for which order.

    `method` is one the buyer keeps; without it the buyer gives one in the browser. `off_session`
    says that nobody is there to answer their bank.
    """

    order: OrderId
    buyer: UserId
    amount: Money
    created_by_run: str
    method: str | None = None
    off_session: bool = False
    saves_method: bool = False


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to be paid for an order. `method_id`, `intent_id` and `charge_id` are Stripe's.

    `submissions` counts how often it was handed to Stripe: each is a call with a key of its own, so
    that a card that was refused can be tried again, and a call that was not heard repeated.
    """

    id: PaymentId
    order_id: OrderId
    buyer_id: UserId
    version: int
    state: PaymentState
    amount_minor: int
    currency: str
    captured_minor: int
    off_session: bool
    saves_method: bool
    method_id: str | None
    submissions: int
    submitted_at: datetime
    intent_id: str | None
    client_secret: str | None
    charge_id: str | None
    failure: str | None
    observed_at: datetime | None
    created_by_run: str
    created_at: datetime

    @property
    def amount(self) -> Money:
        """What is to be paid."""
        return Money(amount_minor=self.amount_minor, currency=self.currency)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in FINAL

    @property
    def key(self) -> str:
        """The idempotency key of the present submission."""
        return f"{self.id}:{self.submissions}"

    def may_repeat(self, now: datetime) -> bool:
        """Say whether Stripe still remembers the present submission's key."""
        return now - self.submitted_at < timedelta(hours=SAME_KEY_HOURS_MAX)

    def submitted_again(self, method: str | None, now: datetime) -> "Attempt":
        """Return this attempt on its way to Stripe once more; it must wait for a method."""
        assert "submitting" in TRANSITIONS[self.state]
        return msgspec.structs.replace(
            self,
            state="submitting",
            method_id=method,
            failure=None,
            submissions=self.submissions + 1,
            submitted_at=now,
            version=self.version + 1,
        )

    def unheard(self) -> "Attempt":
        """Return this attempt if nobody heard what came of it; one that is heard of stays."""
        if self.state not in {"submitting", "created"}:
            return self
        return msgspec.structs.replace(self, state="unknown", version=self.version + 1)

    def refused(self, reason: str) -> "Attempt":
        """Return this attempt after Stripe would not even make an intent."""
        if self.intent_id is not None or self.state not in AWAITS_ANSWER:
            return self
        return msgspec.structs.replace(
            self, state="failed", failure=reason, version=self.version + 1
        )

    def folded(self, seen: "Snapshot") -> "Attempt":
        """Return this attempt with what Stripe says of its intent; older news changes nothing.

        Raises:
            WrongMoneyError: if Stripe's intent is over another sum, or is another attempt's.
        """
        self._require_mine(seen)
        is_old = self.observed_at is not None and seen.asked_at < self.observed_at
        if self.is_final or (is_old and seen.state not in FINAL):
            return self
        if seen.state != self.state and seen.state not in TRANSITIONS[self.state]:
            return self
        folded = msgspec.structs.replace(
            self,
            state=seen.state,
            intent_id=seen.intent_id,
            client_secret=seen.client_secret or self.client_secret,
            charge_id=seen.charge_id or self.charge_id,
            captured_minor=seen.captured_minor if seen.state == "succeeded" else 0,
            method_id=seen.method_id or self.method_id,
            failure=seen.failure,
        )
        if folded == self:
            return self
        return msgspec.structs.replace(folded, observed_at=seen.asked_at, version=self.version + 1)

    def _require_mine(self, seen: "Snapshot") -> None:
        if self.intent_id not in {None, seen.intent_id} or seen.payment not in {None, self.id}:
            raise WrongMoneyError(self.id, f"the intent {seen.intent_id} is another's")
        if seen.amount != self.amount:
            raise WrongMoneyError(self.id, f"the intent {seen.intent_id} is over {seen.amount}")
        if seen.state == "succeeded" and seen.captured_minor != self.amount_minor:
            raise WrongMoneyError(self.id, f"{seen.captured_minor} of it were captured")


class WrongMoneyError(Exception):
    """What Stripe says does not fit what we asked: nothing is recorded, and people must look."""

    def __init__(self, payment: PaymentId, why: str) -> None:
        super().__init__(f"{payment} is not what Stripe has: {why}")


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What Stripe said of an intent that was asked about at `asked_at`."""

    intent_id: str
    payment: PaymentId | None
    state: PaymentState
    amount: Money
    captured_minor: int
    asked_at: datetime
    client_secret: str | None = None
    charge_id: str | None = None
    method_id: str | None = None
    failure: str | None = None


class Unheard(msgspec.Struct, frozen=True):
    """Nobody heard what came of a call."""


class Refused(msgspec.Struct, frozen=True):
    """Stripe would not do what was asked, and nothing came of it."""

    reason: str


Outcome = Snapshot | Unheard | Refused
"""What became of a call about an attempt."""


class StoredMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A way of paying that a buyer keeps at Stripe: what may be shown of it."""

    id: str
    kind: str
    brand: str
    last4: str
    expires: str
    fingerprint: str | None
    is_default: bool


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """A method on its way to be kept. The browser goes on with the `client_secret`."""

    intent_id: str
    client_secret: str


def show(attempt: Attempt) -> views.Payment:
    """Return the attempt as its buyer sees it."""
    return views.Payment(
        id=attempt.id,
        version=attempt.version,
        order=attempt.order_id,
        state=attempt.state,
        amount=attempt.amount,
        failure=attempt.failure,
    )


def take_in(attempt: Attempt, outcome: Outcome) -> Attempt:
    """Return an attempt after what became of a call about it.

    Raises:
        WrongMoneyError: if Stripe's intent is over another sum, or is another attempt's.
    """
    match outcome:
        case Snapshot():
            return attempt.folded(outcome)
        case Unheard():
            return attempt.unheard()
        case Refused(reason):
            return attempt.refused(reason)
