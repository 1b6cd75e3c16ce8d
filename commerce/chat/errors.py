"""What can go wrong in chat, on purpose."""

from datetime import timedelta

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


class BannedError(ExpectedError):
    """Who was banned from a room neither comes back into it nor writes in it."""

    code = "banned"
    http_status = 403

    def __init__(self) -> None:
        super().__init__("A moderator banned you from this room.")


class UserBannedError(ExpectedError):
    """The user who is to come in was banned from the room."""

    code = "user_banned"
    http_status = 409

    def __init__(self, user_id: UserId) -> None:
        super().__init__(f"{user_id} is banned from this room; lift the ban first.")


class MutedError(ExpectedError):
    """The member may read and not write, for a while."""

    code = "muted"
    http_status = 403
    temporary = True

    def __init__(self, left: timedelta) -> None:
        self.retry_after_ms = _whole_ms(left)
        super().__init__("A moderator muted you in this room for a while.")


class SlowModeError(ExpectedError):
    """The room is slow, and the member wrote a moment ago."""

    code = "slow_mode"
    http_status = 429
    temporary = True

    def __init__(self, left: timedelta, *, slow_mode_seconds: int) -> None:
        self.retry_after_ms = _whole_ms(left)
        super().__init__(f"Everybody waits {slow_mode_seconds} s between messages in this room.")


class StaleEditError(ExpectedError):
    """The message has changed since the editor saw it."""

    code = "stale_version"
    http_status = 409

    def __init__(self, version: int) -> None:
        super().__init__(f"The message was changed meanwhile; it is at version {version} now.")


class TooManyReactionsError(ExpectedError):
    """People reacted to the message with as many different emoji as may be."""

    code = "too_many_reactions"
    http_status = 409

    def __init__(self, *, reactions_max: int) -> None:
        super().__init__(f"A message has at most {reactions_max} different reactions.")


class NotAnEmojiError(ExpectedError):
    """One reacts with exactly one emoji."""

    code = "not_an_emoji"
    http_status = 422

    def __init__(self) -> None:
        super().__init__("A reaction is exactly one emoji.")


class InvalidMuteError(ExpectedError):
    """Nobody is muted for that long."""

    code = "invalid_mute"
    http_status = 422

    def __init__(self, *, days_max: int) -> None:
        super().__init__(f"Somebody may be muted for {days_max} days at most.")


class ReportNotFoundError(ExpectedError):
    """No such open report, or not one you may settle."""

    code = "report_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("There is no such open report.")


def _whole_ms(left: timedelta) -> int:
    """Round up: who waits this long has waited enough."""
    return -(-left // timedelta(milliseconds=1))
