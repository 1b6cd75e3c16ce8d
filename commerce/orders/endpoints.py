"""The HTTP door of orders."""

from typing import Final

from commerce.cart.errors import (
    CartChangedMeanwhileError,
    CartEmptyError,
    NotForSaleError,
    PricesChangedError,
)
from commerce.catalog.errors import OutOfStockError
from commerce.discounts.errors import (
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    UnknownCodeError,
)
from commerce.foundation.errors import (
    InvalidRequestError,
    PaymentsClosedError,
    StripeUnheardError,
)
from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from commerce.orders import service
from commerce.orders.errors import (
    AlreadyOwnedError,
    IllegalTransitionError,
    NotPayableError,
    OrderNotFoundError,
    PaymentUnderWayError,
    QuoteExpiredError,
    QuoteNotFoundError,
    QuoteOutdatedError,
)
from commerce.orders.model import show
from commerce.orders.ports import Till
from commerce.orders.schemas import (
    HistoryQuery,
    NewOrder,
    NewPayment,
    NewQuote,
    OrderedAfter,
    OrderHistory,
    PaymentBegun,
    QuoteView,
    SupportRoom,
    view_history,
    view_quote,
)
from commerce.payments.errors import PaymentMethodNotFoundError
from commerce.payments.model import show as show_payment
from commerce.pricing.errors import DiscountDoesNotApplyError, NotSoldInCurrencyError
from protocol.ids import OrderId, PaymentId, QuoteId
from protocol.views import Order, Person

door: Final = Door("orders")


_PRICING_ERRORS: Final = (
    DiscountDoesNotApplyError,
    DiscountUsedBeforeError,
    DiscountUsedUpError,
    NotSoldInCurrencyError,
    UnknownCodeError,
)
_CART_ERRORS: Final = (
    CartChangedMeanwhileError,
    CartEmptyError,
    NotForSaleError,
    OutOfStockError,
    PricesChangedError,
)


@door.api(
    "POST",
    "/v1/quotes",
    body=NewQuote,
    out=QuoteView,
    status=201,
    errors=(CartChangedMeanwhileError, CartEmptyError, *_PRICING_ERRORS),
)
async def ask_for_quote(call: Call[NewQuote, None]) -> QuoteView:
    """Say what the cart comes to, with discounts and taxes, and promise it for half an hour."""
    asked = call.body
    async with call.database.transaction() as tx:
        offered = await service.quote(
            tx,
            call.principal.user,
            cart_version=asked.cart_version,
            country=asked.country,
            currency=asked.currency,
            codes=tuple(asked.codes),
        )
    return view_quote(offered)


@door.api("GET", "/v1/quotes/{quote}", out=QuoteView, errors=(QuoteNotFoundError,))
async def show_quote(call: Call[None, None]) -> QuoteView:
    """Show a quote as it was given, and which order was made of it."""
    async with call.database.transaction() as tx:
        return view_quote(
            await service.quoted(tx, call.principal.user, QuoteId(call.path["quote"]))
        )


@door.api(
    "POST",
    "/v1/orders",
    body=NewOrder,
    out=Order,
    status=201,
    errors=(
        AlreadyOwnedError,
        *_CART_ERRORS,
        *_PRICING_ERRORS,
        QuoteExpiredError,
        QuoteNotFoundError,
        QuoteOutdatedError,
    ),
)
async def place(call: Call[NewOrder, None]) -> Order:
    """Order what was quoted, or what is in the cart; a free order is paid at once.

    The same quote again is the same order.
    """
    buyer, asked = call.principal.user, call.body
    async with call.database.transaction() as tx:
        if asked.quote is not None and asked.cart_version is None:
            again = asked.confirm_repeat
            return show(await service.confirm(tx, buyer, asked.quote, confirm_repeat=again))
        if asked.cart_version is not None and asked.quote is None:
            version, again = asked.cart_version, asked.confirm_repeat
            return show(await service.place(tx, buyer, cart_version=version, confirm_repeat=again))
    raise InvalidRequestError("Say either `quote` or `cart_version`.")


@door.api("GET", "/v1/orders", query=PageQuery, out=Page[Order])
async def mine(call: Call[None, PageQuery]) -> Page[Order]:
    """List one's orders, the newest first."""
    query = call.query
    after = None if query.after is None else decode_cursor(OrderedAfter, query.after).id
    async with call.database.transaction() as tx:
        found = await service.of_buyer(tx, call.principal.user, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda order: OrderedAfter(id=order.id))
    return Page(items=[show(order) for order in page.items], next=page.next)


@door.api(
    "GET",
    "/v1/orders/{order}",
    query=HistoryQuery,
    out=OrderHistory,
    errors=(OrderNotFoundError,),
)
async def history(call: Call[None, HistoryQuery]) -> OrderHistory:
    """Show one of one's orders with every step it took, or those after a version."""
    async with call.database.transaction() as tx:
        order, events = await service.history(
            tx,
            call.principal.user,
            OrderId(call.path["order"]),
            after_version=call.query.after_version,
        )
    return view_history(order, events)


@door.api(
    "POST",
    "/v1/orders/{order}/payments",
    body=NewPayment,
    out=PaymentBegun,
    status=201,
    errors=(
        NotPayableError,
        OrderNotFoundError,
        PaymentMethodNotFoundError,
        PaymentsClosedError,
        StripeUnheardError,
    ),
    idempotency="required",
    calls_outside=True,
)
async def pay(call: Call[NewPayment, None]) -> PaymentBegun:
    """Begin to pay an order, or go on with the payment there is: an order has one at a time."""
    till, asked = call.service(Till), call.body
    begun = await service.pay(
        call.database,
        till.gateway,
        service.PayRequest(
            buyer=call.principal.user,
            order=OrderId(call.path["order"]),
            run=call.header("idempotency-key") or "",
            method=asked.method,
            saves_method=asked.save,
            opened=_opened(call),
        ),
        reached=call.reached,
    )
    return _begun(begun, till)


@door.api(
    "POST",
    "/v1/orders/{order}/cancel",
    out=Order,
    errors=(OrderNotFoundError, IllegalTransitionError, PaymentUnderWayError),
    calls_outside=True,
)
async def cancel(call: Call[None, None]) -> Order:
    """Give up an order that is not paid. If its payment was faster, it is paid: look at it."""
    order = OrderId(call.path["order"])
    gateway, buyer = call.service(Till).gateway, call.principal.user
    try:
        canceled = await service.call_off(
            call.database, gateway, order, buyer=buyer, reached=call.reached
        )
    except IllegalTransitionError:
        if call.recovery_point is None:
            raise
        async with call.database.transaction() as tx:  # It came so far already: look at it.
            canceled = await service.of(tx, order)
    return show(canceled)


@door.api("POST", "/v1/orders/{order}/support", out=SupportRoom, errors=(OrderNotFoundError,))
async def support(call: Call[None, None]) -> SupportRoom:
    """Have the one room in which the buyer and the staff talk about an order."""
    opener = Person(id=call.principal.user, name=call.principal.name)
    async with call.database.transaction() as tx:
        room = await service.support_room(tx, opener, OrderId(call.path["order"]))
    return SupportRoom(room=room)


def _opened(call: Call[NewPayment, None]) -> PaymentId | None:
    reached = call.recovery_point
    return None if reached is None else PaymentId(reached.subject or "")


def _begun(begun: service.Payable, till: Till) -> PaymentBegun:
    attempt = begun.attempt
    secret = None if attempt.is_final else attempt.client_secret
    is_open = attempt.intent_id is not None and secret is not None
    return PaymentBegun(
        order=show(begun.order),
        payment=show_payment(attempt),
        client_secret=secret,
        pay_url=till.pay_url(attempt.intent_id or "", secret or "") if is_open else None,
    )
