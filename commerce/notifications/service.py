"""What the rest of commerce may ask of notifications."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from commerce.accounts import service as accounts
from commerce.foundation.database import Transaction
from commerce.notifications import repository
from commerce.notifications.errors import MalformedNotificationError, NotificationNotFoundError
from commerce.notifications.model import (
    KEPT_A_USER_MAX,
    KEPT_DAYS_MAX,
    Draft,
    Inbox,
    ListedBefore,
    Notification,
)
from protocol.events import NotificationReceived, NotificationsRead
from protocol.ids import NotificationId, UserId
from protocol.topics import user_topic

_SEQ_MAX: Final = 2**53 - 1
_PRUNED_USERS_MAX: Final = 500
_PRUNED_AGED_MAX: Final = 10_000
"""What one tick of the job takes on, so that it holds no inbox for long."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Some of a user's notifications, newest first, and where the user stands."""

    notifications: Sequence[Notification]
    inbox: Inbox


async def notify(tx: Transaction, draft: Draft) -> Notification | None:
    """Tell a user something; None if the sender told them under the same key before.

    Raises:
        MalformedNotificationError: if there is no such user.
    """
    if not await accounts.people(tx, [draft.user]):
        raise MalformedNotificationError(f"There is no user {draft.user}.")
    inbox = await repository.lock_inbox(tx, draft.user)
    told = Notification(
        id=NotificationId(tx.mint("ntf")),
        user_id=draft.user,
        seq=inbox.last_seq + 1,
        category=draft.category,
        title=draft.title,
        body=draft.body,
        created_at=tx.now,
        link=draft.link,
    )
    if not await repository.add(tx, told, key=draft.key):
        return None
    event = NotificationReceived(
        notification=told.view(read_seq=inbox.read_seq), unread=inbox.unread + 1
    )
    await tx.emit(user_topic(draft.user), event)
    return told


async def newest(
    tx: Transaction, user_id: UserId, *, before: ListedBefore | None, limit: int
) -> Listed:
    """Return a user's newest notifications, or those below `before`."""
    found = await repository.newest_before(
        tx, user_id, _SEQ_MAX if before is None else before.seq, notifications_max=limit
    )
    return Listed(notifications=found, inbox=await repository.inbox(tx, user_id))


async def mark_read(tx: Transaction, user_id: UserId, up_to: NotificationId) -> Inbox:
    """Say that the user has read everything up to and with `up_to`. Never goes back.

    Raises:
        NotificationNotFoundError: if the user has no such notification.
    """
    seq = await repository.seq_of(tx, user_id, up_to)
    if seq is None:
        raise NotificationNotFoundError(up_to)
    inbox = await repository.lock_inbox(tx, user_id)
    if seq <= inbox.read_seq:
        return inbox
    await repository.set_read(tx, user_id, seq)
    read = Inbox(last_seq=inbox.last_seq, read_seq=seq)
    await tx.emit(user_topic(user_id), NotificationsRead(up_to=up_to, unread=read.unread))
    return read


async def prune(tx: Transaction) -> int:
    """Delete what is older than `KEPT_DAYS_MAX` days or beyond a user's `KEPT_A_USER_MAX` newest.

    Does a bounded part of it and returns how many went; when 0, all is done.
    """
    return await repository.prune(
        tx,
        before=tx.now - timedelta(days=KEPT_DAYS_MAX),
        kept_max=KEPT_A_USER_MAX,
        users_max=_PRUNED_USERS_MAX,
        aged_max=_PRUNED_AGED_MAX,
    )
