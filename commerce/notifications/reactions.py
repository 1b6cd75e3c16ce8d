"""What notifications hear: other services' stream, orders and their money, mentions in rooms."""

from collections.abc import Mapping
from typing import Final

import msgspec

from commerce.foundation.database import Transaction
from commerce.foundation.inbox import MalformedMessageError, StreamMessage, Subscription
from commerce.foundation.reactions import Reaction
from commerce.notifications import service
from commerce.notifications.errors import MalformedNotificationError
from commerce.notifications.model import Draft, parse_draft, shortened
from commerce.subscriptions import service as subscriptions
from protocol.events import (
    Mentioned,
    OrderDisputeClosed,
    OrderDisputed,
    OrderFulfilled,
    OrderPaid,
    OrderPaidLate,
    OrderPaymentFailed,
    OrderRefunded,
    SubscriptionChanged,
)
from protocol.money import Money, written
from protocol.stream_names import (
    NOTIFICATION_DEAD_STREAM,
    NOTIFICATION_GROUP,
    NOTIFICATION_STREAM,
)
from protocol.views import Order, SubscriptionState


async def take_in(tx: Transaction, message: StreamMessage) -> None:
    """Tell a user what another service wants them to know."""
    try:
        await service.notify(tx, parse_draft(message.fields))
    except MalformedNotificationError as error:
        raise MalformedMessageError(str(error)) from error


async def tell_the_buyer(tx: Transaction, event: OrderFulfilled) -> None:
    """Tell the buyer that an order is theirs to enjoy."""
    order = event.order
    draft = Draft(
        user=order.buyer,
        title=f"Order {order.number} is ready",
        body="Everything you ordered is yours now.",
        link=f"/orders/{order.id}",
        category="orders",
        key=f"order_fulfilled:{order.id}",
    )
    await service.notify(tx, draft)


async def tell_who_is_mentioned(tx: Transaction, event: Mentioned) -> None:
    """Tell somebody that a message names them, once however often it is edited."""
    draft = Draft(
        user=event.user,
        title=shortened(f"{event.author.name} mentioned you in {event.room_title}"),
        body=event.text,
        link=f"/rooms/{event.room}",
        category="mentions",
        key=f"mentioned:{event.message}",
    )
    await service.notify(tx, draft)


async def tell_of_paying(tx: Transaction, event: OrderPaid) -> None:
    """Tell the buyer that their money came."""
    total = event.order.total
    if total.amount_minor:
        draft = _of_order(event.order, title="is paid", key="paid")
        body = f"We have received {_amount(total)}. The invoice is on the order's page."
        await service.notify(tx, msgspec.structs.replace(draft, body=body))


async def tell_of_failing(tx: Transaction, event: OrderPaymentFailed) -> None:
    """Tell the buyer that a payment failed; those of subscriptions are told of as such."""
    if event.order.subscription is None:
        draft = _of_order(event.order, title="could not be paid", key=f"failed:{event.at_ms}")
        body = "Your bank said no. You can pay again on the order's page."
        await service.notify(tx, msgspec.structs.replace(draft, body=body))


async def tell_of_late_money(tx: Transaction, event: OrderPaidLate) -> None:
    """Tell the buyer that money came too late, and goes back."""
    draft = _of_order(event.order, title="was paid too late", key="paid_late")
    body = "It had been given up by then. Your money is on its way back."
    await service.notify(tx, msgspec.structs.replace(draft, body=body))


async def tell_of_refund(tx: Transaction, event: OrderRefunded) -> None:
    """Tell the buyer how much of an order was given back by now."""
    refunded = event.order.refunded
    if refunded is not None:
        draft = _of_order(
            event.order, title="was refunded", key=f"refunded:{refunded.amount_minor}"
        )
        body = f"{_amount(refunded)} of {_amount(event.order.total)} went back to you."
        await service.notify(tx, msgspec.structs.replace(draft, body=body))


async def tell_of_dispute(tx: Transaction, event: OrderDisputed) -> None:
    """Tell the buyer what their bank's question means."""
    draft = _of_order(event.order, title="is disputed", key=f"disputed:{event.at_ms}")
    body = "Your bank asks for the money back. Until it decides, what you bought is suspended."
    await service.notify(tx, msgspec.structs.replace(draft, body=body))


async def tell_of_decision(tx: Transaction, event: OrderDisputeClosed) -> None:
    """Tell the buyer that the bank has decided."""
    draft = _of_order(event.order, title="is no longer disputed", key=f"decided:{event.at_ms}")
    body = "The payment stands." if event.won else "Your bank gave you the money back."
    await service.notify(tx, msgspec.structs.replace(draft, body=f"Your bank has decided. {body}"))


async def tell_of_subscription(tx: Transaction, event: SubscriptionChanged) -> None:
    """Tell a subscriber what needs them, and what ends: each try that failed, and each end."""
    sub = event.subscription
    told = _SUBSCRIPTION_TOLD.get(sub.state)
    if told is None:
        return
    title, body = told
    draft = Draft(
        user=await subscriptions.holder(tx, sub.id),
        title=shortened(f"{sub.title} {title}"),
        body=body,
        link="/subscriptions",
        category="subscriptions",
        key=f"subscription:{sub.id}:{sub.state}:{sub.period_ends_at_ms}:{sub.failures}",
    )
    await service.notify(tx, draft)


def _of_order(order: Order, *, title: str, key: str) -> Draft:
    return Draft(
        user=order.buyer,
        title=f"Order {order.number} {title}",
        link=f"/orders/{order.id}",
        category="payments",
        key=f"order:{order.id}:{key}",
    )


def _amount(money: Money) -> str:
    return f"{written(money.amount_minor, money.currency)} {money.currency}"


_SUBSCRIPTION_TOLD: Final[Mapping[SubscriptionState, tuple[str, str]]] = {
    "trialing": ("is yours to try", "It is charged when the trial is over, unless you end it."),
    "past_due": (
        "could not be charged",
        "We will try again in some days. You can pay now, or choose another way to pay.",
    ),
    "unpaid": (
        "is stopped",
        "None of our tries was paid. Pay what is open, and it goes on at once.",
    ),
    "canceled": ("has ended", "Nothing more will be charged."),
}


REACTIONS: Final = (
    Reaction(name="notifications.order_paid", event=OrderPaid, run=tell_of_paying),
    Reaction(name="notifications.payment_failed", event=OrderPaymentFailed, run=tell_of_failing),
    Reaction(name="notifications.paid_late", event=OrderPaidLate, run=tell_of_late_money),
    Reaction(name="notifications.order_refunded", event=OrderRefunded, run=tell_of_refund),
    Reaction(name="notifications.order_disputed", event=OrderDisputed, run=tell_of_dispute),
    Reaction(name="notifications.dispute_closed", event=OrderDisputeClosed, run=tell_of_decision),
    Reaction(
        name="notifications.subscription", event=SubscriptionChanged, run=tell_of_subscription
    ),
    Reaction(name="notifications.order_fulfilled", event=OrderFulfilled, run=tell_the_buyer),
    Reaction(name="notifications.mentioned", event=Mentioned, run=tell_who_is_mentioned),
)

SUBSCRIPTIONS: Final = (
    Subscription(
        stream=NOTIFICATION_STREAM,
        group=NOTIFICATION_GROUP,
        dead_stream=NOTIFICATION_DEAD_STREAM,
        handle=take_in,
        key_scope="user",
    ),
)
