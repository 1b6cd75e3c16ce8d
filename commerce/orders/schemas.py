"""Orders over HTTP; an order itself looks as `protocol.views.Order` says."""

from typing import Annotated

import msgspec

from commerce.orders.model import CODES_MAX, Offered, Order, OrderEvent, show
from commerce.taxes.model import COUNTRY_PATTERN
from protocol import views
from protocol.ids import ID_PATTERN, OrderId, ProductId, QuoteId, RoomId, VariantId
from protocol.money import CurrencyCode, Money
from protocol.views import OrderState
from shared.clock import unix_ms

_Version = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class NewQuote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask what the cart, which must still be at this version, comes to for somebody in a country.

    Without a currency it is the cart's own.
    """

    cart_version: _Version
    country: Annotated[str, msgspec.Meta(pattern=COUNTRY_PATTERN)]
    currency: CurrencyCode | None = None
    codes: Annotated[list[_Code], msgspec.Meta(max_length=CODES_MAX)] = []


class QuotedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one variant comes to: quantity times price, less the discount, with the tax."""

    variant: VariantId
    product: ProductId
    title: str
    quantity: int
    unit_price: Money
    discount: Money
    tax: Money
    total: Money


class QuoteView(msgspec.Struct, frozen=True, kw_only=True):
    """What the cart comes to, until `expires_at_ms`. `order` is what was made of it.

    `owned` are products in it that the buyer has bought before: ask before selling them again.
    """

    id: QuoteId
    cart_version: int
    country: str
    codes: list[str]
    lines: list[QuotedLine]
    subtotal: Money
    discount: Money
    tax: Money
    total: Money
    taxes: list[views.TaxShare]
    expires_at_ms: int
    owned: list[ProductId]
    order: OrderId | None


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Order what a quote says, or else the cart, which must still be at this version.

    What the buyer has already is refused, unless they `confirm_repeat`.
    """

    quote: Annotated[QuoteId, msgspec.Meta(pattern=ID_PATTERN)] | None = None
    cart_version: _Version | None = None
    confirm_repeat: bool = False


class NewPayment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pay with a method one keeps, or give one in the browser; `save` keeps that one."""

    method: Annotated[str, msgspec.Meta(pattern=r"^pm_\w{1,250}$")] | None = None
    save: bool = False


class PaymentBegun(msgspec.Struct, frozen=True, kw_only=True):
    """How the payment of an order stands, and how the browser goes on.

    Stripe.js goes on with the `client_secret`; where there is a `pay_url`, the buyer pays on that
    page instead: add `return_url` to it. Neither is needed once the payment is over.
    """

    order: views.Order
    payment: views.Payment
    client_secret: str | None
    pay_url: str | None


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

    after_version: _Version = 0


class OrderedAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of orders goes on."""

    id: Annotated[OrderId, msgspec.Meta(pattern=ID_PATTERN)]


def view_quote(offered: Offered) -> QuoteView:
    """Show a quote to whom it was given."""
    quote, basket = offered.quote, offered.quote.basket

    def money(amount_minor: int) -> Money:
        return Money(amount_minor=amount_minor, currency=basket.currency)

    return QuoteView(
        id=quote.id,
        cart_version=quote.cart_version,
        country=quote.country,
        codes=list(quote.codes),
        lines=[
            QuotedLine(
                variant=line.variant,
                product=line.product,
                title=line.title,
                quantity=line.quantity,
                unit_price=money(line.unit_price_minor),
                discount=money(line.discount_minor),
                tax=money(line.tax_minor),
                total=money(line.total_minor),
            )
            for line in basket.lines
        ],
        subtotal=money(basket.subtotal_minor),
        discount=money(basket.discount_minor),
        tax=money(basket.tax_minor),
        total=money(basket.total_minor),
        taxes=list(basket.taxes),
        expires_at_ms=unix_ms(quote.expires_at),
        owned=list(offered.owned),
        order=quote.order_id,
    )


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
