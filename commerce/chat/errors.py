"""What can go wrong in chat, on purpose."""

from protocol.commands import MESSAGE_TEXT_BYTES_MAX
from protocol.ids import MessageId, RoomId, UserId
from shared.errors import ExpectedError


class RoomNotFoundError(ExpectedError):
    """No such room, or a private one of others: the two cannot be told apart."""

    code = "room_not_found"
    http_status = 404

    def __init__(self, room_id: RoomId) -> None:
        super().__init__(f"There is no room {room_id} that you may enter.")


class MessageNotFoundError(ExpectedError):
    """No such message in that room."""

    code = "message_not_found"
    http_status = 404

    def __init__(self, message_id: MessageId) -> None:
        super().__init__(f"There is no message {message_id} in this room.")


class MemberNotFoundError(ExpectedError):
    """That user is not in the room."""

    code = "member_not_found"
    http_status = 404

    def __init__(self, user_id: UserId) -> None:
        super().__init__(f"{user_id} is not a member of this room.")


class NotAMemberError(ExpectedError):
    """Only members may do this in a public room."""

    code = "not_a_member"
    http_status = 403

    def __init__(self, room_id: RoomId) -> None:
        super().__init__(f"Join room {room_id} first; only its members may do this.")


class NotYourMessageError(ExpectedError):
    """The message is somebody else's."""

    code = "not_your_message"
    http_status = 403

    def __init__(self, message_id: MessageId) -> None:
        super().__init__(
            f"Message {message_id} is not yours: only its author may change it, and only its "
            "author or a moderator take it back."
        )


class RoomForbiddenError(ExpectedError):
    """The member's role in the room is too low."""

    code = "room_forbidden"
    http_status = 403


class MessageDeletedError(ExpectedError):
    """A message that was taken back cannot be changed."""

    code = "message_deleted"
    http_status = 409

    def __init__(self, message_id: MessageId) -> None:
        super().__init__(f"Message {message_id} was taken back and cannot be changed any more.")


class BlankMessageError(ExpectedError):
    """The text has nothing to read in it."""

    code = "blank_message"
    http_status = 422

    def __init__(self) -> None:
        super().__init__("A message needs at least one visible character.")


class MessageTooLongError(ExpectedError):
    """The text is longer than a message may be."""

    code = "message_too_long"
    http_status = 422

    def __init__(self, text_bytes: int) -> None:
        super().__init__(
            f"A message has at most {MESSAGE_TEXT_BYTES_MAX} bytes of UTF-8; this has {text_bytes}."
        )


class InvalidRoomError(ExpectedError):
    """A room of that kind is not made like this."""

    code = "invalid_room"
    http_status = 422


class UnknownUserError(ExpectedError):
    """Somebody who was named does not exist."""

    code = "unknown_user"
    http_status = 422

    def __init__(self, user_id: UserId) -> None:
        super().__init__(f"There is no user {user_id}.")


class FixedMembersError(ExpectedError):
    """The members of a direct room stay the two they are."""

    code = "fixed_members"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("A direct room always has its two members.")


class RoomFullError(ExpectedError):
    """The room has as many members as it may have."""

    code = "room_full"
    http_status = 409

    def __init__(self, *, members_max: int) -> None:
        super().__init__(f"A group has at most {members_max} members.")


class TooManyRoomsError(ExpectedError):
    """The user is in as many rooms as one may join."""

    code = "too_many_rooms"
    http_status = 409

    def __init__(self, *, rooms_max: int) -> None:
        super().__init__(f"You may join at most {rooms_max} rooms; leave one first.")
