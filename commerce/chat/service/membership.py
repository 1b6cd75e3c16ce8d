"""Coming into rooms and going out of them."""

from collections.abc import Iterable

from commerce.accounts import service as accounts
from commerce.chat.errors import (
    BannedError,
    FixedMembersError,
    MemberNotFoundError,
    RoomFullError,
    RoomNotFoundError,
    TooManyRoomsError,
    UnknownUserError,
    UserBannedError,
)
from commerce.chat.model import (
    GROUP_MEMBERS_MAX,
    ROOMS_JOINED_MAX,
    Member,
    MemberRole,
    Room,
    Standing,
    rank_of,
    require_above,
    require_power,
    successor,
)
from commerce.chat.repository import members, rooms, standings
from commerce.foundation.database import Transaction
from protocol.events import MemberJoined, MemberLeft
from protocol.ids import RoomId, UserId
from protocol.topics import room_topic, user_topic
from protocol.views import Person


async def join(tx: Transaction, person: Person, room_id: RoomId) -> None:
    """Make the user a member of a public room; a member stays one. Staff join any support room.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        BannedError: if the user was banned from it.
        TooManyRoomsError: if the user is in `ROOMS_JOINED_MAX` rooms.
    """
    room, member = await hold(tx, room_id, person.id)
    if member is None:
        await let_in(tx, room, person)


async def leave(tx: Transaction, user_id: UserId, room_id: RoomId) -> None:
    """End the user's own membership; who is none stays so.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        FixedMembersError: if it is a direct room.
    """
    room, member = await hold(tx, room_id, user_id)
    if room.kind == "direct":
        raise FixedMembersError
    if member is not None:
        await let_go(tx, room, member)


async def invite(tx: Transaction, host: UserId, room_id: RoomId, user_id: UserId) -> Member:
    """Make somebody a member of a group; a member stays one.

    Raises:
        RoomNotFoundError: if there is no such room, or it is one of others.
        RoomForbiddenError: if the host's role is too low, or it is no group.
        FixedMembersError: if it is a direct room.
        UserBannedError: if the guest was banned from it.
        RoomFullError: if the group has `GROUP_MEMBERS_MAX` members.
        UnknownUserError: if there is no such user.
    """
    room, member = await hold(tx, room_id, host)
    require_power(room.kind, "invite", rank_of(member, is_staff=False))
    already = await members.find(tx, room_id, user_id)
    if already is not None:
        return already
    if len(await members.oldest(tx, room_id, members_max=GROUP_MEMBERS_MAX)) >= GROUP_MEMBERS_MAX:
        raise RoomFullError(members_max=GROUP_MEMBERS_MAX)
    [guest] = await known(tx, [user_id])
    standing = await standings.find(tx, room_id, user_id)
    if standing.banned_at is not None:
        raise UserBannedError(user_id)
    return await admit(tx, room, guest, role="member", standing=standing)


async def remove(tx: Transaction, remover: UserId, room_id: RoomId, user_id: UserId) -> None:
    """Send somebody out of a group, or leave it oneself.

    Raises:
        RoomNotFoundError: if there is no such room, or it is one of others.
        RoomForbiddenError: if the remover's role is not above the other's, or it is no group.
        FixedMembersError: if it is a direct room.
        MemberNotFoundError: if that user is not a member.
    """
    room, member = await hold(tx, room_id, remover)
    if user_id == remover and member is not None and room.kind in {"group", "support"}:
        await let_go(tx, room, member)
        return
    rank = rank_of(member, is_staff=False)
    require_power(room.kind, "send_away", rank)
    leaving = await members.find(tx, room_id, user_id)
    if leaving is None:
        raise MemberNotFoundError(user_id)
    require_above(rank, leaving.role)
    await let_go(tx, room, leaving)


async def hold(tx: Transaction, room_id: RoomId, user_id: UserId) -> tuple[Room, Member | None]:
    """Read a room the user may see and hold it until the transaction ends; and who they are there.

    Staff see the support rooms of all orders.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
    """
    room = await rooms.lock(tx, room_id)
    if room is None:
        raise RoomNotFoundError(room_id)
    member = await members.find(tx, room_id, user_id)
    if member is None:
        await require_sight(tx, room, user_id)
    return room, member


async def require_sight(tx: Transaction, room: Room, user_id: UserId) -> None:
    """Make sure that somebody who is no member may see a room.

    Raises:
        RoomNotFoundError: if it is a private one.
    """
    if not room.is_public and not await may_help(tx, room, user_id):
        raise RoomNotFoundError(room.id)


async def may_help(tx: Transaction, room: Room, user_id: UserId) -> bool:
    """Say whether somebody who is no member may see a private room all the same."""
    return room.kind == "support" and await accounts.is_staff(tx, user_id)


async def let_in(tx: Transaction, room: Room, person: Person) -> Member:
    """Make somebody who came by themselves a member of a room that is held; see `hold`.

    Raises:
        BannedError: if they were banned from it.
        TooManyRoomsError: if the user is in `ROOMS_JOINED_MAX` rooms.
    """
    member = await newcomer(tx, room, person)
    await take_in(tx, member)
    return member


async def newcomer(tx: Transaction, room: Room, person: Person) -> Member:
    """Return what somebody would be who came by themselves into a room that is held.

    Raises:
        BannedError: if they were banned from it.
        TooManyRoomsError: if the user is in `ROOMS_JOINED_MAX` rooms.
    """
    standing = await standings.find(tx, room.id, person.id)
    if standing.banned_at is not None:
        raise BannedError
    if standing.rooms_count >= ROOMS_JOINED_MAX:
        raise TooManyRoomsError(rooms_max=ROOMS_JOINED_MAX)
    role: MemberRole = "member" if room.is_public else "moderator"
    return room.new_member(person, role=role, standing=standing, now=tx.now)


async def admit(
    tx: Transaction,
    room: Room,
    person: Person,
    *,
    role: MemberRole,
    standing: Standing | None = None,
) -> Member:
    """Make somebody a member of a room that is held; what it remembers of them holds on."""
    member = room.new_member(person, role=role, standing=standing, now=tx.now)
    await take_in(tx, member)
    return member


async def take_in(tx: Transaction, member: Member) -> None:
    """Write a new member of a room that is held, give them the right to hear it, and tell."""
    await members.add(tx, member)
    await tx.grant_access(room_topic(member.room_id), member.user_id, member.role)
    event = MemberJoined(room=member.room_id, member=member.person)
    told = await tx.emit(room_topic(member.room_id), event)
    await tx.emit(user_topic(member.user_id), event, event_id=told)


async def known(tx: Transaction, user_ids: Iterable[UserId]) -> list[Person]:
    """Return the people of those ids, in their order.

    Raises:
        UnknownUserError: for the first who does not exist.
    """
    wanted = list(user_ids)
    found = {person.id: person for person in await accounts.people(tx, wanted)}
    for user_id in wanted:
        if user_id not in found:
            raise UnknownUserError(user_id)
    return [found[user_id] for user_id in wanted]


async def let_go(tx: Transaction, room: Room, member: Member) -> None:
    """End a membership in a room that is held, take the right to hear it, and tell."""
    await members.remove(tx, room.id, member.user_id)
    if room.slow_mode_seconds and member.last_sent_at is not None:
        await standings.remember_last_sent(tx, room.id, member.user_id, member.last_sent_at)
    await tx.revoke_access(room_topic(room.id), member.user_id)
    event = MemberLeft(room=room.id, user=member.user_id)
    told = await tx.emit(room_topic(room.id), event)
    await tx.emit(user_topic(member.user_id), event, event_id=told)
    if member.role == "owner":
        await _hand_over(tx, room)


async def _hand_over(tx: Transaction, room: Room) -> None:
    heir = successor(await members.oldest(tx, room.id, members_max=GROUP_MEMBERS_MAX))
    if heir is not None:
        await members.set_role(tx, room.id, heir.user_id, "owner")
        await tx.grant_access(room_topic(room.id), heir.user_id, "owner")
