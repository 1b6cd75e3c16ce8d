"""The seller's side over HTTP."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from commerce.admin.model import OrderFile
from commerce.delivery.model import show as show_grant
from commerce.foundation.acts import AnyAuditId, AuditId, Entry
from commerce.foundation.pagination import PageQuery
from commerce.licenses.model import show as show_license
from commerce.orders.model import OrderFilter, show as show_order
from commerce.refunds.model import (
    Dispute,
    DisputeStatus,
    Part,
    Refund,
    Request,
    RequestState,
    show as show_refund,
)
from commerce.refunds.service import Evidence, Wanted
from protocol import views
from protocol.ids import (
    ID_PATTERN,
    DisputeId,
    OrderId,
    OrderLineId,
    ProductId,
    RefundId,
    UserId,
)
from protocol.money import Money
from protocol.views import LicenseState, OrderState, RefundState
from shared.clock import unix_ms

_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
_Answer = Annotated[str, msgspec.Meta(max_length=1_000)]
_Amount = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
_Text = Annotated[str, msgspec.Meta(max_length=64)]


class OrdersQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders; what is left out is not asked."""

    state: OrderState | None = None
    buyer: _Text | None = None
    number: _Text | None = None
    product: _Text | None = None
    held: bool | None = None
    disputed: bool | None = None
    placed_from: datetime | None = None
    placed_until: datetime | None = None

    def filter(self) -> OrderFilter:
        """Return it as orders understand it."""
        return OrderFilter(
            state=self.state,
            buyer=None if self.buyer is None else UserId(self.buyer),
            number=self.number,
            product=None if self.product is None else ProductId(self.product),
            held=self.held,
            disputed=self.disputed,
            placed_from=self.placed_from,
            placed_until=self.placed_until,
        )


class RequestsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests for refunds."""

    state: RequestState | None = None


class RefundsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which refunds."""

    state: RefundState | None = None


class DisputesQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which disputes."""

    only_open: bool = False


class AuditQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries: of one thing, by one person."""

    subject: _Text | None = None
    actor: _Text | None = None


class OrdersAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of orders goes on."""

    id: Annotated[OrderId, msgspec.Meta(pattern=ID_PATTERN)]


class RefundsAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of refunds or requests goes on."""

    id: Annotated[RefundId, msgspec.Meta(pattern=ID_PATTERN)]


class DisputesAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of disputes goes on."""

    id: Annotated[DisputeId, msgspec.Meta(pattern=ID_PATTERN)]


class AuditAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where the audit goes on."""

    id: AnyAuditId


class Because(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is done."""

    reason: _Reason


class StaffPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes back of a line: a sum, or the price of so many, or else what is left of it."""

    line: OrderLineId
    amount_minor: _Amount | None = None
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None


class StaffRefund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is given back: of some lines, or a sum over all, or else all that is left."""

    reason: _Reason
    lines: Annotated[list[StaffPart], msgspec.Meta(max_length=100)] = []
    amount_minor: _Amount | None = None
    restock: bool = False

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


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Yes to a request; limited goods go back into stock unless told otherwise."""

    answer: _Answer = ""
    restock: bool = True


class Denial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No to a request, and why."""

    answer: _Reason


class NewLicenseState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the staff makes of a licence, and why."""

    state: LicenseState
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an order."""

    version: int
    type: str
    state: OrderState
    detail: str
    at_ms: int


class StaffRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer asked for."""

    id: RefundId
    order: OrderId
    buyer: UserId
    state: RequestState
    amount: Money
    reason: str
    answer: str
    decided_by: UserId | None
    asked_at_ms: int


class StaffRefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A refund with what only the staff sees."""

    refund: views.Refund
    origin: str
    actor: UserId | None
    failure: str
    created_at_ms: int


class DisputeView(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute."""

    id: DisputeId
    order: OrderId
    status: DisputeStatus
    reason: str
    amount: Money
    withdrawn: Money
    is_inquiry: bool
    evidence_due_at_ms: int | None
    opened_at_ms: int


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the audit."""

    id: AuditId
    at_ms: int
    actor: UserId
    action: str
    subject: str
    reason: str
    before: Any
    after: Any


class OrderFileView(msgspec.Struct, frozen=True, kw_only=True):
    """All there is about one order."""

    order: views.Order
    buyer_name: str
    held_reason: str
    steps: list[StepView]
    grants: list[views.Grant]
    licenses: list[views.License]
    requests: list[StaffRequest]
    refunds: list[StaffRefundView]
    audit: list[AuditView]


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop knows of a disputed order, to be shown to the bank."""

    dispute: DisputeView
    file: OrderFileView
    warnings: list[str]


def view_request(request: Request) -> StaffRequest:
    """Show a request."""
    return StaffRequest(
        id=request.id,
        order=request.order_id,
        buyer=request.buyer_id,
        state=request.state,
        amount=Money(amount_minor=request.amount_minor, currency=request.currency),
        reason=request.reason,
        answer=request.answer,
        decided_by=request.decided_by,
        asked_at_ms=unix_ms(request.asked_at),
    )


def view_refund(refund: Refund) -> StaffRefundView:
    """Show a refund."""
    return StaffRefundView(
        refund=show_refund(refund),
        origin=refund.origin,
        actor=refund.actor_id,
        failure=refund.failure,
        created_at_ms=unix_ms(refund.created_at),
    )


def view_dispute(dispute: Dispute) -> DisputeView:
    """Show a dispute."""
    due = dispute.evidence_due_at
    return DisputeView(
        id=dispute.id,
        order=dispute.order_id,
        status=dispute.status,
        reason=dispute.reason,
        amount=Money(amount_minor=dispute.amount_minor, currency=dispute.currency),
        withdrawn=Money(amount_minor=dispute.withdrawn_minor, currency=dispute.currency),
        is_inquiry=dispute.is_inquiry,
        evidence_due_at_ms=None if due is None else unix_ms(due),
        opened_at_ms=unix_ms(dispute.opened_at),
    )


def view_entry(entry: Entry) -> AuditView:
    """Show an entry of the audit."""
    return AuditView(
        id=entry.id,
        at_ms=unix_ms(entry.at),
        actor=entry.actor_id,
        action=entry.action,
        subject=entry.subject,
        reason=entry.reason,
        before=entry.before,
        after=entry.after,
    )


def view_file(file: OrderFile) -> OrderFileView:
    """Show all there is about an order."""
    return OrderFileView(
        order=show_order(file.order),
        buyer_name=file.buyer_name,
        held_reason=file.order.held_reason,
        steps=[
            StepView(
                version=step.seq,
                type=step.type,
                state=step.to_state,
                detail=step.detail,
                at_ms=unix_ms(step.at),
            )
            for step in file.steps
        ],
        grants=[show_grant(grant) for grant in file.grants],
        licenses=[show_license(held) for held in file.licenses],
        requests=[view_request(each) for each in file.requests],
        refunds=[view_refund(each) for each in file.refunds],
        audit=[view_entry(each) for each in file.audit],
    )


def view_evidence(evidence: Evidence, file: OrderFile) -> EvidenceView:
    """Show what speaks for the shop."""
    return EvidenceView(
        dispute=view_dispute(evidence.dispute),
        file=view_file(file),
        warnings=[each.kind for each in evidence.warnings],
    )
