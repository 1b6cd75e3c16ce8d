"""What a grant is, and where an order puts it. Pure: no clock, no database."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from protocol import views
from protocol.ids import GrantId, OrderId, OrderLineId, ProductId, UserId
from protocol.views import Benefit, DeliveryStatus, GrantState, OrderState

RefundPolicy = Literal["keep", "revoke", "prorate"]
"""What a refund of its line does to a grant: nothing; take it, once all of the line is refunded;
or take unit by unit, as many as the sum given back pays for."""

TRANSITIONS: Final[Mapping[GrantState, frozenset[GrantState]]] = {
    "pending": frozenset({"granted", "suspended", "revoked"}),
    "granted": frozenset({"suspended", "revoked"}),
    "suspended": frozenset({"pending", "granted", "revoked"}),
    "revoked": frozenset({"pending", "granted", "suspended"}),
}
"""Every edge there is. What was revoked comes back if the refund it was revoked for has failed;
what was never granted goes back to being pending."""

OWED: Final[frozenset[OrderState]] = frozenset(
    {"paid", "fulfilled", "partially_refunded", "refunded"}
)
"""States of an order in which its buyer is owed the goods, or was."""

TO_FULFIL: Final[frozenset[OrderState]] = frozenset({"paid", "partially_refunded"})
"""States in which handing over the last of an order makes it fulfilled."""

RETRY_SECONDS: Final = (10, 60, 300, 1_800, 7_200)
"""How long to wait before each new try; after the last the order is held for the staff."""


class ProductBenefit(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a product comes with, besides access to it."""

    product_id: ProductId
    benefit: Benefit
    on_refund: RefundPolicy = "revoke"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer has by one line of an order, of one kind.

    `units` are those of the units bought that are still the buyer's. `order_version` is the newest
    state of the order that the grant has followed; `is_lost`, whether the buyer's bank took the
    money back for good. A pending grant without `next_try_at` waits for somebody to look at it.
    """

    id: GrantId
    order_id: OrderId
    line_id: OrderLineId
    product_id: ProductId
    holder_id: UserId
    title: str
    benefit: Benefit
    on_refund: RefundPolicy
    state: GrantState
    version: int
    units_bought: int
    units: int
    is_lost: bool
    order_version: int
    attempts: int
    next_try_at: datetime | None
    last_error: str
    granted_at: datetime | None

    def moved_to(self, state: GrantState, *, units: int, at: datetime) -> "Grant":
        """Return this grant one step on."""
        assert state == self.state or state in TRANSITIONS[self.state]
        is_first = state == "granted" and self.granted_at is None
        return msgspec.structs.replace(
            self,
            state=state,
            units=units,
            version=self.version + 1,
            granted_at=at if is_first else self.granted_at,
            next_try_at=self.next_try_at if state == "pending" else None,
        )

    def failed(self, error: str, *, at: datetime) -> "Grant":
        """Return this grant after one more try that failed."""
        attempts = self.attempts + 1
        again = attempts <= len(RETRY_SECONDS)
        wait = timedelta(seconds=RETRY_SECONDS[attempts - 1]) if again else None
        return msgspec.structs.replace(
            self,
            attempts=attempts,
            next_try_at=None if wait is None else at + wait,
            last_error=error,
        )

    @property
    def is_given_up(self) -> bool:
        """Whether every try has failed."""
        return self.state == "pending" and self.attempts > len(RETRY_SECONDS)


class GrantStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a grant."""

    grant_id: GrantId
    version: int
    from_state: GrantState
    to_state: GrantState
    units: int
    at: datetime


def due(grant: Grant, order: views.Order) -> tuple[GrantState, int]:
    """Return where an order puts one of its grants, and how many units are the buyer's.

    What was granted is never `pending` again: a hold stops only what is still to be handed over.
    """
    units = units_kept(grant, order)
    if grant.is_lost or not units or order.state not in OWED:
        return "revoked", 0
    if order.disputed:
        return "suspended", units
    if grant.granted_at is None and order.held:
        return "pending", units
    return "granted", units


def units_kept(grant: Grant, order: views.Order) -> int:
    """Return how many units are the buyer's after what was given back of the line."""
    if grant.on_refund == "keep":
        return grant.units_bought
    if order.state == "refunded":
        return 0
    line = next(each for each in order.lines if each.id == grant.line_id)
    refunded = 0 if line.refunded is None else line.refunded.amount_minor
    total = line.total.amount_minor
    if not refunded:
        return grant.units_bought
    if grant.on_refund == "prorate":
        return -(-grant.units_bought * (total - refunded) // total)
    return 0 if refunded >= total else grant.units_bought


def status_of(grants: Iterable[Grant]) -> DeliveryStatus:
    """Return what has become of the goods of an order, folded from its grants."""
    states = {grant.state for grant in grants}
    if "pending" in states:
        return "pending"
    if "suspended" in states:
        return "suspended"
    if "granted" in states:
        return "delivered"
    return "revoked" if states else "none"


def is_handed_over(grants: Iterable[Grant]) -> bool:
    """Say whether nothing of an order is still to be handed over, and something was."""
    states = {grant.state for grant in grants}
    return "granted" in states and not states & {"pending", "suspended"}


def show(grant: Grant) -> views.Grant:
    """Return the grant as its holder sees it."""
    return views.Grant(
        id=grant.id,
        version=grant.version,
        order=grant.order_id,
        line=grant.line_id,
        product=grant.product_id,
        benefit=grant.benefit,
        state=grant.state,
    )
