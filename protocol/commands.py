"""What a client may ask commerce to do.

A command travels with the client's key (see `CommandKey`). It is answered twice: `accepted` when
it is durable in the command stream, then `command_committed` or `command_rejected` on the user's
own topic once commerce's transaction has ended.
"""

from typing import Annotated, Final

import msgspec

from protocol.ids import ID_PATTERN, MessageId, OrderId, RoomId, VariantId

MESSAGE_TEXT_BYTES_MAX: Final = 4096
"""UTF-8 bytes of one chat message. A text of this many characters may still be too long."""

CART_LINE_QUANTITY_MAX: Final = 99

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MESSAGE_TEXT_BYTES_MAX)]
_RoomId = Annotated[RoomId, msgspec.Meta(pattern=ID_PATTERN)]
_MessageId = Annotated[MessageId, msgspec.Meta(pattern=ID_PATTERN)]
_VariantId = Annotated[VariantId, msgspec.Meta(pattern=ID_PATTERN)]
_OrderId = Annotated[OrderId, msgspec.Meta(pattern=ID_PATTERN)]
_Version = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything a client may ask for."""


class SendMessage(Command, frozen=True, kw_only=True, tag="send_message"):
    """Say something in a room."""

    room: _RoomId
    text: _Text
    reply_to: _MessageId | None = None


class EditMessage(Command, frozen=True, kw_only=True, tag="edit_message"):
    """Change the text of one's own message."""

    room: _RoomId
    message: _MessageId
    text: _Text


class DeleteMessage(Command, frozen=True, kw_only=True, tag="delete_message"):
    """Take a message back: one's own, or any as a moderator."""

    room: _RoomId
    message: _MessageId


class JoinRoom(Command, frozen=True, kw_only=True, tag="join_room"):
    """Become a member of a public room."""

    room: _RoomId


class LeaveRoom(Command, frozen=True, kw_only=True, tag="leave_room"):
    """Stop being a member of a room."""

    room: _RoomId


class MarkRead(Command, frozen=True, kw_only=True, tag="mark_read"):
    """Say that everything up to and with message number `seq` was read. Never goes back."""

    room: _RoomId
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class SetCartLine(Command, frozen=True, kw_only=True, tag="set_cart_line"):
    """Have exactly `quantity` of a variant in the cart; 0 takes it out.

    With `version`, only if the cart is still at that version.
    """

    variant: _VariantId
    quantity: Annotated[int, msgspec.Meta(ge=0, le=CART_LINE_QUANTITY_MAX)]
    version: _Version | None = None


class PlaceOrder(Command, frozen=True, kw_only=True, tag="place_order"):
    """Order what is in the cart, which must still be at `cart_version`."""

    cart_version: _Version


class CancelOrder(Command, frozen=True, kw_only=True, tag="cancel_order"):
    """Give up an order that is not paid."""

    order: _OrderId


AnyCommand = (
    SendMessage
    | EditMessage
    | DeleteMessage
    | JoinRoom
    | LeaveRoom
    | MarkRead
    | SetCartLine
    | PlaceOrder
    | CancelOrder
)


class CommandResult(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What a committed command made, where the client cannot know it beforehand."""


class MessageResult(CommandResult, frozen=True, kw_only=True, tag="message"):
    """The message that was sent, edited or deleted."""

    message: MessageId
    seq: int
    version: int


class CartResult(CommandResult, frozen=True, kw_only=True, tag="cart"):
    """The version the cart now has."""

    version: int


class OrderResult(CommandResult, frozen=True, kw_only=True, tag="order"):
    """The order that was placed or canceled."""

    order: OrderId
    number: str
    version: int


AnyCommandResult = MessageResult | CartResult | OrderResult
