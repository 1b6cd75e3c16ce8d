"""Keeping rooms in order: roles, mutes, bans, slow mode, reports."""

from typing import Final

from commerce.accounts.model import STAFF_ROLE
from commerce.chat import service
from commerce.chat.endpoints.door import door, room_of, user_of
from commerce.chat.errors import (
    InvalidMuteError,
    MemberNotFoundError,
    MessageDeletedError,
    MessageNotFoundError,
    ReportNotFoundError,
    RoomForbiddenError,
    RoomNotFoundError,
    UnknownUserError,
)
from commerce.chat.schemas import (
    BannedAfter,
    BannedView,
    MemberView,
    NewBan,
    NewMute,
    NewReport,
    NewRole,
    NewSlowMode,
    ReportedBefore,
    ReportView,
    moment_of,
    view_banned,
    view_member,
    view_report,
)
from commerce.foundation.http import Call
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from protocol.ids import MessageId

_REFUSALS: Final = (RoomNotFoundError, RoomForbiddenError)


@door.api(
    "PUT",
    "/v1/rooms/{room}/members/{user}/role",
    body=NewRole,
    out=MemberView,
    errors=(*_REFUSALS, MemberNotFoundError),
)
async def change_role(call: Call[NewRole, None]) -> MemberView:
    """Give a member another role; an owner who gives `owner` away is a moderator afterwards."""
    async with call.database.transaction() as tx:
        member = await service.change_role(
            tx, call.principal.user, room_of(call), user_of(call), role=call.body.role
        )
    return view_member(member)


@door.api(
    "PUT",
    "/v1/rooms/{room}/members/{user}/mute",
    body=NewMute,
    out=MemberView,
    errors=(*_REFUSALS, MemberNotFoundError, InvalidMuteError),
)
async def mute_member(call: Call[NewMute, None]) -> MemberView:
    """Let a member only read until a moment; null lets them write again."""
    until = moment_of(call.body.until_ms)
    async with call.database.transaction() as tx:
        member = await service.mute(
            tx, call.principal.user, room_of(call), user_of(call), until=until
        )
    return view_member(member)


@door.api("GET", "/v1/rooms/{room}/bans", query=PageQuery, out=Page[BannedView], errors=_REFUSALS)
async def list_bans(call: Call[None, PageQuery]) -> Page[BannedView]:
    """List who may not come back into a room."""
    query = call.query
    after = None if query.after is None else decode_cursor(BannedAfter, query.after).user_id
    async with call.database.transaction() as tx:
        found = await service.banned(
            tx, call.principal.user, room_of(call), after=after, limit=query.limit + 1
        )
    page = page_of(found, limit=query.limit, key=lambda each: BannedAfter(user_id=each.user_id))
    return Page(items=[view_banned(each) for each in page.items], next=page.next)


@door.api(
    "PUT",
    "/v1/rooms/{room}/bans/{user}",
    body=NewBan,
    status=204,
    errors=(*_REFUSALS, UnknownUserError),
)
async def ban_user(call: Call[NewBan, None]) -> None:
    """Send somebody out of a room for good."""
    async with call.database.transaction() as tx:
        await service.ban(
            tx, call.principal.user, room_of(call), user_of(call), reason=call.body.reason
        )


@door.api("DELETE", "/v1/rooms/{room}/bans/{user}", status=204, errors=_REFUSALS)
async def lift_ban(call: Call[None, None]) -> None:
    """Let somebody come into a room again."""
    async with call.database.transaction() as tx:
        await service.lift_ban(tx, call.principal.user, room_of(call), user_of(call))


@door.api("PUT", "/v1/rooms/{room}/slow-mode", body=NewSlowMode, status=204, errors=_REFUSALS)
async def set_slow_mode(call: Call[NewSlowMode, None]) -> None:
    """Have members wait so long between messages; 0 ends it. Moderators never wait."""
    async with call.database.transaction() as tx:
        await service.set_slow_mode(tx, call.principal.user, room_of(call), call.body.seconds)


@door.api(
    "PUT",
    "/v1/rooms/{room}/messages/{message}/report",
    body=NewReport,
    status=204,
    errors=(RoomNotFoundError, MessageNotFoundError, MessageDeletedError),
)
async def report_message(call: Call[NewReport, None]) -> None:
    """Tell the moderators of a message; a second time changes nothing."""
    async with call.database.transaction() as tx:
        await service.report(
            tx,
            call.principal.user,
            room_of(call),
            MessageId(call.path["message"]),
            reason=call.body.reason,
        )


@door.api(
    "GET", "/v1/rooms/{room}/reports", query=PageQuery, out=Page[ReportView], errors=_REFUSALS
)
async def list_room_reports(call: Call[None, PageQuery]) -> Page[ReportView]:
    """List the open reports of a room, newest first."""
    query = call.query
    before = None if query.after is None else decode_cursor(ReportedBefore, query.after).id
    async with call.database.transaction() as tx:
        found = await service.reports_of(
            tx, call.principal.user, room_of(call), before=before, limit=query.limit + 1
        )
    page = page_of(found, limit=query.limit, key=lambda each: ReportedBefore(id=each.id))
    return Page(items=[view_report(each) for each in page.items], next=page.next)


@door.api("GET", "/v1/reports", query=PageQuery, out=Page[ReportView])
async def list_reports(call: Call[None, PageQuery]) -> Page[ReportView]:
    """List the open reports of all rooms, newest first; for staff."""
    call.require_role(STAFF_ROLE)
    query = call.query
    before = None if query.after is None else decode_cursor(ReportedBefore, query.after).id
    async with call.database.transaction() as tx:
        found = await service.all_reports(tx, before=before, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda each: ReportedBefore(id=each.id))
    return Page(items=[view_report(each) for each in page.items], next=page.next)


@door.api(
    "DELETE",
    "/v1/rooms/{room}/reports/{report}",
    status=204,
    errors=(*_REFUSALS, ReportNotFoundError),
)
async def settle_report(call: Call[None, None]) -> None:
    """Close a report, whatever was done about it."""
    async with call.database.transaction() as tx:
        await service.settle_report(tx, call.principal.user, room_of(call), call.path["report"])
