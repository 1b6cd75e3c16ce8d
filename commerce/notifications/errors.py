"""What can go wrong with notifications, on purpose."""

from protocol.ids import NotificationId
from shared.errors import ExpectedError


class NotificationNotFoundError(ExpectedError):
    """No such notification, or somebody else's."""

    code = "notification_not_found"
    http_status = 404

    def __init__(self, notification_id: NotificationId) -> None:
        super().__init__(f"You have no notification {notification_id}.")


class MalformedNotificationError(ExpectedError):
    """What a service sent is not what the stream's documentation asks for."""

    code = "malformed_notification"
    http_status = 422
