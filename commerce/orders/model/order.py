"""What an order is: its lines, its money, and what is known of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from protocol.ids import (
    CartId,
    DiscountId,
    EventId,
    OrderId,
    OrderLineId,
    PaymentId,
    ProductId,
    SubscriptionId,
    UserId,
    VariantId,
)
from protocol.views import DeliveryStatus, OrderState, PaymentState, PaymentStatus, TaxShare

DisputeState = Literal["none", "open", "won", "lost"]


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One bought thing, at the price it was bought at.

    `takes_stock` says whether it came out of a limited stock. `tax_minor` is part of the total
    already when `tax_inclusive`, and comes on top when not.
    """

    id: OrderLineId
    variant_id: VariantId
    product_id: ProductId
    title: str
    quantity: int
    unit_price_minor: int
    currency: str
    takes_stock: bool
    discount_minor: int = 0
    tax_minor: int = 0
    tax_name: str = ""
    tax_ppm: int = 0
    tax_inclusive: bool = True
    refunded_minor: int = 0
    price_id: str | None = None

    @property
    def subtotal_minor(self) -> int:
        """What all of them cost before the discount."""
        return self.unit_price_minor * self.quantity

    @property
    def total_minor(self) -> int:
        """What is paid for all of them."""
        on_top = 0 if self.tax_inclusive else self.tax_minor
        return self.subtotal_minor - self.discount_minor + on_top


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one user ordered, and where it stands. `version` is the number of its last event.

    An order that was brought in from elsewhere has no cart. `late` says that its money came after
    it had been given up, and that it could not be kept.
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
    taxes: tuple[TaxShare, ...] = ()
    country: str | None = None
    captured_minor: int = 0
    delivery: DeliveryStatus = "none"
    dispute: DisputeState = "none"
    held: bool = False
    held_reason: str = ""
    late: bool = False
    pay_until: datetime | None = None
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None
    subscription_id: SubscriptionId | None = None
    payment_id: PaymentId | None = None
    payment_version: int = 0
    discount_ids: tuple[DiscountId, ...] = ()

    @property
    def subtotal_minor(self) -> int:
        """What everything costs before discounts."""
        return sum(line.subtotal_minor for line in self.lines)

    @property
    def discount_minor(self) -> int:
        """What all discounts come to."""
        return sum(line.discount_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        """What all taxes come to, be they part of the prices or on top of them."""
        return sum(line.tax_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        """What is to be paid."""
        return sum(line.total_minor for line in self.lines)

    @property
    def refunded_minor(self) -> int:
        """What was given back."""
        return sum(line.refunded_minor for line in self.lines)

    @property
    def is_free(self) -> bool:
        """Whether there is nothing to pay."""
        return self.total_minor == 0

    @property
    def is_disputed(self) -> bool:
        """Whether the buyer's bank asks for the money back, and nobody has decided yet."""
        return self.dispute == "open"

    @property
    def stock_taken(self) -> dict[VariantId, int]:
        """How many of which limited variant this order holds."""
        return {line.variant_id: line.quantity for line in self.lines if line.takes_stock}

    @property
    def payment(self) -> PaymentStatus:
        """What has become of the money."""
        if self.paid_at is None:
            return "processing" if self.state == "processing" else "unpaid"
        if self.refunded_minor == 0:
            return "paid"
        return "refunded" if self.refunded_minor == self.captured_minor else "partially_refunded"

    def with_refunded(self, by_line: Mapping[OrderLineId, int]) -> "Order":
        """Return this order with so much given back of each line; of those left out, nothing."""
        return msgspec.structs.replace(
            self,
            lines=tuple(
                msgspec.structs.replace(line, refunded_minor=by_line.get(line.id, 0))
                for line in self.lines
            ),
        )


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step that an order took; `detail` says why, where there is something to say."""

    seq: int
    type: str
    from_state: OrderState
    to_state: OrderState
    event_id: EventId
    at: datetime
    detail: str = ""


class PaymentTold(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt to pay an order stands; `version` grows with everything heard of it."""

    payment: PaymentId
    version: int
    state: PaymentState
    amount_minor: int
    currency: str
    failure: str | None = None


class PastOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to bring in, with every step it took."""

    order: Order
    events: tuple[OrderEvent, ...]


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What staff look for; what is None is not asked. Times are of placing, `until` excluded."""

    state: OrderState | None = None
    buyer: UserId | None = None
    number: str | None = None
    product: ProductId | None = None
    subscription: SubscriptionId | None = None
    held: bool | None = None
    disputed: bool | None = None
    placed_from: datetime | None = None
    placed_until: datetime | None = None


def order_number(year: int, serial: int) -> str:
    """Return the number people read to one another, such as `R-2026-000123`."""
    return f"R-{year}-{serial:06d}"
