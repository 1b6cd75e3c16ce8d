"""Finding a message against the rules, and what becomes of that."""

from commerce.chat.errors import MessageDeletedError, MessageNotFoundError, ReportNotFoundError
from commerce.chat.model import Report, cleaned_line
from commerce.chat.repository import messages, reports
from commerce.chat.service.membership import hold
from commerce.chat.service.moderating import hold_with_power
from commerce.foundation.database import Transaction
from protocol.ids import MessageId, RoomId, UserId


async def report(
    tx: Transaction, reporter: UserId, room_id: RoomId, message_id: MessageId, *, reason: str
) -> None:
    """Tell the moderators of a message; each person tells of it once.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        MessageNotFoundError: if there is no such message in the room.
        MessageDeletedError: if it was taken back.
    """
    await hold(tx, room_id, reporter)
    message = await messages.find(tx, room_id, message_id)
    if message is None:
        raise MessageNotFoundError(message_id)
    if message.deleted_at is not None:
        raise MessageDeletedError(message_id)
    told = Report(
        id=tx.mint("rpt"),
        room_id=room_id,
        message_id=message_id,
        reporter_id=reporter,
        reason=cleaned_line(reason),
        author_id=message.author_id,
        body=message.body,
        created_at=tx.now,
    )
    await reports.add(tx, told)


async def reports_of(
    tx: Transaction, reader: UserId, room_id: RoomId, *, before: str | None, limit: int
) -> list[Report]:
    """Return the open reports of a room, newest first.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the reader's rank is too low.
    """
    await hold_with_power(tx, reader, room_id, "see_reports")
    return await reports.open_ones(tx, room_id, before=before, reports_max=limit)


async def all_reports(tx: Transaction, *, before: str | None, limit: int) -> list[Report]:
    """Return the open reports of all rooms, newest first. That the reader is staff is checked."""
    return await reports.open_ones(tx, None, before=before, reports_max=limit)


async def settle_report(tx: Transaction, actor: UserId, room_id: RoomId, report_id: str) -> None:
    """Close a report, whatever was done about it.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the actor's rank is too low.
        ReportNotFoundError: if there is no such open report.
    """
    await hold_with_power(tx, actor, room_id, "see_reports")
    if not await reports.settle(tx, room_id, report_id, by=actor):
        raise ReportNotFoundError
