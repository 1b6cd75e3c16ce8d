"""Notifications over HTTP."""

from typing import Annotated

import msgspec

from commerce.notifications.model import Inbox
from protocol.ids import NotificationId
from protocol.views import Notification


class Notifications(msgspec.Struct, frozen=True, kw_only=True):
    """Some notifications, newest first; `unread` counts all of the user's."""

    items: list[Notification]
    unread: int
    next: str | None = None


class ReadUpTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything up to and with this one was read."""

    up_to: Annotated[NotificationId, msgspec.Meta(pattern=r"^ntf_[0-9A-HJKMNP-TV-Z]{26}$")]


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """How many notifications are left to read."""

    unread: int


def view_unread(inbox: Inbox) -> Unread:
    """Show how many are left."""
    return Unread(unread=inbox.unread)
