"""What notifications hear: the stream of other services, fulfilled orders, mentions in rooms."""

from typing import Final

from commerce.foundation.database import Transaction
from commerce.foundation.inbox import MalformedMessageError, StreamMessage, Subscription
from commerce.foundation.reactions import Reaction
from commerce.notifications import service
from commerce.notifications.errors import MalformedNotificationError
from commerce.notifications.model import Draft, parse_draft, shortened
from protocol.events import Mentioned, OrderFulfilled
from protocol.stream_names import (
    NOTIFICATION_DEAD_STREAM,
    NOTIFICATION_GROUP,
    NOTIFICATION_STREAM,
)


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


REACTIONS: Final = (
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
