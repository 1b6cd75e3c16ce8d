"""What a client may ask commerce to do.

A command travels with the client's key (see `CommandKey`). It is answered twice: `accepted` when
it is durable in the command stream, then `command_committed` or `command_rejected` on the user's
own topic once commerce's transaction has ended.
"""

from typing import Annotated, Final

import msgspec

from protocol.ids import ID_PATTERN, FileId, MessageId, OrderId, RoomId, UserId, VariantId

MESSAGE_TEXT_BYTES_MAX: Final = 4096
"""UTF-8 bytes of one chat message. A text of this many characters may still be too long."""

MESSAGE_PARTS_MAX: Final = 5
MESSAGE_ATTACHMENTS_MAX: Final = 10
MESSAGE_MENTIONS_MAX: Final = 10
"""People one message may name: each of them is told of it."""

EMOJI_CHARS_MAX: Final = 16
"""Code points of one emoji: families and flags are made of many."""

CART_LINE_QUANTITY_MAX: Final = 99

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MESSAGE_TEXT_BYTES_MAX)]
_RoomId = Annotated[RoomId, msgspec.Meta(pattern=ID_PATTERN)]
_MessageId = Annotated[MessageId, msgspec.Meta(pattern=ID_PATTERN)]
_VariantId = Annotated[VariantId, msgspec.Meta(pattern=ID_PATTERN)]
_OrderId = Annotated[OrderId, msgspec.Meta(pattern=ID_PATTERN)]
_UserId = Annotated[UserId, msgspec.Meta(pattern=r"^usr_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
_FileId = Annotated[FileId, msgspec.Meta(pattern=r"^fil_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
_PartRef = Annotated[str, msgspec.Meta(pattern=r"^(prd|ord)_[0-9A-HJKMNP-TV-Z]{26}$(?!\n)")]
_Emoji = Annotated[str, msgspec.Meta(min_length=1, max_length=EMOJI_CHARS_MAX)]
_Version = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything a client may ask for."""


class SendMessage(Command, frozen=True, kw_only=True, tag="send_message"):
    """Say something in a room.

    `parts` are products (`prd_…`) and orders (`ord_…`) the message points at, `attachments` files.
    Who is named in the text by `@name` is mentioned; `mentions` names people by id besides.
    """

    room: _RoomId
    text: _Text
    reply_to: _MessageId | None = None
    parts: Annotated[list[_PartRef], msgspec.Meta(max_length=MESSAGE_PARTS_MAX)] = []
    attachments: Annotated[list[_FileId], msgspec.Meta(max_length=MESSAGE_ATTACHMENTS_MAX)] = []
    mentions: Annotated[list[_UserId], msgspec.Meta(max_length=MESSAGE_MENTIONS_MAX)] = []


class EditMessage(Command, frozen=True, kw_only=True, tag="edit_message"):
    """Change the text of one's own message; with `version`, only if it still has that version."""

    room: _RoomId
    message: _MessageId
    text: _Text
    version: _Version | None = None
    mentions: Annotated[list[_UserId], msgspec.Meta(max_length=MESSAGE_MENTIONS_MAX)] = []


class DeleteMessage(Command, frozen=True, kw_only=True, tag="delete_message"):
    """Take a message back: one's own, or any as a moderator."""

    room: _RoomId
    message: _MessageId


class SetReaction(Command, frozen=True, kw_only=True, tag="set_reaction"):
    """React to a message with an emoji, or no longer."""

    room: _RoomId
    message: _MessageId
    emoji: _Emoji
    on: bool


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
    | SetReaction
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


class ReactionResult(CommandResult, frozen=True, kw_only=True, tag="reaction"):
    """The version the reactions of the message now have."""

    message: MessageId
    reactions_version: int


class CartResult(CommandResult, frozen=True, kw_only=True, tag="cart"):
    """The version the cart now has."""

    version: int


class OrderResult(CommandResult, frozen=True, kw_only=True, tag="order"):
    """The order that was placed or canceled."""

    order: OrderId
    number: str
    version: int


AnyCommandResult = MessageResult | CartResult | OrderResult | ReactionResult
