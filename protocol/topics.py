"""The grammar of topic names.

A topic is a named, ordered log of events one may subscribe to. Its name is a kind and the id of
the thing it tells of: `user:usr_…`, `room:rom_…`, `product:prd_…`, `order:ord_…`.
"""

import re
from typing import Annotated, Final, Literal, NewType, cast, get_args

import msgspec

from protocol.ids import OrderId, ProductId, RoomId, UserId

Topic = NewType("Topic", str)
TopicKind = Literal["user", "room", "product", "order"]

TOPIC_PATTERN: Final = r"^(user:usr|room:rom|product:prd|order:ord)_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)"
TopicName = Annotated[str, msgspec.Meta(pattern=TOPIC_PATTERN)]
"""A topic name as accepted from outside."""

TOPIC_KINDS: Final[tuple[TopicKind, ...]] = get_args(TopicKind)

_is_topic = re.compile(TOPIC_PATTERN).fullmatch


class MalformedTopicError(ValueError):
    """The text is not the name of a topic."""


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A place in a topic: on the wire, `[epoch, offset]`.

    Offsets of one epoch start at 1 and have no gaps; offset 0 is the place before the first event.
    The epoch changes when a log is lost or rebuilt, so an offset alone never lies.
    """

    epoch: Annotated[str, msgspec.Meta(max_length=32)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


def user_topic(user_id: UserId) -> Topic:
    """Return the topic of everything that concerns one user, heard on all their devices."""
    return Topic(f"user:{user_id}")


def room_topic(room_id: RoomId) -> Topic:
    """Return the topic of one chat room."""
    return Topic(f"room:{room_id}")


def product_topic(product_id: ProductId) -> Topic:
    """Return the topic of one product's public facts: price, stock, title."""
    return Topic(f"product:{product_id}")


def order_topic(order_id: OrderId) -> Topic:
    """Return the topic of one order's life."""
    return Topic(f"order:{order_id}")


def parse_topic(text: str) -> tuple[TopicKind, str]:
    """Split a topic name into its kind and the id it names.

    Raises:
        MalformedTopicError: if `text` is not the name of a topic.
    """
    if not _is_topic(text):
        raise MalformedTopicError(f"{text[:80]!r} is not a topic name")
    kind, _, identity = text.partition(":")
    return cast("TopicKind", kind), identity
