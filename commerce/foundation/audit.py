"""What the shop's staff did, written in the transaction that does it, and never changed.

An endpoint for the staff writes down each action with `write_down`; `commerce/admin` shows them.
"""

from typing import Final, LiteralString

import msgspec

from commerce.foundation.acts import Act, AuditId, Entry
from commerce.foundation.database import Transaction
from protocol.ids import UserId

_ADD: Final[LiteralString] = """
    insert into audit_entries (id, at, actor_id, action, subject, reason, before, after)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

_READ: Final[LiteralString] = """
    select id, at, actor_id, action, subject, reason, before, after
      from audit_entries
     where ($1::text is null or subject = $1)
       and ($2::text is null or actor_id = $2)
       and ($3::text is null or id < $3)
     order by id desc
     limit $4
"""


async def write_down(tx: Transaction, act: Act) -> None:
    """Write down an action; it is there exactly if what was done is."""
    await tx.execute(
        _ADD,
        tx.mint("aud"),
        tx.now,
        act.actor,
        act.action,
        act.subject,
        act.reason,
        msgspec.to_builtins(act.before),
        msgspec.to_builtins(act.after),
    )


async def entries(
    tx: Transaction,
    *,
    subject: str | None = None,
    actor: UserId | None = None,
    after: AuditId | None = None,
    limit: int,
) -> list[Entry]:
    """Return what was done, to one thing or by one person if so asked, the newest first."""
    return await tx.all(Entry, _READ, subject, actor, after, limit)
