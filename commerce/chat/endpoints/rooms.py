"""Rooms, their members and what was said."""

from commerce.chat import service
from commerce.chat.endpoints.door import door, is_staff, reader_of, room_of, user_of
from commerce.chat.errors import (
    FixedMembersError,
    InvalidRoomError,
    MemberNotFoundError,
    RoomForbiddenError,
    RoomFullError,
    RoomNotFoundError,
    UnknownUserError,
    UserBannedError,
)
from commerce.chat.model import JoinedAfter, ListedAfter
from commerce.chat.schemas import (
    HistoryQuery,
    MemberView,
    Messages,
    NewMember,
    NewRoom,
    RoomView,
    SearchQuery,
    view_history,
    view_member,
    view_room,
)
from commerce.foundation.database import Transaction
from commerce.foundation.http import Call
from commerce.foundation.pagination import Page, PageQuery, decode_cursor, page_of
from protocol.ids import RoomId
from protocol.views import Person


@door.api("GET", "/v1/rooms", query=PageQuery, out=Page[RoomView])
async def list_rooms(call: Call[None, PageQuery]) -> Page[RoomView]:
    """List the rooms one is in, those written in last first."""
    query = call.query
    after = None if query.after is None else decode_cursor(ListedAfter, query.after)
    async with call.database.transaction() as tx:
        found = await service.rooms_of(tx, call.principal.user, after=after, limit=query.limit + 1)
    page = page_of(found, limit=query.limit, key=lambda listed: listed.place)
    return Page(
        items=[view_room(listed, is_staff=is_staff(call)) for listed in page.items], next=page.next
    )


@door.api(
    "POST",
    "/v1/rooms",
    body=NewRoom,
    out=RoomView,
    status=201,
    errors=(InvalidRoomError, RoomFullError, UnknownUserError),
)
async def open_room(call: Call[NewRoom, None]) -> RoomView:
    """Make a group, or have the direct room with somebody: the same two always have the same."""
    opener = Person(id=call.principal.user, name=call.principal.name)
    async with call.database.transaction() as tx:
        room_id = await _open(tx, opener, call.body)
        return view_room(await service.view(tx, opener.id, room_id), is_staff=is_staff(call))


@door.api("GET", "/v1/rooms/{room}", out=RoomView, auth="optional", errors=(RoomNotFoundError,))
async def show_room(call: Call[None, None]) -> RoomView:
    """Show a room: a product's to anyone, another to its members."""
    async with call.database.transaction() as tx:
        shown = await service.view(tx, reader_of(call), room_of(call))
    return view_room(shown, is_staff=is_staff(call))


@door.api(
    "GET",
    "/v1/rooms/{room}/messages",
    query=HistoryQuery,
    out=Messages,
    auth="optional",
    errors=(RoomNotFoundError,),
)
async def list_messages(call: Call[None, HistoryQuery]) -> Messages:
    """Read messages: those that follow number `after`, or the newest; all below `before`."""
    query = call.query
    async with call.database.transaction() as tx:
        history = await service.history(
            tx,
            reader_of(call),
            room_of(call),
            after=query.after,
            before=query.before,
            limit=query.limit,
        )
    return view_history(history)


@door.api(
    "GET",
    "/v1/rooms/{room}/search",
    query=SearchQuery,
    out=Messages,
    auth="optional",
    errors=(RoomNotFoundError,),
)
async def search_messages(call: Call[None, SearchQuery]) -> Messages:
    """Find messages in which these words are, newest first; all below number `before`."""
    query = call.query
    async with call.database.transaction() as tx:
        found = await service.search(
            tx,
            reader_of(call),
            room_of(call),
            query.q,
            before=query.before,
            limit=query.limit,
        )
    return view_history(found)


@door.api(
    "GET",
    "/v1/rooms/{room}/members",
    query=PageQuery,
    out=Page[MemberView],
    auth="optional",
    errors=(RoomNotFoundError,),
)
async def list_members(call: Call[None, PageQuery]) -> Page[MemberView]:
    """List the members of a room in the order in which they came."""
    query = call.query
    after = None if query.after is None else decode_cursor(JoinedAfter, query.after)
    async with call.database.transaction() as tx:
        found = await service.members_of(
            tx, reader_of(call), room_of(call), after=after, limit=query.limit + 1
        )
    page = page_of(found, limit=query.limit, key=lambda member: member.place)
    return Page(items=[view_member(member) for member in page.items], next=page.next)


@door.api(
    "POST",
    "/v1/rooms/{room}/members",
    body=NewMember,
    out=MemberView,
    status=201,
    errors=(
        RoomNotFoundError,
        RoomForbiddenError,
        FixedMembersError,
        RoomFullError,
        UnknownUserError,
        UserBannedError,
    ),
)
async def invite_member(call: Call[NewMember, None]) -> MemberView:
    """Make somebody a member of a group; its owner and moderators may."""
    async with call.database.transaction() as tx:
        member = await service.invite(tx, call.principal.user, room_of(call), call.body.user)
    return view_member(member)


@door.api(
    "DELETE",
    "/v1/rooms/{room}/members/{user}",
    status=204,
    errors=(RoomNotFoundError, RoomForbiddenError, FixedMembersError, MemberNotFoundError),
)
async def remove_member(call: Call[None, None]) -> None:
    """Send a member out of a group, or leave it oneself."""
    async with call.database.transaction() as tx:
        await service.remove(tx, call.principal.user, room_of(call), user_of(call))


async def _open(tx: Transaction, opener: Person, room: NewRoom) -> RoomId:
    if room.kind == "direct":
        return await service.open_direct(tx, opener, room.members)
    return await service.open_group(tx, opener, room.title or "", room.members)
