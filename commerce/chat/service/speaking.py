"""Saying things, changing them, taking them back, and having read them."""

from commerce.accounts import service as accounts
from commerce.chat.errors import (
    MessageNotFoundError,
    NotAMemberError,
    NotYourMessageError,
    RoomNotFoundError,
)
from commerce.chat.model import Member, Message, Room, cleaned_text
from commerce.chat.repository import members, messages, rooms
from commerce.chat.service.membership import hold, let_in
from commerce.foundation.database import Transaction
from protocol.events import MessageDeleted, MessageEdited, MessageSent, ReadMarked
from protocol.ids import MessageId, RoomId, UserId
from protocol.topics import room_topic, user_topic
from protocol.views import Person


async def send(
    tx: Transaction,
    author: Person,
    room_id: RoomId,
    text: str,
    *,
    reply_to: MessageId | None = None,
    key: str | None = None,
) -> Message:
    """Say something in a room. Who is no member of a public room becomes one first.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        MessageNotFoundError: if the message replied to is not in the room.
        BlankMessageError: if there is nothing to read in the text.
        MessageTooLongError: if the text is too long.
        TooManyRoomsError: if the author would have to join one room too many.
    """
    draft = messages.NewMessage(
        id=MessageId(tx.mint("msg")),
        room_id=room_id,
        author_id=author.id,
        author_name=author.name,
        body=cleaned_text(text),
        sent_at=tx.now,
        reply_to=reply_to,
        command_key=key,
    )
    seq = await messages.insert(tx, draft)
    if seq is None:
        await _make_way(tx, author, draft)
        seq = await messages.insert(tx, draft)
    assert seq is not None
    sent = draft.numbered(seq)
    await tx.emit(room_topic(room_id), MessageSent(message=sent.view))
    return sent


async def edit(
    tx: Transaction, editor: UserId, room_id: RoomId, message_id: MessageId, *, text: str
) -> Message:
    """Change the text of one's own message.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        NotAMemberError: if the editor is not, or no longer, a member of the public room.
        MessageNotFoundError: if there is no such message in the room.
        NotYourMessageError: if somebody else wrote it.
        MessageDeletedError: if it was taken back.
        BlankMessageError: if there is nothing to read in the text.
        MessageTooLongError: if the text is too long.
    """
    cleaned = cleaned_text(text)
    room, member, message = await _hold_message(tx, editor, room_id, message_id)
    if member is None:
        raise NotAMemberError(room.id)
    edited = message.edited(cleaned, editor=editor, now=tx.now)
    if edited is not message:
        await messages.save(tx, edited)
        await tx.emit(room_topic(room_id), MessageEdited(message=edited.view))
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
    _, member, message = await _hold_message(tx, user_id, room_id, message_id)
    if message.author_id != user_id and not await _may_moderate(tx, user_id, member):
        raise NotYourMessageError(message_id)
    deleted = message.deleted(now=tx.now)
    if deleted is not message:
        await messages.save(tx, deleted)
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


async def _make_way(tx: Transaction, author: Person, draft: messages.NewMessage) -> None:
    """Do or say what kept a message from being written."""
    room, member = await hold(tx, draft.room_id, author.id)
    if draft.reply_to is not None and not await messages.find(tx, room.id, draft.reply_to):
        raise MessageNotFoundError(draft.reply_to)
    if member is None:
        await let_in(tx, room, author)


async def _hold_message(
    tx: Transaction, user_id: UserId, room_id: RoomId, message_id: MessageId
) -> tuple[Room, Member | None, Message]:
    room, member = await hold(tx, room_id, user_id)
    message = await messages.find(tx, room_id, message_id)
    if message is None:
        raise MessageNotFoundError(message_id)
    return room, member, message


async def _may_moderate(tx: Transaction, user_id: UserId, member: Member | None) -> bool:
    if member is not None and member.may_moderate():
        return True
    return await accounts.is_staff(tx, user_id)
