"""Orders as their buyers see them, and the events that tell of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from commerce.orders.model.machine import FactName, Step
from commerce.orders.model.order import Order, OrderLine
from protocol import views
from protocol.events import (
    Event,
    OrderCanceled,
    OrderDeliveryChanged,
    OrderDisputeClosed,
    OrderDisputed,
    OrderExpired,
    OrderFulfilled,
    OrderHeld,
    OrderPaid,
    OrderPaidLate,
    OrderPaymentFailed,
    OrderPlaced,
    OrderProcessing,
    OrderRefunded,
    OrderReleased,
)
from protocol.money import Money
from shared.clock import unix_ms

PlainFact = (
    OrderPlaced
    | OrderProcessing
    | OrderPaymentFailed
    | OrderPaid
    | OrderPaidLate
    | OrderFulfilled
    | OrderCanceled
    | OrderExpired
    | OrderRefunded
    | OrderDisputed
    | OrderHeld
    | OrderReleased
    | OrderDeliveryChanged
)

FACTS: Final[Mapping[FactName, type[PlainFact | OrderDisputeClosed]]] = {
    "order_placed": OrderPlaced,
    "order_processing": OrderProcessing,
    "order_payment_failed": OrderPaymentFailed,
    "order_paid": OrderPaid,
    "order_paid_late": OrderPaidLate,
    "order_fulfilled": OrderFulfilled,
    "order_canceled": OrderCanceled,
    "order_expired": OrderExpired,
    "order_refunded": OrderRefunded,
    "order_disputed": OrderDisputed,
    "order_dispute_closed": OrderDisputeClosed,
    "order_held": OrderHeld,
    "order_released": OrderReleased,
    "order_delivery_changed": OrderDeliveryChanged,
}


def fact_of(step: Step, at: datetime) -> Event:
    """Return the event that tells of a step."""
    shown, at_ms = show(step.after), unix_ms(at)
    kind = FACTS[step.fact]
    if issubclass(kind, OrderDisputeClosed):
        return kind(order=shown, won=step.after.dispute == "won", at_ms=at_ms)
    return kind(order=shown, at_ms=at_ms)


def show(order: Order) -> views.Order:
    """Return the order as its buyer sees it."""

    def money(amount_minor: int) -> Money:
        return Money(amount_minor=amount_minor, currency=order.currency)

    def if_any(amount_minor: int) -> Money | None:
        return money(amount_minor) if amount_minor else None

    discount, tax = order.discount_minor, order.tax_minor
    return views.Order(
        id=order.id,
        number=order.number,
        version=order.version,
        state=order.state,
        buyer=order.buyer_id,
        lines=[_show_line(line) for line in order.lines],
        total=money(order.total_minor),
        placed_at_ms=unix_ms(order.placed_at),
        subtotal=money(order.subtotal_minor) if discount or tax else None,
        discount=if_any(discount),
        tax=if_any(tax),
        taxes=list(order.taxes),
        captured=if_any(order.captured_minor),
        refunded=if_any(order.refunded_minor),
        payment=order.payment,
        delivery=order.delivery,
        disputed=order.is_disputed,
        held=order.held,
        pay_until_ms=None if order.pay_until is None else unix_ms(order.pay_until),
        subscription=order.subscription_id,
    )


def _show_line(line: OrderLine) -> views.OrderLine:
    def money(amount_minor: int) -> Money:
        return Money(amount_minor=amount_minor, currency=line.currency)

    def if_any(amount_minor: int) -> Money | None:
        return money(amount_minor) if amount_minor else None

    return views.OrderLine(
        id=line.id,
        variant=line.variant_id,
        product=line.product_id,
        title=line.title,
        quantity=line.quantity,
        unit_price=money(line.unit_price_minor),
        total=money(line.total_minor),
        discount=if_any(line.discount_minor),
        tax=if_any(line.tax_minor),
        refunded=if_any(line.refunded_minor),
    )
