"""Reacting to what was said with an emoji."""

from commerce.chat.model import Message, cleaned_emoji
from commerce.chat.repository import messages, reactions
from commerce.chat.service.membership import let_in
from commerce.chat.service.speaking import hold_message, require_voice
from commerce.foundation.database import Transaction
from protocol.events import ReactionsChanged
from protocol.ids import MessageId, RoomId
from protocol.topics import room_topic
from protocol.views import Person


async def react(
    tx: Transaction,
    person: Person,
    room_id: RoomId,
    message_id: MessageId,
    *,
    emoji: str,
    on: bool,
) -> Message:
    """React to a message, or no longer; who is no member of a public room becomes one first.

    Raises:
        RoomNotFoundError: if there is no such room, or it is a private one of others.
        MessageNotFoundError: if there is no such message in the room.
        MessageDeletedError: if it was taken back.
        NotAnEmojiError: if it is not exactly one emoji.
        TooManyReactionsError: if people already reacted with too many others.
        BannedError: if the person was banned from the room.
        MutedError: if the person may not write for a while.
        TooManyRoomsError: if the person would have to join one room too many.
    """
    sign = cleaned_emoji(emoji)
    room, member, message = await hold_message(tx, person.id, room_id, message_id)
    if member is None:
        member = await let_in(tx, room, person)
    require_voice(tx, member)
    reacted = message.reacted(sign, on=on)
    if not await reactions.set_one(tx, message_id, person.id, sign, on=on):
        return message
    await messages.save(tx, reacted)
    event = ReactionsChanged(
        room=room_id,
        message=message_id,
        seq=reacted.seq,
        reactions=reacted.reactions_view,
        user=person.id,
        emoji=sign,
        on=on,
    )
    await tx.emit(room_topic(room_id), event)
    return reacted
