"""Things as clients see them: what events and REST answers carry.

Every view of something that changes has a `version`: a client keeps the highest it has seen, so a
late frame never shows an older truth.
"""

from typing import Literal

import msgspec

from protocol.ids import (
    CartId,
    FileId,
    LicenseId,
    MessageId,
    NotificationId,
    OrderId,
    OrderLineId,
    ProductId,
    RoomId,
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


OrderState = Literal["draft", "awaiting_payment", "paid", "fulfilled", "canceled", "expired"]


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One bought thing, with the price it was bought at."""

    id: OrderLineId
    variant: VariantId
    product: ProductId
    title: str
    quantity: int
    unit_price: Money
    total: Money


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order and where it stands. `version` is the number of its last event."""

    id: OrderId
    number: str
    version: int
    state: OrderState
    buyer: UserId
    lines: list[OrderLine]
    total: Money
    placed_at_ms: int


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
