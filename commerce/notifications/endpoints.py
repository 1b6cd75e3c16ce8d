"""Notifications, over HTTP."""

from typing import Final

from commerce.foundation.http import Call, Door
from commerce.foundation.pagination import PageQuery, decode_cursor, page_of
from commerce.notifications import service
from commerce.notifications.errors import NotificationNotFoundError
from commerce.notifications.model import ListedBefore
from commerce.notifications.schemas import Notifications, ReadUpTo, Unread, view_unread

door: Final = Door("notifications")


@door.api("GET", "/v1/notifications", query=PageQuery, out=Notifications)
async def list_notifications(call: Call[None, PageQuery]) -> Notifications:
    """List what one was told, newest first, and how much of it is unread."""
    query = call.query
    place = None if query.after is None else decode_cursor(ListedBefore, query.after)
    async with call.database.transaction() as tx:
        listed = await service.newest(tx, call.principal.user, before=place, limit=query.limit + 1)
    page = page_of(listed.notifications, limit=query.limit, key=lambda told: told.place)
    return Notifications(
        items=[told.view(read_seq=listed.inbox.read_seq) for told in page.items],
        unread=listed.inbox.unread,
        next=page.next,
    )


@door.api(
    "POST",
    "/v1/notifications/read",
    body=ReadUpTo,
    out=Unread,
    errors=(NotificationNotFoundError,),
)
async def read_notifications(call: Call[ReadUpTo, None]) -> Unread:
    """Say that one has read everything up to and with a notification, in every tab."""
    async with call.database.transaction() as tx:
        return view_unread(await service.mark_read(tx, call.principal.user, call.body.up_to))
