"""Changing what was said, taking it back, and having read it."""

import msgspec

from commerce.accounts import service as accounts
from commerce.chat.errors import (
    MessageNotFoundError,
    MutedError,
    NotAMemberError,
    NotYourMessageError,
    RoomNotFoundError,
)
from commerce.chat.model import (
    Edit,
    Member,
    Message,
    Room,
    cleaned_text,
    has_power,
    rank_of,
)
from commerce.chat.repository import members, messages, reactions, rooms
from commerce.chat.service import mentioning
from commerce.chat.service.membership import hold
from commerce.foundation.database import Transaction
from protocol.events import MessageDeleted, MessageEdited, ReadMarked
from protocol.ids import MessageId, RoomId, UserId
from protocol.topics import room_topic, user_topic
from protocol.views import Person


async def edit(
    tx: Transaction,
    editor: Person,
    room_id: RoomId,
    message_id: MessageId,
    *,
    change: Edit,
) -> Message:
    """Change the text of one's own message; who is newly named in it is told.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        NotAMemberError: if the editor is not, or no longer, a member of the public room.
        MutedError: if the editor may not write for a while.
        MessageNotFoundError: if there is no such message in the room.
        NotYourMessageError: if somebody else wrote it.
        MessageDeletedError: if it was taken back.
        StaleEditError: if the change is meant for another version of it.
        BlankMessageError: if there is nothing to read in the text.
        MessageTooLongError: if the text is too long.
    """
    cleaned = cleaned_text(change.text)
    room, member, message = await hold_message(tx, editor.id, room_id, message_id)
    if member is None:
        raise NotAMemberError(room.id)
    require_voice(tx, member)
    edited = message.edited(cleaned, editor=editor.id, now=tx.now, version=change.version)
    if edited is message:
        return message
    called = None
    if message.mentions or mentioning.may_call(cleaned, change.mentions):
        called = await mentioning.resolve(tx, editor, room, text=cleaned, ids=change.mentions)
        edited = msgspec.structs.replace(edited, mentions=called.people or None)
    await messages.save(tx, edited)
    await tx.emit(room_topic(room_id), MessageEdited(message=edited.view))
    if called is not None:
        await mentioning.tell(tx, edited, called.without(message.mentions or ()))
    return edited


async def delete(
    tx: Transaction, user_id: UserId, room_id: RoomId, message_id: MessageId
) -> Message:
    """Take back one's own message, or any as a moderator, the owner or the shop's staff.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        MessageNotFoundError: if there is no such message in the room.
        NotYourMessageError: if somebody else wrote it and the user is none of the above.
    """
    room, member, message = await hold_message(tx, user_id, room_id, message_id)
    if message.author_id != user_id and not await _may_take_back(tx, user_id, room, member):
        raise NotYourMessageError(message_id)
    deleted = message.deleted(now=tx.now)
    if deleted is not message:
        await messages.save(tx, deleted)
        if message.reactions:
            await reactions.remove_all(tx, message_id)
        event = MessageDeleted(
            room=room_id, message=message_id, seq=deleted.seq, version=deleted.version
        )
        await tx.emit(room_topic(room_id), event)
    return deleted


async def mark_read(tx: Transaction, reader: UserId, room_id: RoomId, seq: int) -> None:
    """Say that the reader has read up to `seq`, at most the last message. Never goes back.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        NotAMemberError: if the reader is not a member of the public room.
    """
    mark = await members.mark_read(tx, room_id, reader, seq)
    if mark is None:
        room = await rooms.find(tx, room_id)
        if room is None or not room.is_public:
            raise RoomNotFoundError(room_id)
        raise NotAMemberError(room_id)
    if mark.seq is not None:
        event = ReadMarked(room=room_id, seq=mark.seq, unread=mark.last_seq - mark.seq)
        await tx.emit(user_topic(reader), event)


async def hold_message(
    tx: Transaction, user_id: UserId, room_id: RoomId, message_id: MessageId
) -> tuple[Room, Member | None, Message]:
    """Hold a room the user may see; return it, who they are there, and a message of it.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        MessageNotFoundError: if there is no such message in the room.
    """
    room, member = await hold(tx, room_id, user_id)
    message = await messages.find(tx, room_id, message_id)
    if message is None:
        raise MessageNotFoundError(message_id)
    return room, member, message


def require_voice(tx: Transaction, member: Member) -> None:
    """Make sure that a member may say something now.

    Raises:
        MutedError: if a moderator muted them.
    """
    left = member.muted_for(tx.now)
    if left is not None:
        raise MutedError(left)


async def _may_take_back(
    tx: Transaction, user_id: UserId, room: Room, member: Member | None
) -> bool:
    if has_power(room.kind, "take_back", rank_of(member, is_staff=False)):
        return True
    return await accounts.is_staff(tx, user_id)
