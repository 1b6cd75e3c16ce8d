"""What an order is, and the states it may go through. Pure: no clock, no database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from commerce.orders.errors import IllegalTransitionError
from protocol import views
from protocol.events import (
    Event,
    OrderCanceled,
    OrderExpired,
    OrderFulfilled,
    OrderPaid,
    OrderPlaced,
)
from protocol.ids import CartId, EventId, OrderId, OrderLineId, ProductId, UserId, VariantId
from protocol.money import Money
from protocol.views import OrderState
from shared.clock import unix_ms

STATES: Final[tuple[OrderState, ...]] = (
    "draft",
    "awaiting_payment",
    "paid",
    "fulfilled",
    "canceled",
    "expired",
)

TRANSITIONS: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    "draft": frozenset({"awaiting_payment"}),
    "awaiting_payment": frozenset({"paid", "canceled", "expired"}),
    "paid": frozenset({"fulfilled"}),
    "fulfilled": frozenset(),
    "canceled": frozenset(),
    "expired": frozenset(),
}
"""Every edge there is: from a state to those it may become."""

PAYMENT_HOURS_MAX: Final = 24
"""An order that is not paid for this long expires and gives its stock back."""

GIVES_STOCK_BACK: Final[frozenset[OrderState]] = frozenset({"canceled", "expired"})
"""States in which an order no longer holds what it took from the stock."""


_FACTS: Final[
    Mapping[
        OrderState,
        type[OrderPlaced | OrderPaid | OrderFulfilled | OrderCanceled | OrderExpired],
    ]
] = {
    "awaiting_payment": OrderPlaced,
    "paid": OrderPaid,
    "fulfilled": OrderFulfilled,
    "canceled": OrderCanceled,
    "expired": OrderExpired,
}
"""What is told when an order has come to a state; nothing becomes a draft."""


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One bought thing, at the price it was bought at.

    `takes_stock` says whether it came out of a limited stock.
    """

    id: OrderLineId
    variant_id: VariantId
    product_id: ProductId
    title: str
    quantity: int
    unit_price_minor: int
    currency: str
    takes_stock: bool

    @property
    def total_minor(self) -> int:
        """What all of them cost."""
        return self.unit_price_minor * self.quantity


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one user ordered, from one cart. `version` is the number of its last event.

    An order that was brought in from elsewhere has no cart.
    """

    id: OrderId
    number: str
    buyer_id: UserId
    cart_id: CartId | None
    state: OrderState
    version: int
    currency: str
    placed_at: datetime
    lines: tuple[OrderLine, ...]

    @property
    def total_minor(self) -> int:
        """What everything costs."""
        return sum(line.total_minor for line in self.lines)

    @property
    def is_free(self) -> bool:
        """Whether there is nothing to pay."""
        return self.total_minor == 0

    @property
    def stock_taken(self) -> dict[VariantId, int]:
        """How many of which limited variant this order holds."""
        return {line.variant_id: line.quantity for line in self.lines if line.takes_stock}

    def moved_to(self, state: OrderState) -> "Order":
        """Return this order one edge on.

        Raises:
            IllegalTransitionError: if there is no such edge.
        """
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransitionError(from_state=self.state, to_state=state)
        return msgspec.structs.replace(self, state=state, version=self.version + 1)


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One edge that an order went along."""

    seq: int
    type: str
    from_state: OrderState
    to_state: OrderState
    event_id: EventId
    at: datetime


class PastOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to bring in, with every edge it went along."""

    order: Order
    events: tuple[OrderEvent, ...]


def placed_too_long_ago(now: datetime) -> datetime:
    """Return the moment before which an order must have been placed to expire now."""
    return now - timedelta(hours=PAYMENT_HOURS_MAX)


def order_number(year: int, serial: int) -> str:
    """Return the number people read to one another, such as `R-2026-000123`."""
    return f"R-{year}-{serial:06d}"


def show(order: Order) -> views.Order:
    """Return the order as its buyer sees it."""
    return views.Order(
        id=order.id,
        number=order.number,
        version=order.version,
        state=order.state,
        buyer=order.buyer_id,
        lines=[_show_line(line) for line in order.lines],
        total=Money(amount_minor=order.total_minor, currency=order.currency),
        placed_at_ms=unix_ms(order.placed_at),
    )


def fact_of(order: Order, at: datetime) -> Event:
    """Return the event that says how the order came to be in its state."""
    return _FACTS[order.state](order=show(order), at_ms=unix_ms(at))


def event_type(state: OrderState) -> str:
    """Return the name on the wire of the event that leads to a state, such as `order_placed`."""
    tag = _FACTS[state].__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def edge(before: Order, after: Order, *, event_id: EventId, at: datetime) -> OrderEvent:
    """Return what is written down of one step from state to state."""
    return OrderEvent(
        seq=after.version,
        type=event_type(after.state),
        from_state=before.state,
        to_state=after.state,
        event_id=event_id,
        at=at,
    )


def _show_line(line: OrderLine) -> views.OrderLine:
    return views.OrderLine(
        id=line.id,
        variant=line.variant_id,
        product=line.product_id,
        title=line.title,
        quantity=line.quantity,
        unit_price=Money(amount_minor=line.unit_price_minor, currency=line.currency),
        total=Money(amount_minor=line.total_minor, currency=line.currency),
    )
