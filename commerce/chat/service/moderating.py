"""Keeping a room in order: roles, mutes, bans, slow mode. The rules are in `model.roles`."""

from datetime import datetime

import msgspec

from commerce.accounts import service as accounts
from commerce.chat.errors import MemberNotFoundError, RoomForbiddenError
from commerce.chat.model import (
    Banned,
    Member,
    MemberRole,
    Power,
    Rank,
    Room,
    checked_mute,
    cleaned_line,
    has_power,
    rank_of,
    require_above,
    require_given,
    require_power,
)
from commerce.chat.repository import members, rooms, standings
from commerce.chat.service.membership import hold, known, let_go
from commerce.foundation.database import Transaction
from protocol.events import MemberBanned, MemberChanged, MemberUnbanned, RoomChanged
from protocol.ids import RoomId, UserId
from protocol.stream_names import ACCESS_BANNED, access_muted
from protocol.topics import Topic, room_topic
from shared.clock import unix_ms


async def change_role(
    tx: Transaction, actor: UserId, room_id: RoomId, user_id: UserId, *, role: MemberRole
) -> Member:
    """Give a member another role. Who gives `owner` away is a moderator afterwards.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the actor's rank is too low, or there is no such role in the room.
        MemberNotFoundError: if that user is not a member.
    """
    room, rank = await hold_with_power(tx, actor, room_id, "change_roles")
    require_given(room.kind, role)
    member = await _member(tx, room_id, user_id)
    if member.role == role:
        return member
    require_above(rank, await _rank_of_other(tx, room, user_id, member))
    if role == "owner":
        before = await members.find(tx, room_id, actor)
        assert before is not None  # only an owner gives it away
        await _give_role(tx, before, "moderator")
    return await _give_role(tx, member, role)


async def mute(
    tx: Transaction, actor: UserId, room_id: RoomId, user_id: UserId, *, until: datetime | None
) -> Member:
    """Let a member only read until a moment; None, or one that is past, lets them write again.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the actor's rank is not above the member's, or too low.
        MemberNotFoundError: if that user is not a member.
        InvalidMuteError: if it is too long.
    """
    room, rank = await hold_with_power(tx, actor, room_id, "mute")
    member = await _member(tx, room_id, user_id)
    require_above(rank, await _rank_of_other(tx, room, user_id, member))
    muted = msgspec.structs.replace(member, muted_until=checked_mute(until, now=tx.now))
    await members.set_mute(tx, room_id, user_id, muted.muted_until)
    await standings.mute(tx, room_id, user_id, muted.muted_until)
    await _project_mute(tx, room, muted)
    await _tell_change(tx, muted)
    return muted


async def ban(
    tx: Transaction, actor: UserId, room_id: RoomId, user_id: UserId, *, reason: str
) -> None:
    """Send somebody out of a room for good, or keep out who is not in it.

    They stop hearing the room at once, a public one too; what anyone may read of a public room
    without being signed in they may still read.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the actor's rank is not above theirs, or too low.
        UnknownUserError: if there is no such user.
    """
    room, rank = await hold_with_power(tx, actor, room_id, "ban")
    [person] = await known(tx, [user_id])
    member = await members.find(tx, room_id, user_id)
    require_above(rank, await _rank_of_other(tx, room, user_id, member))
    if user_id == actor:
        raise RoomForbiddenError("Leave the room, if you do not want to be in it.")
    if not await standings.ban(tx, room_id, person, by=actor, reason=cleaned_line(reason)):
        return
    if member is not None:
        await let_go(tx, room, member)
    if room.is_public:
        await tx.grant_access(_topic(room), user_id, ACCESS_BANNED)
    await tx.emit(_topic(room), MemberBanned(room=room_id, user=user_id))


async def lift_ban(tx: Transaction, actor: UserId, room_id: RoomId, user_id: UserId) -> None:
    """Let somebody come into a room again; who is not banned stays so.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the actor's rank is too low.
    """
    room, _ = await hold_with_power(tx, actor, room_id, "ban")
    if not await standings.lift(tx, room_id, user_id):
        return
    if room.is_public:
        await tx.revoke_access(_topic(room), user_id)
    await tx.emit(_topic(room), MemberUnbanned(room=room_id, user=user_id))


async def banned(
    tx: Transaction, actor: UserId, room_id: RoomId, *, after: UserId | None, limit: int
) -> list[Banned]:
    """Return who is banned from a room, by id.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the actor's rank is too low.
    """
    await hold_with_power(tx, actor, room_id, "ban")
    return await standings.banned_after(tx, room_id, after=after, people_max=limit)


async def set_slow_mode(tx: Transaction, actor: UserId, room_id: RoomId, seconds: int) -> None:
    """Have plain members wait so long between messages; 0 ends it.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if the actor's rank is too low.
    """
    room, _ = await hold_with_power(tx, actor, room_id, "set_slow_mode")
    if room.slow_mode_seconds == seconds:
        return
    await rooms.set_slow_mode(tx, room_id, seconds)
    await tx.emit(_topic(room), RoomChanged(room=room_id, slow_mode_seconds=seconds))


async def hold_with_power(
    tx: Transaction, actor: UserId, room_id: RoomId, power: Power
) -> tuple[Room, Rank]:
    """Hold a room in which somebody has a power; return it and their rank.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        RoomForbiddenError: if they do not have it.
    """
    room, member = await hold(tx, room_id, actor)
    rank = rank_of(member, is_staff=False)
    if not has_power(room.kind, power, rank) and await accounts.is_staff(tx, actor):
        rank = "staff"
    require_power(room.kind, power, rank)
    return room, rank


async def _rank_of_other(
    tx: Transaction, room: Room, user_id: UserId, member: Member | None
) -> Rank:
    """Return the rank of somebody over whom a power is used; staff count where staff moderate."""
    is_staff = room.kind != "group" and await accounts.is_staff(tx, user_id)
    return rank_of(member, is_staff=is_staff)


async def _member(tx: Transaction, room_id: RoomId, user_id: UserId) -> Member:
    member = await members.find(tx, room_id, user_id)
    if member is None:
        raise MemberNotFoundError(user_id)
    return member


async def _give_role(tx: Transaction, member: Member, role: MemberRole) -> Member:
    changed = msgspec.structs.replace(member, role=role)
    await members.set_role(tx, member.room_id, member.user_id, role)
    await tx.grant_access(room_topic(member.room_id), member.user_id, role)
    await _tell_change(tx, changed)
    return changed


async def _project_mute(tx: Transaction, room: Room, member: Member) -> None:
    """Let the gateways know, who show nobody as writing who may not write."""
    field = access_muted(member.user_id)
    if member.muted_until is None:
        await tx.revoke_access(_topic(room), field)
    else:
        await tx.grant_access(_topic(room), field, str(unix_ms(member.muted_until)))


async def _tell_change(tx: Transaction, member: Member) -> None:
    until = member.muted_until
    event = MemberChanged(
        room=member.room_id,
        user=member.user_id,
        role=member.role,
        muted_until_ms=None if until is None else unix_ms(until),
    )
    await tx.emit(room_topic(member.room_id), event)


def _topic(room: Room) -> Topic:
    return room_topic(room.id)
