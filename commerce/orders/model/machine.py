"""The ways an order may go: every edge there is, and every fact that leaves the state as it is.

A step is worked out here, without clock or database, and taken by the service: the order's row,
one row in the order's log, one event. What is in neither table cannot happen.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from commerce.orders.errors import (
    IllegalTransitionError,
    NotForThisStateError,
    RefundsDoNotFitError,
)
from commerce.orders.model.order import DisputeState, Order, OrderEvent, PaymentTold
from protocol.ids import EventId, OrderLineId
from protocol.views import DeliveryStatus, OrderState

FactName = Literal[
    "order_placed",
    "order_processing",
    "order_payment_failed",
    "order_paid",
    "order_paid_late",
    "order_fulfilled",
    "order_canceled",
    "order_expired",
    "order_refunded",
    "order_disputed",
    "order_dispute_closed",
    "order_held",
    "order_released",
    "order_delivery_changed",
]
"""Names of events on the wire."""

STATES: Final[tuple[OrderState, ...]] = (
    "draft",
    "awaiting_payment",
    "processing",
    "paid",
    "fulfilled",
    "canceled",
    "expired",
    "paid_late",
    "partially_refunded",
    "refunded",
)

TRANSITIONS: Final[Mapping[OrderState, Mapping[OrderState, FactName]]] = {
    "draft": {"awaiting_payment": "order_placed"},
    "awaiting_payment": {
        "processing": "order_processing",
        "paid": "order_paid",
        "canceled": "order_canceled",
        "expired": "order_expired",
    },
    "processing": {"awaiting_payment": "order_payment_failed", "paid": "order_paid"},
    "paid": {
        "fulfilled": "order_fulfilled",
        "partially_refunded": "order_refunded",
        "refunded": "order_refunded",
    },
    "fulfilled": {"partially_refunded": "order_refunded", "refunded": "order_refunded"},
    "canceled": {"paid": "order_paid", "paid_late": "order_paid_late"},
    "expired": {"paid": "order_paid", "paid_late": "order_paid_late"},
    "paid_late": {"partially_refunded": "order_refunded", "refunded": "order_refunded"},
    "partially_refunded": {
        "paid": "order_refunded",
        "fulfilled": "order_refunded",
        "paid_late": "order_refunded",
        "refunded": "order_refunded",
    },
    "refunded": {
        "paid": "order_refunded",
        "fulfilled": "order_refunded",
        "paid_late": "order_refunded",
        "partially_refunded": "order_refunded",
    },
}
"""Every edge there is, and the event that tells of it."""

_PAID: Final[frozenset[OrderState]] = frozenset(
    {"paid", "fulfilled", "paid_late", "partially_refunded", "refunded"}
)

STAYS: Final[Mapping[FactName, frozenset[OrderState]]] = {
    "order_payment_failed": frozenset({"awaiting_payment"}),
    "order_fulfilled": frozenset({"partially_refunded"}),
    "order_refunded": frozenset({"partially_refunded"}),
    "order_disputed": _PAID,
    "order_dispute_closed": _PAID,
    "order_held": frozenset(STATES) - {"draft"},
    "order_released": frozenset(STATES) - {"draft"},
    "order_delivery_changed": _PAID,
}
"""What may happen to an order without its state becoming another, and in which states."""

OPEN_STATES: Final[frozenset[OrderState]] = frozenset({"awaiting_payment", "processing"})
"""States in which an order waits for its money and holds what it reserved."""

GIVEN_UP: Final[frozenset[OrderState]] = frozenset({"canceled", "expired"})
"""States in which an order no longer holds what it reserved."""

PAYMENT_HOURS_MAX: Final = 24
"""An order that is not paid for this long expires and gives its stock back."""

RENEWAL_DAYS_MAX: Final = 30
"""An order of a subscription is tried again and again for less than this."""

PROCESSING_DAYS_MAX: Final = 14
"""Money on its way, as from a bank debit, keeps the order's stock for this long."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One edge, or one fact that leaves the state as it is."""

    before: Order
    after: Order
    fact: FactName
    detail: str = ""


def place(order: Order, at: datetime) -> Step:
    """Have a draft wait for its money."""
    return _edge(order, "awaiting_payment", "order_placed", pay_until=payment_due(order, at))


def pay(order: Order, at: datetime, told: PaymentTold | None = None) -> Step:
    """Have the whole money: the order holds, be it in time or late."""
    return _edge(
        order,
        "paid",
        "order_paid",
        captured_minor=order.total_minor,
        paid_at=at,
        pay_until=None,
        delivery="pending",
        told=told,
    )


def pay_late(order: Order, at: datetime, told: PaymentTold | None = None) -> Step:
    """Have the money of an order that was given up, and cannot be kept."""
    return _edge(
        order,
        "paid_late",
        "order_paid_late",
        captured_minor=order.total_minor,
        paid_at=at,
        late=True,
        told=told,
    )


def process(order: Order, at: datetime, told: PaymentTold | None = None) -> Step:
    """Have the money on its way."""
    until = at + timedelta(days=PROCESSING_DAYS_MAX)
    return _edge(order, "processing", "order_processing", pay_until=until, told=told)


def fail(order: Order, at: datetime, told: PaymentTold) -> Step:
    """Have a try to pay fail; the order waits for another."""
    reason = told.failure or told.state
    if order.state == "awaiting_payment":
        return _stay(order, "order_payment_failed", reason, told=told)
    until = payment_due(order, at)
    return _edge(
        order, "awaiting_payment", "order_payment_failed", reason, pay_until=until, told=told
    )


def cancel(order: Order) -> Step:
    """Give up an order that is not paid."""
    return _edge(order, "canceled", "order_canceled", pay_until=None)


def expire(order: Order) -> Step:
    """Give up an order whose time to be paid is over."""
    return _edge(order, "expired", "order_expired", pay_until=None)


def fulfil(order: Order, at: datetime) -> Step | None:
    """Have everything handed over; None if that is known, or while the order is held."""
    if order.fulfilled_at is not None or order.held:
        return None
    if order.state == "partially_refunded":
        return _stay(order, "order_fulfilled", fulfilled_at=at, delivery="delivered")
    return _edge(order, "fulfilled", "order_fulfilled", fulfilled_at=at, delivery="delivered")


def refund(order: Order, by_line: Mapping[OrderLineId, int]) -> Step | None:
    """Have exactly so much given back of each line, more or less than before.

    Raises:
        RefundsDoNotFitError: if a line is not the order's, or more than was paid is given back.
    """
    after = order.with_refunded(by_line)
    known = {line.id for line in order.lines}
    if not set(by_line) <= known or any(
        not 0 <= line.refunded_minor <= line.total_minor for line in after.lines
    ):
        raise RefundsDoNotFitError(order.id)
    if after.lines == order.lines:
        return None
    if after.refunded_minor > order.captured_minor:
        raise RefundsDoNotFitError(order.id)
    state = _resting(after)
    if state != order.state:
        return _edge(order, state, "order_refunded", lines=after.lines)
    return _stay(order, "order_refunded", lines=after.lines)


def dispute(order: Order, state: DisputeState) -> Step | None:
    """Have the buyer's bank ask for the money back, or decide; None if that is known."""
    if state == order.dispute:
        return None
    fact: FactName = "order_disputed" if state == "open" else "order_dispute_closed"
    return _stay(order, fact, state if state != "open" else "", dispute=state)


def hold(order: Order, *, held: bool, reason: str) -> Step | None:
    """Stop the order for the shop to look at, or let it go on; None if that is known."""
    if held == order.held:
        return None
    fact: FactName = "order_held" if held else "order_released"
    return _stay(order, fact, reason, held=held, held_reason=reason if held else "")


def deliver(order: Order, delivery: DeliveryStatus) -> Step | None:
    """Have something else become of the goods; None if that is known."""
    if delivery == order.delivery:
        return None
    return _stay(order, "order_delivery_changed", delivery, delivery=delivery)


def payment_due(order: Order, now: datetime) -> datetime:
    """Return until when an order waits that waits from now."""
    if order.subscription_id is not None:
        return now + timedelta(days=RENEWAL_DAYS_MAX)
    return now + timedelta(hours=PAYMENT_HOURS_MAX)


def is_legal(before: OrderState, after: OrderState, fact: str) -> bool:
    """Say whether a step is in the tables."""
    if before == after:
        return any(fact == name and before in states for name, states in STAYS.items())
    return TRANSITIONS[before].get(after) == fact


def record(step: Step, *, event_id: EventId, at: datetime) -> OrderEvent:
    """Return what is written down of a step."""
    return OrderEvent(
        seq=step.after.version,
        type=step.fact,
        from_state=step.before.state,
        to_state=step.after.state,
        event_id=event_id,
        at=at,
        detail=step.detail,
    )


def _resting(order: Order) -> OrderState:
    """Return the state of a paid order, folded from what is known of it."""
    if order.refunded_minor == 0:
        if order.late:
            return "paid_late"
        return "paid" if order.fulfilled_at is None else "fulfilled"
    return "refunded" if order.refunded_minor == order.captured_minor else "partially_refunded"


def _edge(
    order: Order,
    state: OrderState,
    fact: FactName,
    detail: str = "",
    *,
    told: PaymentTold | None = None,
    **known: object,
) -> Step:
    if TRANSITIONS[order.state].get(state) != fact:
        raise IllegalTransitionError(from_state=order.state, to_state=state)
    changed = msgspec.structs.replace(
        order, state=state, version=order.version + 1, **_heard(told), **known
    )
    return Step(before=order, after=changed, fact=fact, detail=detail)


def _stay(
    order: Order,
    fact: FactName,
    detail: str = "",
    *,
    told: PaymentTold | None = None,
    **known: object,
) -> Step:
    if order.state not in STAYS[fact]:
        raise NotForThisStateError(state=order.state, fact=fact)
    changed = msgspec.structs.replace(order, version=order.version + 1, **_heard(told), **known)
    return Step(before=order, after=changed, fact=fact, detail=detail)


def _heard(told: PaymentTold | None) -> dict[str, object]:
    if told is None:
        return {}
    return {"payment_id": told.payment, "payment_version": told.version}
