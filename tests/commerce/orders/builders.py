"""Orders made of nothing."""

from commerce.orders.model import Order, OrderLine
from protocol.ids import OrderId, OrderLineId, ProductId, VariantId
from tests.commerce.shop import ADA
from tests.fakes.clock import SettableClock

NOW = SettableClock().now()


def a_line(number=1, *, quantity=1, price=1900, takes_stock=False):
    return OrderLine(
        id=OrderLineId(f"lin_{number}"),
        variant_id=VariantId(f"var_{number}"),
        product_id=ProductId(f"prd_{number}"),
        title="Halden",
        quantity=quantity,
        unit_price_minor=price,
        currency="EUR",
        takes_stock=takes_stock,
    )


def an_order(*, state="draft", lines=None):
    return Order(
        id=OrderId("ord_1"),
        number="R-2026-000001",
        buyer_id=ADA,
        cart_id=None,
        state=state,
        version=0,
        currency="EUR",
        placed_at=NOW,
        lines=tuple(lines or [a_line()]),
    )
