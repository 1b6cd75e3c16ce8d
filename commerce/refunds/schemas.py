"""Refunds over HTTP; a refund itself looks as `protocol.views.Refund` says."""

from typing import Annotated

import msgspec

from commerce.refunds.model import Part, Refund, Request, RequestState, show
from commerce.refunds.service import Wanted
from protocol import views
from protocol.ids import OrderId, OrderLineId, RefundId
from protocol.money import Money
from shared.clock import unix_ms

REASON_CHARS_MAX = 1_000
PARTS_MAX = 100

_Amount = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Reason = Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)]


class WantedPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted back of a line: a sum, or the price of so many, or else what is left of it."""

    line: OrderLineId
    amount_minor: _Amount | None = None
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None


class NewRefund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted back: of some lines, or a sum over all, or else all that is left."""

    lines: Annotated[list[WantedPart], msgspec.Meta(max_length=PARTS_MAX)] = []
    amount_minor: _Amount | None = None
    reason: Reason = ""

    def wanted(self, order: OrderId) -> Wanted:
        """Return it as refunds understand it."""
        return Wanted(
            order=order,
            parts=tuple(
                Part(line=part.line, amount_minor=part.amount_minor, quantity=part.quantity)
                for part in self.lines
            ),
            amount_minor=self.amount_minor,
            reason=self.reason,
        )


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer asked for, and what the shop said. A refund that came of it has the same id."""

    id: RefundId
    order: OrderId
    state: RequestState
    amount: Money
    reason: str
    answer: str
    asked_at_ms: int
    decided_at_ms: int | None


class AskedView(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and the refund if it was approved at once."""

    request: RequestView
    refund: views.Refund | None


class OrderRefunds(msgspec.Struct, frozen=True, kw_only=True):
    """All that was asked for and given back of an order."""

    requests: list[RequestView]
    refunds: list[views.Refund]


def view_request(request: Request) -> RequestView:
    """Show a request."""
    return RequestView(
        id=request.id,
        order=request.order_id,
        state=request.state,
        amount=Money(amount_minor=request.amount_minor, currency=request.currency),
        reason=request.reason,
        answer=request.answer,
        asked_at_ms=unix_ms(request.asked_at),
        decided_at_ms=None if request.decided_at is None else unix_ms(request.decided_at),
    )


def view_asked(request: Request, refund: Refund | None) -> AskedView:
    """Show what became of asking."""
    return AskedView(request=view_request(request), refund=None if refund is None else show(refund))
