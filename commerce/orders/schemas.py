"""Orders over HTTP; an order itself looks as `protocol.views.Order` says."""

from typing import Annotated

import msgspec

from commerce.orders.model import Order, OrderEvent, show
from protocol import views
from protocol.ids import ID_PATTERN, OrderId, RoomId
from protocol.views import OrderState
from shared.clock import unix_ms


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Order the cart, which must still be at this version."""

    cart_version: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class SupportRoom(msgspec.Struct, frozen=True, kw_only=True):
    """Where the buyer and the staff talk about an order."""

    room: RoomId


class OrderEventView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step of an order: its number, the event's name, when, and the state it led to.

    `reason` is told of a payment that failed, in Stripe's words, such as `card_declined`.
    """

    version: int
    type: str
    at_ms: int
    state: OrderState
    reason: str | None = None


class OrderHistory(msgspec.Struct, frozen=True, kw_only=True):
    """An order with every step it took, in order."""

    order: views.Order
    events: list[OrderEventView]


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps after a version only: those a client has not seen."""

    after_version: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] = 0


class OrderedAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of orders goes on."""

    id: Annotated[OrderId, msgspec.Meta(pattern=ID_PATTERN)]


def view_history(order: Order, events: list[OrderEvent]) -> OrderHistory:
    """Show an order with its steps."""
    return OrderHistory(
        order=show(order),
        events=[
            OrderEventView(
                version=event.seq,
                type=event.type,
                at_ms=unix_ms(event.at),
                state=event.to_state,
                reason=event.detail if event.type == "order_payment_failed" else None,
            )
            for event in events
        ],
    )
