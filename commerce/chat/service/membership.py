"""Coming into rooms and going out of them."""

from collections.abc import Iterable

from commerce.accounts import service as accounts
from commerce.chat.errors import (
    MemberNotFoundError,
    RoomForbiddenError,
    RoomFullError,
    RoomNotFoundError,
    TooManyRoomsError,
    UnknownUserError,
)
from commerce.chat.model import (
    GROUP_MEMBERS_MAX,
    ROOMS_JOINED_MAX,
    Member,
    MemberRole,
    Room,
    require_group,
    successor,
)
from commerce.chat.repository import members, rooms
from commerce.foundation.database import Transaction
from protocol.events import MemberJoined, MemberLeft
from protocol.ids import RoomId, UserId
from protocol.topics import room_topic, user_topic
from protocol.views import Person


async def join(tx: Transaction, person: Person, room_id: RoomId) -> None:
    """Make the user a member of a public room; a member stays one.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
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
        require_group(room)
    if member is not None:
        await _let_go(tx, room, member)


async def invite(tx: Transaction, owner: UserId, room_id: RoomId, user_id: UserId) -> Member:
    """Make somebody a member of a group; a member stays one.

    Raises:
        RoomNotFoundError: if there is no such room, or it is one of others.
        RoomForbiddenError: if the inviting user is not its owner, or it is no group.
        FixedMembersError: if it is a direct room.
        RoomFullError: if the group has `GROUP_MEMBERS_MAX` members.
        UnknownUserError: if there is no such user.
    """
    room, member = await hold(tx, room_id, owner)
    require_group(room)
    assert member is not None  # nobody else sees a group
    if member.role != "owner":
        raise RoomForbiddenError("Only the owner of a group may invite to it.")
    already = await members.find(tx, room_id, user_id)
    if already is not None:
        return already
    if len(await members.oldest(tx, room_id, members_max=GROUP_MEMBERS_MAX)) >= GROUP_MEMBERS_MAX:
        raise RoomFullError(members_max=GROUP_MEMBERS_MAX)
    [guest] = await known(tx, [user_id])
    return await admit(tx, room, guest, role="member")


async def remove(tx: Transaction, remover: UserId, room_id: RoomId, user_id: UserId) -> None:
    """Send somebody out of a group, or leave it oneself.

    Raises:
        RoomNotFoundError: if there is no such room, or it is one of others.
        RoomForbiddenError: if the remover's role is not above the other's, or it is no group.
        FixedMembersError: if it is a direct room.
        MemberNotFoundError: if that user is not a member.
    """
    room, member = await hold(tx, room_id, remover)
    require_group(room)
    assert member is not None  # nobody else sees a group
    leaving = await members.find(tx, room_id, user_id)
    if leaving is None:
        raise MemberNotFoundError(user_id)
    if user_id != remover and not member.is_above(leaving):
        raise RoomForbiddenError("Only somebody above a member may send them away.")
    await _let_go(tx, room, leaving)


async def hold(tx: Transaction, room_id: RoomId, user_id: UserId) -> tuple[Room, Member | None]:
    """Read a room the user may see and hold it until the transaction ends; and who they are there.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
    """
    room = await rooms.lock(tx, room_id)
    if room is None:
        raise RoomNotFoundError(room_id)
    member = await members.find(tx, room_id, user_id)
    if member is None and not room.is_public:
        raise RoomNotFoundError(room_id)
    return room, member


async def let_in(tx: Transaction, room: Room, person: Person) -> None:
    """Make somebody who came by themselves a member of a public room that is held.

    Raises:
        TooManyRoomsError: if the user is in `ROOMS_JOINED_MAX` rooms.
    """
    assert room.is_public
    if await members.count_rooms(tx, person.id) >= ROOMS_JOINED_MAX:
        raise TooManyRoomsError(rooms_max=ROOMS_JOINED_MAX)
    await admit(tx, room, person, role="member")


async def admit(tx: Transaction, room: Room, person: Person, *, role: MemberRole) -> Member:
    """Write a new member of a room that is held, give them the right to hear it, and tell."""
    member = Member(
        room_id=room.id,
        user_id=person.id,
        user_name=person.name,
        role=role,
        joined_at=tx.now,
        joined_seq=room.last_seq,
    )
    await members.add(tx, member)
    await tx.grant_access(room_topic(room.id), person.id, role)
    event = MemberJoined(room=room.id, member=person)
    told = await tx.emit(room_topic(room.id), event)
    await tx.emit(user_topic(person.id), event, event_id=told)
    return member


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


async def _let_go(tx: Transaction, room: Room, member: Member) -> None:
    await members.remove(tx, room.id, member.user_id)
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
