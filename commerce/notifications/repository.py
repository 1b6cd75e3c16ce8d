"""Every line of SQL about notifications. Whoever changes a user's holds their inbox row first."""

from datetime import datetime
from typing import Final, LiteralString

import msgspec

from commerce.foundation.database import Transaction
from commerce.notifications.model import Inbox, Notification
from protocol.ids import NotificationId, UserId

_LOCK_INBOX: Final[LiteralString] = """
    insert into notification_inboxes as inbox (user_id)
    values ($1)
        on conflict (user_id) do update
       set last_seq = inbox.last_seq
    returning last_seq, read_seq
"""

_INBOX: Final[LiteralString] = """
    select last_seq, read_seq
      from notification_inboxes
     where user_id = $1
"""

_ADD: Final[LiteralString] = """
    with added as (
        insert into notifications
               (user_id, seq, id, category, title, body, link, sender_key, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (user_id, sender_key) where sender_key is not null do nothing
        returning user_id, seq
    )
    update notification_inboxes as inbox
       set last_seq = added.seq
      from added
     where inbox.user_id = added.user_id
"""

_PAGE: Final[LiteralString] = """
    select id, user_id, seq, category, title, body, link, created_at
      from notifications
     where user_id = $1
       and seq < $2
     order by seq desc
     limit $3
"""

_SEQ: Final[LiteralString] = """
    select seq
      from notifications
     where id = $2
       and user_id = $1
"""

_SET_READ: Final[LiteralString] = """
    update notification_inboxes
       set read_seq = $2
     where user_id = $1
"""

# The oldest go, always: then everything up to `pruned_seq` is gone and none above it.
_PRUNE: Final[LiteralString] = """
    with aged as (
        select user_id, max(seq) as seq
          from (select user_id, seq
                  from notifications
                 where created_at < $1
                 order by created_at
                 limit $4) as oldest
         group by user_id
    ), due as (
        select inbox.user_id,
               greatest(inbox.last_seq - $2, aged.seq, inbox.pruned_seq) as seq
          from notification_inboxes as inbox
          left join aged on aged.user_id = inbox.user_id
         where inbox.last_seq - inbox.pruned_seq > $2
            or aged.seq > inbox.pruned_seq
         order by inbox.user_id
         limit $3
           for update of inbox skip locked
    ), pruned as (
        update notification_inboxes as inbox
           set pruned_seq = due.seq,
               read_seq = greatest(inbox.read_seq, due.seq)
          from due
         where inbox.user_id = due.user_id
    )
    delete from notifications
     using due
     where notifications.user_id = due.user_id
       and notifications.seq <= due.seq
"""


class _Numbered(msgspec.Struct, frozen=True, kw_only=True):
    seq: int


async def lock_inbox(tx: Transaction, user_id: UserId) -> Inbox:
    """Read a user's inbox, made if it is new, and hold it until the transaction ends."""
    return await tx.one(Inbox, _LOCK_INBOX, user_id)


async def inbox(tx: Transaction, user_id: UserId) -> Inbox:
    """Read a user's inbox."""
    return await tx.one_or_none(Inbox, _INBOX, user_id) or Inbox()


async def add(tx: Transaction, notification: Notification, *, key: str | None) -> bool:
    """Write a notification; say whether its key was new to the user."""
    added = await tx.execute(
        _ADD,
        notification.user_id,
        notification.seq,
        notification.id,
        notification.category,
        notification.title,
        notification.body,
        notification.link,
        key,
        notification.created_at,
    )
    return added == 1


async def newest_before(
    tx: Transaction, user_id: UserId, seq: int, *, notifications_max: int
) -> list[Notification]:
    """Read a user's notifications below number `seq`, newest first."""
    return await tx.all(Notification, _PAGE, user_id, seq, notifications_max)


async def seq_of(tx: Transaction, user_id: UserId, notification_id: NotificationId) -> int | None:
    """Return the number of a user's notification."""
    found = await tx.one_or_none(_Numbered, _SEQ, user_id, notification_id)
    return None if found is None else found.seq


async def set_read(tx: Transaction, user_id: UserId, seq: int) -> None:
    """Write how far the user has read."""
    await tx.execute(_SET_READ, user_id, seq)


async def prune(
    tx: Transaction, *, before: datetime, kept_max: int, users_max: int, aged_max: int
) -> int:
    """Delete what is too old or too much, for some users; return how many notifications went.

    Looks at no more than `aged_max` old notifications and `users_max` users at once.
    """
    return await tx.execute(_PRUNE, before, kept_max, users_max, aged_max)
