"""Facts about notifications, told on the user's topic."""

from protocol.events.event import Event
from protocol.ids import NotificationId
from protocol.views import Notification


class NotificationReceived(Event, frozen=True, kw_only=True, tag="notification_received"):
    """The user was told something new; `unread` counts it too."""

    notification: Notification
    unread: int


class NotificationsRead(Event, frozen=True, kw_only=True, tag="notifications_read"):
    """The user has read every notification up to and with `up_to`."""

    up_to: NotificationId
    unread: int
