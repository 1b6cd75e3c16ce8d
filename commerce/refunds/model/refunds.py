"""What a refund is, and the states it goes through."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from protocol import views
from protocol.ids import OrderId, OrderLineId, RefundId, UserId
from protocol.money import Money
from protocol.views import RefundState

Origin = Literal["buyer", "staff", "late", "processor"]
"""Who wanted it: the buyer, the staff, nobody (the money came too late), or whoever made it at the
processor's own pages."""

RequestState = Literal["asked", "approved", "denied", "withdrawn"]

TRANSITIONS: Final[Mapping[RefundState, frozenset[RefundState]]] = {
    "reserved": frozenset({"submitting", "pending", "succeeded", "failed", "canceled"}),
    "submitting": frozenset({"pending", "succeeded", "failed", "canceled"}),
    "pending": frozenset({"succeeded", "failed", "canceled"}),
    "succeeded": frozenset({"failed", "canceled"}),
    "failed": frozenset(),
    "canceled": frozenset(),
}
"""Every edge there is. One that succeeded may fail days later: the buyer's bank sent it back."""

LIVE: Final[frozenset[RefundState]] = frozenset({"reserved", "submitting", "pending", "succeeded"})
"""States in which it counts against what may still be given back."""

OVER: Final[frozenset[RefundState]] = frozenset({"failed", "canceled"})

RETRY_SECONDS: Final = (5, 30, 120, 600, 3_600)
"""How long to wait before the processor is asked again, after the last for ever."""


class RefundLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is given back of one line; `quantity` go back into a limited stock."""

    line_id: OrderLineId
    amount_minor: int
    quantity: int = 0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants back of a line: a sum, or the price of so many, or what is left of it."""

    line: OrderLineId
    amount_minor: int | None = None
    quantity: int | None = None


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money on its way back to a buyer.

    `has_succeeded` says whether the books have it, be it failed by now, and `tax_minor` how much of
    it is tax. With `next_try_at` the processor is asked (again) then.
    """

    id: RefundId
    order_id: OrderId
    buyer_id: UserId
    state: RefundState
    version: int
    amount_minor: int
    currency: str
    reason: str
    origin: Origin
    actor_id: UserId | None
    restocks: bool
    stripe_refund_id: str | None
    failure: str
    has_succeeded: bool
    attempts: int
    next_try_at: datetime | None
    submitted_at: datetime | None
    created_at: datetime
    tax_minor: int = 0
    lines: tuple[RefundLine, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it counts against what may still be given back."""
        return self.state in LIVE

    def may_become(self, state: RefundState) -> bool:
        """Say whether there is such an edge; what is told late goes along none."""
        return state in TRANSITIONS[self.state]


class RefundStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a refund."""

    version: int
    from_state: str
    to_state: str
    detail: str
    at: datetime


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer asks for. Once approved there is a refund of the same id."""

    id: RefundId
    order_id: OrderId
    buyer_id: UserId
    state: RequestState
    amount_minor: int
    currency: str
    parts: tuple[Part, ...]
    reason: str
    answer: str
    decided_by: UserId | None
    asked_at: datetime
    decided_at: datetime | None


def show(refund: Refund) -> views.Refund:
    """Return the refund as its buyer sees it."""
    return views.Refund(
        id=refund.id,
        version=refund.version,
        order=refund.order_id,
        state=refund.state,
        amount=Money(amount_minor=refund.amount_minor, currency=refund.currency),
        reason=refund.reason,
    )
