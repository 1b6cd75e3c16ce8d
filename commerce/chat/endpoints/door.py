"""The door of chat, and what all who come through it say."""

from typing import Any, Final

from commerce.accounts.model import STAFF_ROLE
from commerce.foundation.http import Call, Door
from protocol.ids import RoomId, UserId

door: Final = Door("chat")


def reader_of(call: Call[Any, Any]) -> UserId | None:
    """Return who reads; None is a visitor who is not signed in."""
    return None if call.principal_or_none is None else call.principal_or_none.user


def is_staff(call: Call[Any, Any]) -> bool:
    """Say whether who asks was staff when they signed in; only for showing what they may do."""
    return call.principal_or_none is not None and STAFF_ROLE in call.principal_or_none.roles


def room_of(call: Call[Any, Any]) -> RoomId:
    """Return the room in the path."""
    return RoomId(call.path["room"])


def user_of(call: Call[Any, Any]) -> UserId:
    """Return the user in the path."""
    return UserId(call.path["user"])
