"""SQL about what people found against the rules."""

from typing import Final, LiteralString

from commerce.chat.model import Report
from commerce.foundation.database import Transaction
from protocol.ids import RoomId, UserId

_ADD: Final[LiteralString] = """
    insert into message_reports
           (id, room_id, message_id, reporter_id, reason, author_id, body, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (message_id, reporter_id) do nothing
"""

_COLUMNS: Final[LiteralString] = """
    select id, room_id, message_id, reporter_id, reason, author_id, body, created_at
      from message_reports
     where settled_at is null
"""

_OPEN: Final[LiteralString] = (
    _COLUMNS
    + """
       and id < $1
     order by id desc
     limit $2
"""
)

_OPEN_OF_ROOM: Final[LiteralString] = (
    _COLUMNS
    + """
       and room_id = $3
       and id < $1
     order by id desc
     limit $2
"""
)

_SETTLE: Final[LiteralString] = """
    update message_reports
       set settled_at = $3, settled_by = $4
     where room_id = $1
       and id = $2
       and settled_at is null
"""

_AFTER_ALL_IDS: Final = "~"


async def add(tx: Transaction, report: Report) -> bool:
    """Write a report; say whether it is this person's first of the message."""
    added = await tx.execute(
        _ADD,
        report.id,
        report.room_id,
        report.message_id,
        report.reporter_id,
        report.reason,
        report.author_id,
        report.body,
        report.created_at,
    )
    return added == 1


async def open_ones(
    tx: Transaction, room_id: RoomId | None, *, before: str | None, reports_max: int
) -> list[Report]:
    """Read reports nobody has settled, of one room or of all, newest first."""
    start = before or _AFTER_ALL_IDS
    if room_id is None:
        return await tx.all(Report, _OPEN, start, reports_max)
    return await tx.all(Report, _OPEN_OF_ROOM, start, reports_max, room_id)


async def settle(tx: Transaction, room_id: RoomId, report_id: str, *, by: UserId) -> bool:
    """Close a report of a room; say whether it was open."""
    return await tx.execute(_SETTLE, room_id, report_id, tx.now, by) == 1
