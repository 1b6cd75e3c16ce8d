"""Things as clients see them: what events and REST answers carry.

Every view of something that changes has a `version`: a client keeps the highest it has seen, so a
late frame never shows an older truth.
"""

from typing import Literal

import msgspec

from protocol.ids import (
    CartId,
    ExportId,
    FileId,
    GrantId,
    InvoiceId,
    LicenseId,
    MessageId,
    NotificationId,
    OrderId,
    OrderLineId,
    PaymentId,
    PlanId,
    ProductId,
    RefundId,
    RoomId,
    SubscriptionId,
    UserId,
    VariantId,
)
from protocol.money import Money


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user, as others see them."""

    id: UserId
    name: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A pointer from a message to a product (`prd_…`) or an order (`ord_…`).

    It carries no price and no stock: each reader asks for those (`GET /v1/cards`), and is told
    what they may see.
    """

    ref: str


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a message, by its id."""

    id: FileId


class Reaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many people reacted with one emoji. `mine` is only told to a reader, never in events."""

    emoji: str
    count: int
    mine: bool = False


class Reactions(msgspec.Struct, frozen=True, kw_only=True):
    """All reactions to a message. `version` grows with each change, by itself."""

    version: int
    items: list[Reaction]


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of a room.

    `seq` numbers the messages of the room from 1, without gaps. `version` starts at 1 and grows
    with each edit and with deletion. `text` is plain text; a deleted message has none. `key` is
    the author's command key, by which the author's client recognises its own message.
    `reactions` have a version of their own: of two states of a message take the text of the higher
    `version` and the reactions of theirs. `mentions` are the people named in the text.
    """

    id: MessageId
    room: RoomId
    seq: int
    version: int
    author: Person
    text: str
    sent_at_ms: int
    key: str | None = None
    reply_to: MessageId | None = None
    edited_at_ms: int | None = None
    deleted: bool = False
    parts: list[Part] = []
    attachments: list[Attachment] = []
    mentions: list[Person] = []
    reactions: Reactions | None = None


RoomKind = Literal["product", "group", "direct", "support"]
MemberRole = Literal["owner", "moderator", "member"]


class ProductVariant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way to buy a product. No `stock` means that it cannot run out."""

    id: VariantId
    price: Money
    stock: int | None = None


class Product(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The live facts of a product: what changes while a page is open.

    `price` is the lowest of its variants'. `stock` is the number left over all variants, or absent
    when it cannot run out.
    """

    id: ProductId
    version: int
    slug: str
    title: str
    price: Money
    stock: int | None = None
    variants: list[ProductVariant] = []


class CartLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """So many of one variant."""

    variant: VariantId
    product: ProductId
    slug: str
    title: str
    quantity: int
    unit_price: Money
    total: Money
    variant_title: str = ""
    cover_url: str | None = None


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """What a user means to buy. `version` grows with every change."""

    id: CartId
    version: int
    lines: list[CartLine]
    total: Money


OrderState = Literal[
    "draft",
    "awaiting_payment",
    "processing",
    "paid",
    "fulfilled",
    "canceled",
    "expired",
    "paid_late",
    "partially_refunded",
    "refunded",
]
"""Where an order is in its life. `processing`: the money is on its way, as from a bank debit.
`paid_late`: it came after the order was given up, and goes back unless the order can be kept."""

PaymentStatus = Literal["unpaid", "processing", "paid", "partially_refunded", "refunded"]
"""What has become of the money, folded from what was captured and given back."""

DeliveryStatus = Literal["none", "pending", "delivered", "suspended", "revoked"]
"""What has become of the goods, folded from what was granted line by line."""


class TaxShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one rate comes to over a whole order. A rate of 20 % is 200 000 ppm."""

    name: str
    rate_ppm: int
    taxable: Money
    tax: Money
    is_inclusive: bool


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One bought thing, with the price it was bought at.

    `total` is what was paid for it: quantity times price, less the discount, with the tax. What is
    absent is nothing: no `discount`, no `tax`, none of it `refunded`.
    """

    id: OrderLineId
    variant: VariantId
    product: ProductId
    title: str
    quantity: int
    unit_price: Money
    total: Money
    discount: Money | None = None
    tax: Money | None = None
    refunded: Money | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order and where it stands. `version` is the number of its last event.

    `total` is what is paid: the subtotal less the discount, with the tax. `disputed` and `held` lie
    over the state: the buyer's bank asks for the money back; the shop looks at it by hand.
    """

    id: OrderId
    number: str
    version: int
    state: OrderState
    buyer: UserId
    lines: list[OrderLine]
    total: Money
    placed_at_ms: int
    subtotal: Money | None = None
    discount: Money | None = None
    tax: Money | None = None
    taxes: list[TaxShare] = []
    captured: Money | None = None
    refunded: Money | None = None
    payment: PaymentStatus = "unpaid"
    delivery: DeliveryStatus = "none"
    disputed: bool = False
    held: bool = False
    pay_until_ms: int | None = None
    subscription: SubscriptionId | None = None


PaymentState = Literal[
    "created",
    "submitting",
    "requires_method",
    "requires_action",
    "processing",
    "succeeded",
    "failed",
    "canceled",
    "unknown",
]
"""`unknown`: nobody heard the answer; it is asked for until it is known."""


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt to be paid for an order. An order has one at a time that is not over.

    `failure` is the bank's reason in Stripe's words, such as `card_declined`.
    """

    id: PaymentId
    version: int
    order: OrderId
    state: PaymentState
    amount: Money
    failure: str | None = None


RefundState = Literal["reserved", "submitting", "pending", "succeeded", "failed", "canceled"]


class Refund(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money on its way back to a buyer."""

    id: RefundId
    version: int
    order: OrderId
    state: RefundState
    amount: Money
    reason: str = ""


Benefit = Literal["license", "files", "access"]
GrantState = Literal["pending", "granted", "suspended", "revoked"]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer has by one line of an order, of one kind."""

    id: GrantId
    version: int
    order: OrderId
    line: OrderLineId
    product: ProductId
    benefit: Benefit
    state: GrantState


InvoiceKind = Literal["invoice", "credit_note"]


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """A paper of the books. It never changes once it has its number."""

    id: InvoiceId
    number: str
    kind: InvoiceKind
    order: OrderId
    total: Money
    issued_at_ms: int


SubscriptionState = Literal[
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "unpaid",
    "paused",
    "canceled",
]


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plan somebody pays for again and again.

    `order` waits for its money; after `failures` tries it is tried again at `next_try_at_ms`.
    `credit` is taken off what is charged next.
    """

    id: SubscriptionId
    version: int
    plan: PlanId
    title: str
    state: SubscriptionState
    price: Money
    period_ends_at_ms: int
    cancels_at_period_end: bool = False
    next_plan: PlanId | None = None
    order: OrderId | None = None
    failures: int = 0
    next_try_at_ms: int | None = None
    resumes_at_ms: int | None = None
    credit: Money | None = None


ExportState = Literal["waiting", "running", "ready", "failed", "canceled"]


class Export(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file being written of what is in the books."""

    id: ExportId
    version: int
    title: str
    state: ExportState
    rows_done: int
    rows_expected: int | None = None
    size_bytes: int | None = None


LicenseState = Literal["granted", "suspended", "revoked"]


class License(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The right to use a product on so many machines.

    The key itself is never told here, only its last characters; its holder reads it by REST. A
    licence whose time is over keeps its state: compare `expires_at_ms` with the server's time.
    """

    id: LicenseId
    version: int
    product: ProductId
    title: str
    order: OrderId
    state: LicenseState
    key_ending: str
    machines_active: int
    machines_max: int
    issued_at_ms: int
    expires_at_ms: int | None = None


class Notification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something a user is told."""

    id: NotificationId
    category: str
    title: str
    created_at_ms: int
    body: str = ""
    link: str | None = None
    read: bool = False
