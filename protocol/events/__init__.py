"""Facts, in the past tense: what topics carry. Added to, never changed."""

from protocol.events.accounts import SessionRevoked
from protocol.events.cart import CartChanged
from protocol.events.catalog import ProductChanged
from protocol.events.chat import (
    MemberBanned,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberUnbanned,
    Mentioned,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    ReactionsChanged,
    ReadMarked,
    RoomChanged,
)
from protocol.events.commands import CommandCommitted, CommandRejected
from protocol.events.delivery import GrantChanged
from protocol.events.event import Event
from protocol.events.exports import ExportChanged
from protocol.events.invoices import InvoiceIssued
from protocol.events.licenses import LicenseChanged
from protocol.events.notifications import NotificationReceived, NotificationsRead
from protocol.events.orders import (
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
from protocol.events.payments import PaymentChanged
from protocol.events.refunds import RefundChanged
from protocol.events.subscriptions import SubscriptionChanged

AnyEvent = (
    MessageSent
    | MessageEdited
    | MessageDeleted
    | MemberJoined
    | MemberLeft
    | ReadMarked
    | ReactionsChanged
    | Mentioned
    | MemberChanged
    | MemberBanned
    | MemberUnbanned
    | RoomChanged
    | CommandCommitted
    | CommandRejected
    | CartChanged
    | OrderPlaced
    | OrderPaid
    | OrderFulfilled
    | OrderCanceled
    | OrderExpired
    | ProductChanged
    | NotificationReceived
    | NotificationsRead
    | SessionRevoked
    | LicenseChanged
    | OrderProcessing
    | OrderPaymentFailed
    | OrderPaidLate
    | OrderRefunded
    | OrderDisputed
    | OrderDisputeClosed
    | OrderHeld
    | OrderReleased
    | PaymentChanged
    | RefundChanged
    | GrantChanged
    | InvoiceIssued
    | SubscriptionChanged
    | ExportChanged
    | OrderDeliveryChanged
)

__all__ = [
    "AnyEvent",
    "CartChanged",
    "CommandCommitted",
    "CommandRejected",
    "Event",
    "ExportChanged",
    "GrantChanged",
    "InvoiceIssued",
    "LicenseChanged",
    "MemberBanned",
    "MemberChanged",
    "MemberJoined",
    "MemberLeft",
    "MemberUnbanned",
    "Mentioned",
    "MessageDeleted",
    "MessageEdited",
    "MessageSent",
    "NotificationReceived",
    "NotificationsRead",
    "OrderCanceled",
    "OrderDeliveryChanged",
    "OrderDisputeClosed",
    "OrderDisputed",
    "OrderExpired",
    "OrderFulfilled",
    "OrderHeld",
    "OrderPaid",
    "OrderPaidLate",
    "OrderPaymentFailed",
    "OrderPlaced",
    "OrderProcessing",
    "OrderRefunded",
    "OrderReleased",
    "PaymentChanged",
    "ProductChanged",
    "ReactionsChanged",
    "ReadMarked",
    "RefundChanged",
    "RoomChanged",
    "SessionRevoked",
    "SubscriptionChanged",
]
